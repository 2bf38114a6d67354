"""Shows a scene: in a window, or in a notebook as a widget and a still picture."""

import io
from typing import Any
from weakref import WeakKeyDictionary

from engine.app import picture_state
from engine.app.jobs import renderer
from engine.app.make import clock_of, recording, render, save
from engine.app.viewer import Viewer
from engine.errors import NoDisplayError
from engine.gpu.device import device
from engine.output import notebook, window
from engine.output.progress import say
from engine.output.writers.png import encode
from engine.scene.scene import Scene
from engine.ui.widgets.files import free, stem

# In a notebook: the size of the widget, panel included, and of the picture stored for pages without widgets.
WIDGET_SIZE = (900, 560)
STILL_SIZE = (640, 480)

# The viewer of each scene whose widget is open; and by cell, where the notebook names its cells, the id of its last run
# and the viewers that it showed.
_viewers: WeakKeyDictionary[Scene, Viewer] = WeakKeyDictionary()
_shown: dict[str, tuple[str, list[Viewer]]] = {}


def show(
    scene: Scene, *, size: tuple[int, int] = (1200, 800), time: float | None = None, supersample: int = 4
) -> str | None:
    """Shows a scene: in a notebook as a widget, elsewhere in a window; returns when the window is closed.

    size   (width, height) of the window in logical pixels; a notebook's page may be narrower
    time   seconds; None for the scene's own moment, or for playing from 0 where the scene plays

    Without a display it saves the picture in the current folder, says so on stderr, and returns its path.
    """
    if notebook.in_notebook():
        notebook.show_still(_in_cell(scene, _fitting(size, WIDGET_SIZE), _fitting(size, STILL_SIZE), time))
        return None
    try:
        canvas = window.make_canvas(size, title=_name(scene))
    except NoDisplayError as error:
        # An unused name: nobody asked for a file, so none may be overwritten.
        path = save(scene, free(".", stem(type(scene)), ".png"), size, time=time, supersample=supersample)
        say(f"{error} The picture was saved as {path} instead.")
        return path
    plays = time is None and scene.plays
    clock = clock_of(scene, 0.0 if plays else time)
    viewer = make_viewer(scene, canvas, clock=clock, supersample=supersample, playing=plays, apart=True)
    if device().is_software:
        window.show_slowly(canvas)
    window.on_drop(canvas, viewer.drop)
    window.run()
    return None


def make_viewer(scene: Scene, canvas: Any, **options: Any) -> Viewer:
    """A Viewer that saves and records; `options` are Viewer's."""
    return Viewer(scene, canvas, save=save, recording=recording, **options)


def mimebundle(scene: Scene) -> dict[str, Any]:
    """{MIME type: data} that a notebook stores for a cell that ends with a scene; shows the scene's widget above it."""
    return _in_cell(scene, WIDGET_SIZE, STILL_SIZE, None)


# Private helpers.


def _name(scene: Scene) -> str:
    return type(scene).__name__


def _fitting(size: tuple[int, int], most: tuple[int, int]) -> tuple[int, int]:
    """The size scaled down, proportions unchanged, to be no wider or higher than `most`."""
    width, height = size
    scale = min(1.0, most[0] / width, most[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _in_cell(scene: Scene, widget_size: tuple[int, int], size: tuple[int, int], time: float | None) -> dict[str, Any]:
    """Shows a scene's widget if a browser is connected, and returns the still picture for pages without one."""
    stream = io.BytesIO()
    clock = clock_of(scene, time)
    state = picture_state.stored(scene, clock, size)
    before = renderer().report
    encode(stream, render(scene, size, time=time), picture_state.text(state))
    report = renderer().report - before
    text = f"{_name(scene)} at {clock.time:g} s" + (f". {report}." if report.undecided else "")
    if notebook.in_notebook():
        viewer = _widget_viewer(scene, widget_size, time)
        _note_cell(viewer)
        notebook.show_widget(viewer.canvas)
    return notebook.still(text, stream.getvalue())


def _widget_viewer(scene: Scene, size: tuple[int, int], time: float | None) -> Viewer:
    """The viewer of a scene's widget, the same one each time it is shown, until the widget is closed."""
    if scene not in _viewers:
        canvas = notebook.make_canvas(size)
        _viewers[scene] = make_viewer(scene, canvas, clock=clock_of(scene, time))
        canvas.add_event_handler(lambda event: _forget(canvas), "close")
    return _viewers[scene]


def _note_cell(viewer: Viewer) -> None:
    """Notes that the running cell shows a viewer, and closes those that nothing but an earlier run of it has shown."""
    cell = notebook.running_cell()
    if cell is None:
        return
    name, run = cell
    before, views = _shown.get(name, (run, []))
    _shown[name] = run, [viewer, *(views if before == run else ())]
    for earlier in views:
        if not any(earlier in seen for _, seen in _shown.values()):
            earlier.quit()


def _forget(canvas: Any) -> None:
    """Lets the viewer of a closed canvas go."""
    for scene in [scene for scene, viewer in _viewers.items() if viewer.canvas is canvas]:
        del _viewers[scene]
    for name, (run, views) in _shown.items():
        _shown[name] = run, [viewer for viewer in views if viewer.canvas is not canvas]
