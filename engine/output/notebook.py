"""A widget in a notebook, and a still picture for pages where widgets cannot run."""

import base64
import html
import sys
from typing import Any

# CSS that hides the stills of the session `{}` while one of its widgets is visible. Without the kernel they are seen:
# in a notebook that is opened again, on a page made from it, in a repository's view of it.
HIDING = "\n.neuroscene-still-{} {{ display: none; }}\n"


def _kernel() -> Any:
    """The kernel this process runs in, or None."""
    # In a kernel IPython has been imported already; it is not imported just to find out.
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell else None
    return getattr(running, "kernel", None)


def in_notebook() -> bool:
    """True in a notebook's kernel, where a widget can be shown."""
    return _kernel() is not None


def session() -> str:
    """A short name for this run of the kernel; `none` outside a kernel."""
    kernel = _kernel()
    name = getattr(getattr(kernel, "session", None), "session", None) or "none"
    return "".join(c for c in name if c.isalnum())[:12]


def running_cell() -> tuple[str, str] | None:
    """(id of the cell that runs, id of this run); None where the notebook does not name its cells."""
    parent = _kernel().get_parent() if in_notebook() else {}
    name = parent.get("metadata", {}).get("cellId")
    return (name, parent["header"]["msg_id"]) if name else None


def make_canvas(size: tuple[int, int] = (800, 600), title: str = "") -> Any:
    """A canvas in a widget (engine.output.canvas.Canvas).

    size    (width, height) in CSS pixels
    title   of the widget's title bar; without one there is no bar
    """
    from rendercanvas.anywidget import RenderCanvas

    class NotebookCanvas(RenderCanvas):
        def _rc_close(self) -> None:
            # In rendercanvas 2.7, closing sends the widget a message that closes it again, and so on for ever.
            if not self.get_closed():
                self._is_closed = True
                super()._rc_close()

    canvas = NotebookCanvas(size=tuple(size), title=title, update_mode="ondemand", max_fps=30)
    canvas.observe(_seen, names=["_has_visible_views"])
    return canvas


def _seen(change: dict[str, Any]) -> None:
    # The browser has answered, so a widget is running: the still beside it is hidden from now on.
    canvas, rule = change["owner"], HIDING.format(session())
    if change["new"] and rule not in canvas._css:
        canvas._css += rule


def still(text: str, png: bytes) -> dict[str, Any]:
    """{MIME type: data} that a notebook stores for a picture.

    text   for a terminal, and read aloud
    png    bytes
    """
    source = base64.b64encode(png).decode()
    image = f'<img src="data:image/png;base64,{source}" alt="{html.escape(text)}">'
    return {
        "text/plain": text,
        "text/html": f'<div class="neuroscene-still-{session()}">{image}</div>',
        "image/png": png,
    }


def show_widget(canvas: Any) -> None:
    """Puts a canvas of `make_canvas` into the running cell's output."""
    from IPython.display import display

    given = canvas._repr_mimebundle_() or {}
    # `given` has metadata or not. The widget's own text is its address in memory, which pages without widgets show.
    given = given[0] if isinstance(given, tuple) else given
    display({**given, "text/plain": ""}, raw=True)


def show_still(data: dict[str, Any]) -> None:
    """Puts the result of `still` into the running cell's output."""
    from IPython.display import display

    # Raw bundles are sent unchanged, so the picture must be encoded as text here.
    display({**data, "image/png": base64.b64encode(data["image/png"]).decode()}, raw=True)
