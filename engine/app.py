"""Joins scenes, the renderer, targets and the panel: render, save, record, show."""

import io
import os
import sys
from contextlib import contextmanager

from engine import image_state
from engine.errors import FileError, NoDisplayError
from engine.scene import Clock
from engine.target import notebook, window
from engine.target.recorder import Recorder, plan
from engine.target.writers import ending, open_writer, writer_class
from engine.ui.files import free

SIZE = (800, 600)
# In a notebook: the widget, with its panel, as wide as a page; and the picture kept for where no widget can run.
WIDGET_SIZE = (900, 560)
STILL_SIZE = (640, 480)

# scene -> its viewer. Kept while the kernel lives, as Jupyter keeps every widget.
_viewers = {}


def render(scene, size=SIZE, *, time=0.0, supersample=4, ui=False, progress=None):
    """The picture of a scene at a moment.

    size          (width, height) in pixels
    time          seconds
    supersample   samples a pixel: 1, 4, 9 or 16
    ui            True for the whole window, panel included
    progress      True shows a bar on stderr if it takes long; None does so on a terminal
    returns       (H, W, 4) uint8, row 0 on top; sRGB, opaque
    """
    clock = Clock(float(time))
    if ui:
        return _with_panel(scene, clock, size, supersample)
    steps = _renderer().steps(scene, clock, size, supersample)
    if sys.stderr.isatty() if progress is None else progress:
        return _with_bar(steps).pixels()
    return _finished(steps).pixels()


def save(scene, path, size=SIZE, *, time=0.0, supersample=4, ui=False):
    """Renders a scene to a PNG that holds the state it was made in; returns the path.

    path   ending in .png; `-` for standard output

    The other arguments are render's. Raises FileError, before anything is drawn, when it cannot be written there.
    """
    path = os.fspath(path)
    if path != "-" and ending(path) != ".png":
        raise FileError(f"{path}: a picture is saved as .png. Films, and folders of pictures, are recorded.")
    clock = Clock(float(time))

    def text(_):
        return image_state.text(image_state.stored(scene, clock, size, supersample))

    if path == "-":
        from engine.target.writers.png import encode

        pixels = render(scene, size, time=time, supersample=supersample, ui=ui)
        encode(sys.stdout.buffer, pixels, text(0))
        return path
    with open_writer(path, size, 1.0, text) as writer:
        writer.add(render(scene, size, time=time, supersample=supersample, ui=ui))
    return path


def record(scene, path, *, seconds=None, fps=None, size=SIZE, supersample=4, start=0.0, progress=None):
    """Records a scene over time; returns the path.

    path          ending in .gif, .mp4 or .webm, or in / for a folder of PNG files
    seconds       how long; exactly one loop of the scene unless told, or 5 where it has none
    fps           frames a second; 30 unless told, 25 for GIF
    start         seconds of the scene's time the first frame is for
    progress      True or False for a bar on stderr; None for one where stderr is a terminal

    The time of every frame comes from its number, so the same call gives the same bytes: see
    engine.target.recorder.plan.
    """
    recorder = recording(
        scene, path, seconds=seconds, fps=fps, size=size, supersample=supersample, start=start, renderer=_renderer()
    )
    with _bar(recorder, progress) as tick:
        return recorder.run(tick)


def recording(scene, path, *, renderer, seconds=None, fps=None, size=SIZE, supersample=4, start=0.0):
    """The Recorder that `record` runs; for a window, which calls its `step` once for each frame it shows.

    renderer   engine.render.renderer.Renderer to draw with
    """
    fps = writer_class(path).default_fps if fps is None else fps
    moments = plan(seconds, fps, loop=scene.loop, start=start)
    if ending(path) == ".png" and moments.count > 1:
        raise FileError(
            f"{path} holds one picture, not {moments.count}. End the path in / (a folder), .gif, .mp4 or .webm."
        )

    def clock(k):
        return Clock(moments.time(k), moments.step(k))

    def text(k):
        return image_state.text(image_state.stored(scene, clock(k), size, supersample))

    def frame(k):
        return renderer.frame(scene, clock(k), size, supersample)

    return Recorder(path, frame, moments, size=size, text=text)


