"""Joins scenes, the renderer, targets and the panel: render, save, record, show."""

import io
import os
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from engine.app import jobs as batch
from engine.app import picture_state, tiled_picture
from engine.errors import FileError, NoDisplayError
from engine.output import notebook, window
from engine.output.atomic import Beside
from engine.output.recorder import Recorder, plan
from engine.output.writers.formats import BANDS, ending, open_writer, writer_class
from engine.scene.scene import Clock
from engine.ui.widgets.files import free

SIZE = (800, 600)
# In a notebook: the widget, with its panel, as wide as a page; and the picture kept for where no widget can run.
WIDGET_SIZE = (900, 560)
STILL_SIZE = (640, 480)

# scene -> its viewer. Kept while the kernel lives, as Jupyter keeps every widget.
_viewers = {}


def render(scene, size=SIZE, *, time=None, supersample=4, ui=False, progress=None, executor=None):
    """The picture of a scene at a moment.

    size          (width, height) in pixels
    time          seconds; the scene's own moment unless told
    supersample   samples a pixel: 1, 4, 9 or 16
    ui            True for the whole window, panel included
    progress      True shows a bar on stderr if it takes long; None does so on a terminal
    executor      of concurrent.futures, to spread a large picture over; see docs/prints.md
    returns       (H, W, 4) uint8, row 0 on top; sRGB, opaque
    """
    clock = clock_of(scene, time)
    if ui:
        return _with_panel(scene, clock, size, supersample)
    if executor is not None:
        return _spread(scene, clock, size, supersample, executor)
    steps = batch.renderer().steps(scene, clock, size, supersample)
    if sys.stderr.isatty() if progress is None else progress:
        return _with_bar(steps).pixels()
    return _finished(steps).pixels()


def save(scene, path, size=SIZE, *, time=None, supersample=4, ui=False, executor=None, restart=False, progress=None):
    """Renders a scene to a PNG or TIFF that holds the state it was made in; returns the path.

    path       ending in .png, .tif or .tiff; `-` for PNG on standard output
    restart    True to begin a large picture anew that was stopped before it was whole

    The other arguments are render's. A large picture is never held whole: it is written band by band. If it is stopped
    after some time, its bands are kept in a folder `path.unfinished`, and the same call goes on there.
    Raises FileError, before anything is drawn, when it cannot be written there.
    """
    path = os.fspath(path)
    if path != "-" and ending(path) not in BANDS:
        raise FileError(f"{path}: a picture is saved as .png or .tif. Films, and folders of pictures, are recorded.")
    clock = clock_of(scene, time)

    def text(_):
        return tiled_picture.text_of(scene, clock, size, supersample)

    if path != "-":
        Beside(path)  # before the scene is built
    whole = None if ui else tiled_picture.Print(scene, clock, size, supersample, text(0))
    if whole and len(whole.bands) > 1:
        if path == "-":
            whole.stream(sys.stdout.buffer, executor=executor, progress=progress)
            return path
        return whole.save(path, executor=executor, restart=restart, progress=progress)
    more = {"time": time, "supersample": supersample, "ui": ui, "progress": progress, "executor": executor}
    if path == "-":
        from engine.output.writers.png import encode

        encode(sys.stdout.buffer, render(scene, size, **more), text(0))
        return path
    with open_writer(path, size, 1.0, text) as writer:
        writer.add(render(scene, size, **more))
    return path


def record(scene, path, *, seconds=None, fps=None, size=SIZE, supersample=4, start=0.0, progress=None, executor=None):
    """Records a scene over time; returns the path.

    path          ending in .gif, .mp4 or .webm, or in / for a folder of PNG files
    seconds       how long; exactly one loop of the scene unless told, or 5 where it has none
    fps           frames a second; 30 unless told, 25 for GIF
    start         seconds of the scene's time the first frame is for
    progress      True or False for a bar on stderr; None for one where stderr is a terminal
    executor      of concurrent.futures, to spread the frames over; see docs/prints.md

    The time of every frame comes from its number, so the same call gives the same bytes: see
    engine.output.recorder.plan.
    """
    renderer = batch.renderer() if executor is None else None
    recorder = recording(
        scene, path, seconds=seconds, fps=fps, size=size, supersample=supersample, start=start, renderer=renderer,
        executor=executor,
    )  # fmt: skip
    with _bar(recorder, progress) as tick:
        return recorder.run(tick)


