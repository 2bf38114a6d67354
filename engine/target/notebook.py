"""A widget in a notebook, with a still picture for where no widget can run."""

import sys


def in_notebook():
    """True in a notebook's kernel, where a widget can be shown."""
    # Only a kernel has brought IPython with it; it is not loaded to find out.
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell else None
    return getattr(running, "kernel", None) is not None


def make_canvas(size=(800, 600), title=""):
    """A canvas in a widget (engine.target.contract.Canvas).

    size    (width, height) in CSS pixels
    title   of its bar; none is shown without
    """
    from rendercanvas.anywidget import RenderCanvas

    class NotebookCanvas(RenderCanvas):
        def _rc_close(self):
            # In rendercanvas 2.7 closing sends the widget a message that closes it, and so on without end.
            if not self._is_closed:
                self._is_closed = True
                super()._rc_close()

    return NotebookCanvas(size=tuple(size), title=title, update_mode="ondemand", max_fps=30)


def bundle(text, png, widget=None):
    """What a notebook stores for a cell: {MIME type: data}.

    text     for a terminal
    png      bytes; shown when the notebook is opened again, on a page made of it, or without widgets
    widget   a canvas of `make_canvas`, shown where a browser can; None for the picture only
    """
    data = {"text/plain": text, "image/png": png}
    if widget is not None:
        given = widget._repr_mimebundle_()
        # Widgets give the data alone or with metadata. Their own text would only say that they are a widget.
        given = given[0] if isinstance(given, tuple) else given
        data = {**(given or {}), **data}
    return data
