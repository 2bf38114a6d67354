"""Joins scenes, the renderer, targets and the panel: render, save, record."""

import os
import sys
from dataclasses import replace

import numpy as np

from engine.app import jobs as batch
from engine.app import tiled_picture
from engine.errors import FileError
from engine.formats.atomic import AtomicTarget
from engine.output.progress import progress_bar
from engine.output.recorder import FilmRecorder, plan
from engine.output.writers.formats import BANDS, ending, open_writer, writer_class
from engine.render import tiling
from engine.scene.view_data import Clock

SIZE = (800, 600)


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
    # On a processor a network of many neurons takes minutes to compile, the first time, and to draw: whoever waits is
    # told at once that it has begun, and then how far it is.
    form = "{desc}: {n} of {total} tiles, {elapsed}"
    with progress_bar("compiling and drawing", 1, "tile", progress, bar_format=form, leave=False) as move:
        return _finished(steps, move).pixels()


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
        AtomicTarget(path)  # before the scene is built
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
    name = os.path.basename(recorder.path.rstrip("/")) or recorder.path
    with progress_bar(name, recorder.count, "frame", progress) as move:
        return recorder.run(move)


def recording(scene, path, *, renderer, seconds=None, fps=None, size=SIZE, supersample=4, start=0.0, executor=None):
    """The FilmRecorder that `record` runs; for a window, which calls its `step` once for each frame it shows.

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
    return FilmRecorder(path, frame, moments, size=size, text=text)


def clock_of(scene, time=None):
    """The Clock of a picture of a scene at a time; at the scene's own moment if that is None."""
    return Clock(float(scene.moment if time is None else time))


# Behind them.


def _spread(scene, clock, size, supersample, executor):
    """render's picture, its bands made by an executor."""
    scene.advance(clock)
    width, height = (int(n) for n in size)
    bands = list(tiling.plan(scene.stage, size, supersample).bands())
    job = batch.picture_job(scene, clock, size, supersample)
    pixels = np.full((height, width, 4), 255, np.uint8)
    for (x, y, w, h), part in zip(bands, batch.results((replace(job, tile=t) for t in bands), executor), strict=True):
        pixels[y : y + h, x : x + w, :3] = part
    return pixels


def _finished(steps, move):
    # The Picture that a generator of tiles returns at its end.
    while True:
        try:
            move(*next(steps))
        except StopIteration as end:
            return end.value


def _with_panel(scene, clock, size, supersample):
    from engine.app.viewer import Viewer
    from engine.output.offscreen import make_canvas

    canvas = make_canvas(size)
    viewer = Viewer(scene, canvas, clock=clock, supersample=supersample)
    try:
        return viewer.still()
    finally:
        canvas.close()