def recording(scene, path, *, renderer, seconds=None, fps=None, size=SIZE, supersample=4, start=0.0, executor=None):
    """The Recorder that `record` runs; for a window, which calls its `step` once for each frame it shows.

    renderer   engine.render.renderer.Renderer to draw with; where there is an executor that draws, None
    """
    fps = writer_class(path).default_fps if fps is None else fps
    moments = plan(seconds, fps, loop=scene.loop, start=start)
    if ending(path) in BANDS and moments.count > 1:
        raise FileError(
            f"{path} holds one picture, not {moments.count}. End the path in / (a folder), .gif, .mp4 or .webm."
        )

    def clock(k):
        return Clock(moments.time(k), moments.step(k))

    def text(k):
        return tiled_picture.text_of(scene, clock(k), size, supersample)

    def frame(k):
        return renderer.frame(scene, clock(k), size, supersample)

    if executor is not None:
        jobs = (batch.picture_job(scene, clock(k), size, supersample) for k in range(moments.count))
        pictures = batch.results(jobs, executor)
        frame = lambda k: next(pictures)
    return Recorder(path, frame, moments, size=size, text=text)


def show(scene, *, size=(1200, 800), time=None, supersample=4):
    """Shows a scene: as a widget in a notebook, else in a window until that is closed.

    size   (width, height) of the window in logical pixels; a notebook's page may be narrower
    time   seconds; the scene's own moment unless told, and from 0 on where it plays by itself

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
    from engine.app.viewer import Viewer

    # The canvas holds it by its handlers.
    plays = time is None and scene.plays
    clock = clock_of(scene, 0.0 if plays else time)
    viewer = Viewer(scene, canvas, clock=clock, supersample=supersample, playing=plays)
    window.on_drop(canvas, viewer.drop)
    window.run()
    return None


def mimebundle(scene):
    """What a notebook stores for a cell that ends with a scene, {MIME type: data}; its widget goes before it."""
    return _in_cell(scene, WIDGET_SIZE, STILL_SIZE, None)


def clock_of(scene, time=None):
    """The Clock of a picture of a scene at a time; at the scene's own moment if that is None."""
    return Clock(float(scene.moment if time is None else time))


# Behind them.


def _spread(scene, clock, size, supersample, executor):
    """render's picture, its bands made by an executor."""
    scene.advance(clock)
    width, height = (int(n) for n in size)
    bands = tiled_picture.cut(scene, size, supersample)
    job = batch.picture_job(scene, clock, size, supersample)
    pixels = np.full((height, width, 4), 255, np.uint8)
    for (x, y, w, h), part in zip(bands, batch.results((replace(job, tile=t) for t in bands), executor), strict=True):
        pixels[y : y + h, x : x + w, :3] = part
    return pixels


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
    from engine.app.viewer import Viewer
    from engine.output.offscreen import make_canvas

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
    from engine.output.writers.png import encode

    stream = io.BytesIO()
    clock = clock_of(scene, time)
    state = picture_state.stored(scene, clock, size)
    encode(stream, render(scene, size, time=time), picture_state.text(state))
    if notebook.in_notebook():
        notebook.show_widget(_widget(scene, widget_size, time))
    return notebook.still(f"{_name(scene)} at {clock.time:g} s", stream.getvalue())


def _widget(scene, size, time):
    """The widget of a scene, the same one each time it is shown."""
    if scene not in _viewers:
        from engine.app.viewer import Viewer

        canvas = notebook.make_canvas(size)
        _viewers[scene] = Viewer(scene, canvas, clock=clock_of(scene, time))
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