def show(scene, *, size=(1200, 800), time=0.0, supersample=4):
    """Shows a scene: as a widget in a notebook, else in a window until that is closed.

    size   (width, height) of the window in logical pixels; a notebook's page may be narrower

    Without a display it saves the picture here, says so on stderr, and returns its path.
    """
    if notebook.in_notebook():
        notebook.show_still(_in_cell(scene, _fitting(size, WIDGET_SIZE), _fitting(size, STILL_SIZE), time))
        return None
    try:
        canvas = window.make_canvas(size, title=_name(scene))
    except NoDisplayError as error:
        # A name that is free: nobody asked for a file, so none may be lost for it.
        path = save(scene, free(".", _name(scene).lower(), ".png"), size, time=time, supersample=supersample)
        print(f"neuroscene: {error} The picture was saved as {path} instead.", file=sys.stderr)
        return path
    from engine.viewer import Viewer

    # The canvas holds it by its handlers.
    Viewer(scene, canvas, clock=Clock(float(time)), supersample=supersample)
    window.run()
    return None


def mimebundle(scene):
    """What a notebook stores for a cell that ends with a scene, {MIME type: data}; its widget goes before it."""
    return _in_cell(scene, WIDGET_SIZE, STILL_SIZE, 0.0)


# Behind them.

_shared = None


def _renderer():
    # One for all calls: its pipelines and textures are what takes time to make.
    global _shared
    if _shared is None:
        from engine.render.renderer import Renderer

        _shared = Renderer()
    return _shared


def _finished(steps, told=lambda done, count: None):
    # The Picture that a generator of tiles returns at its end.
    while True:
        try:
            told(*next(steps))
        except StopIteration as end:
            return end.value


def _with_bar(steps):
    from tqdm import tqdm

    # On a processor a network of many neurons takes minutes to compile, the first time, and to draw: whoever waits is
    # told at once that it has begun, and then how far it is.
    form = "{desc}: {n} of {total} tiles, {elapsed}"
    with tqdm(
        desc="compiling and drawing", total=1, bar_format=form, file=sys.stderr, dynamic_ncols=True, leave=False
    ) as bar:

        def told(done, count):
            bar.total = count
            bar.update(done - bar.n)

        return _finished(steps, told)


def _with_panel(scene, clock, size, supersample):
    from engine.target.offscreen import make_canvas
    from engine.viewer import Viewer

    canvas = make_canvas(size)
    viewer = Viewer(scene, canvas, clock=clock, supersample=supersample)
    try:
        return viewer.still()
    finally:
        canvas.close()


def _name(scene):
    return type(scene).__name__


def _fitting(size, most):
    """A size of the same shape that is no wider or higher than `most`."""
    width, height = size
    scale = min(1.0, most[0] / width, most[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _in_cell(scene, widget_size, size, time):
    """Shows a scene's widget, where a browser listens, and returns the still picture for everywhere else."""
    from engine.target.writers.png import encode

    stream = io.BytesIO()
    state = image_state.stored(scene, Clock(float(time)), size)
    encode(stream, render(scene, size, time=time), image_state.text(state))
    if notebook.in_notebook():
        notebook.show_widget(_widget(scene, widget_size, time))
    return notebook.still(f"{_name(scene)} at {time:g} s", stream.getvalue())


def _widget(scene, size, time):
    """The widget of a scene, the same one each time it is shown."""
    if scene not in _viewers:
        from engine.viewer import Viewer

        canvas = notebook.make_canvas(size)
        _viewers[scene] = Viewer(scene, canvas, clock=Clock(float(time)))
    return _viewers[scene].canvas


@contextmanager
def _bar(recorder, progress):
    """A function to call after each step that moves a progress bar on stderr."""
    if progress is None:
        progress = sys.stderr.isatty()
    if not progress:
        yield None
        return
    from tqdm import tqdm

    name = os.path.basename(recorder.path.rstrip("/")) or recorder.path
    with tqdm(total=recorder.count, desc=name, unit="frame", file=sys.stderr, dynamic_ncols=True) as bar:
        yield lambda done: bar.update(done - bar.n)
