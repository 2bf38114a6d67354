"""Joins scenes, the renderer and writers of files: render, save, record."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack, nullcontext
from typing import Any

import numpy as np

from engine.app import jobs
from engine.app.expected import say_expected
from engine.app.tiled_picture import TiledPicture, text_of
from engine.draw.drawable import Drawable
from engine.errors import FileError
from engine.formats.atomic import AtomicTarget
from engine.kernels.search.progress import Progress
from engine.output.progress import progress_bar, remark
from engine.output.recorder import FilmRecorder, plan
from engine.output.stopping import stopping
from engine.output.streams import standard_output
from engine.output.writers.formats import BANDS, encoding_of, ending, open_writer, picture_ending, writer_class
from engine.output.writers.png import encode
from engine.render.encoding import PLAIN, Encoding
from engine.render.outlook import Outlook
from engine.render.picture import Picture, Report
from engine.render.renderer import Renderer, advanced
from engine.render.shot import shape, theme_of
from engine.scene.scene import Scene
from engine.scene.settings import settings
from engine.scene.view_data import Clock

SIZE = (800, 600)


def render(
    scene: Scene,
    size: tuple[int, int] = SIZE,
    *,
    time: float | None = None,
    supersample: int = 4,
    ui: bool = False,
    depth: int = 8,
    progress: bool | None = None,
    executor: Executor | None = None,
) -> np.ndarray:
    """The picture of a scene at a moment.

    size          (width, height) in pixels
    time          seconds; None for the scene's own moment
    supersample   samples a pixel: 1, 4, 9 or 16
    ui            True for the whole window, panel included
    progress      True shows a bar on stderr if it takes long; None does so on a terminal
    depth         bits of a colour: 8, 16, or 32 for the light itself
    executor      of concurrent.futures, to spread a large picture over; see docs/prints.md
    returns       (H, W, 4), row 0 on top: uint8 or uint16, sRGB, alpha not multiplied in; for 32 float32, linear light,
                  alpha multiplied in. Opaque unless theme=clear
    """
    encoding = Encoding(depth, is_clear(scene) and not ui, linear=depth == 32)
    return _rendered(scene, clock_of(scene, time), size, supersample, encoding, ui, progress, executor)


def drawn_opaque(
    scene: Scene, clock: Clock, size: tuple[int, int], supersample: int, tell: Callable[[Progress], None] | None = None
) -> np.ndarray:
    """(H, W, 4) uint8: the picture as a window shows it, a checkerboard behind theme=clear.

    tell   is called with the Progress of the picture now and then
    """
    with jobs.drawing:
        return _picture(scene, clock, size, supersample, PLAIN, False, tell=tell)[0].pixels()


def is_clear(scene: Scene) -> bool:
    """Whether a scene's pictures are transparent where nothing is."""
    return theme_of(scene).is_clear


def _rendered(
    scene: Scene, clock: Clock, size: tuple[int, int], supersample: int, encoding: Encoding, ui: bool = False,
    progress: bool | None = None, executor: Executor | None = None,
) -> np.ndarray:  # fmt: skip
    if executor is not None and not ui:
        return _spread(scene, clock, size, supersample, encoding, executor)
    with jobs.drawing:
        if ui:
            return _with_panel(scene, clock, size, supersample)
        return _picture(scene, clock, size, supersample, encoding, progress)[0].pixels()


def _picture(
    scene: Scene,
    clock: Clock,
    size: tuple[int, int],
    supersample: int,
    encoding: Encoding,
    progress: bool | None,
    *,
    keeps: bool = False,
    expected: float | None = None,
    tell: Callable[[Progress], None] | None = None,
) -> tuple[Picture, bool]:
    """(the Picture, whether Ctrl-C cut it short).

    keeps   once rays are decided, Ctrl-C ends the search and leaves the others undecided; before, and the second time,
            it raises KeyboardInterrupt
    expected   seconds that it may take, if known
    tell       is called with the Progress
    """
    outlook = Outlook(expected)
    steps = jobs.renderer().steps(scene, clock, size, supersample, encoding=encoding)
    is_kept, stopped = False, threading.Event()
    with (
        progress_bar("drawing", 1, "", progress, leave=False) as move,
        ExitStack() as later,
    ):
        while True:
            try:
                found = steps.send(stopped.is_set() or None)
            except StopIteration as end:
                return end.value, stopped.is_set()
            move(found.share, note=found.stage + outlook.words(found.share))
            if tell is not None:
                tell(found)
            if keeps and not is_kept and found.decided and _takes_long(scene):
                is_kept, stopped = True, later.enter_context(stopping((signal.SIGINT,)))


def _takes_long(scene: Scene) -> bool:
    """Whether rays of a scene are searched pass by pass, so that the search may end before its time."""
    return any(isinstance(node, Drawable) and node.drafts for node, _ in scene.stage.walk())


class StoppedPicture(KeyboardInterrupt):
    """Ctrl-C, after which a picture of what was known has been written."""


def save(
    scene: Scene,
    path: str | os.PathLike,
    size: tuple[int, int] = SIZE,
    *,
    time: float | None = None,
    supersample: int = 4,
    ui: bool = False,
    executor: Executor | None = None,
    restart: bool = False,
    depth: int | None = None,
    progress: bool | None = None,
) -> str:
    """Renders a scene to a PNG, TIFF or OpenEXR file that stores the state it was made in; returns the path.

    path       ending in .png, .tif, .tiff or .exr; `-` for PNG on standard output
    restart    True discards the finished bands of a large picture that was stopped
    depth      bits of a colour: 8 or 16 of .png and .tif, 16 or 32 of .exr, which holds the light itself

    The other arguments are render's. A large picture is never in memory as a whole: it is written band by band. If this
    is stopped after some ten seconds, the bands stay in a folder `path.unfinished`, and the same call continues there.
    Of a smaller one Ctrl-C writes what is known, once rays are decided, and raises StoppedPicture; other signals
    that end the program leave an earlier file as it was. Raises FileError, before anything is drawn, for a path
    that cannot be written.
    """
    path = os.fspath(path)
    if path != "-":
        picture_ending(path)
    clock = clock_of(scene, time)
    if path != "-":
        AtomicTarget(path)  # before the scene is built
    encoding = encoding_of(path, depth, is_clear(scene) and not ui)
    if ui and encoding != PLAIN:
        raise FileError(f"{path}: a picture of the whole window (--ui) has eight bits a colour, in .png or .tif.")
    text = text_of(scene, clock, size, supersample)
    picture = None if ui else TiledPicture(scene, clock, size, supersample, text, encoding)
    expected = say_expected(scene, size, supersample) if picture and executor is None else None
    if picture and len(picture.bands) > 1:
        if path == "-":
            picture.stream(standard_output(), executor=executor, progress=progress)
            return path
        return picture.save(path, executor=executor, restart=restart, progress=progress)

    cut_short: list[Report] = []

    def drawn() -> np.ndarray:
        if ui or executor is not None:
            return _rendered(scene, clock, size, supersample, encoding, ui, progress, executor)
        with jobs.drawing:
            made, is_cut_short = _picture(
                scene, clock, size, supersample, encoding, progress, keeps=True, expected=expected
            )
            pixels = made.pixels()
        cut_short.extend([made.report] * (is_cut_short and made.report.undecided > 0))
        return pixels

    try:
        write_picture(path, size, text, drawn, encoding)
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(str(stop) or f"Stopped: nothing was written{_kept(path)}.") from None
    if cut_short:
        raise StoppedPicture(f"Stopped: {path} shows what was known, the rest is hatched. {cut_short[0]}.")
    return path


def write_picture(
    path: str, size: tuple[int, int], text: dict[str, str], drawn: Callable[[], np.ndarray], encoding: Encoding = PLAIN
) -> str:
    """Writes one picture with its text to a file, or as PNG to standard output for `-`; returns the path.

    drawn   returns its pixels; called only once the file is known to be writable
    """
    if path == "-":
        encode(standard_output(), drawn(), text, encoding)
    else:
        with open_writer(path, size, 1.0, lambda _: text, encoding) as writer:
            writer.add(drawn())
    return path


def _kept(path):
    return f", and {path} is as it was" if path != "-" and os.path.exists(path) else ""


def record(
    scene: Scene,
    path: str | os.PathLike,
    *,
    seconds: float | None = None,
    fps: float | None = None,
    size: tuple[int, int] = SIZE,
    supersample: int = 4,
    start: float = 0.0,
    depth: int | None = None,
    quality: str = "good",
    progress: bool | None = None,
    executor: Executor | None = None,
) -> str:
    """Records a scene over time; returns the path.

    path          ending in .gif, .mp4, .webm, .mov or .apng, or in / for a folder of PNG files
    seconds       how long; None for exactly one loop of the scene, or 5 where it has none
    fps           frames a second; None for 30, or 25 for GIF
    start         seconds of the scene's time the first frame is for
    depth         bits of a colour: 8 or 10 of .mp4 and .webm, 10 of .mov, 8 or 16 of PNG files
    quality       of .mp4 and .webm: small, good, best, or a CRF as text
    progress      True or False for a bar on stderr; None for one where stderr is a terminal
    executor      of concurrent.futures, to spread the frames over; see docs/prints.md

    The time of every frame comes from its number, so the same call gives the same bytes: see
    engine.output.recorder.plan.
    """
    more: dict[str, Any] = {"fps": fps, "size": size, "supersample": supersample, "start": start, "executor": executor}
    more |= {"depth": depth, "quality": quality}
    within: list[Callable[[Progress], None]] = []
    recorder = recording(scene, path, seconds=seconds, heed=lambda found: [tell(found) for tell in within], **more)
    name = os.path.basename(recorder.path.rstrip("/")) or recorder.path
    # With an executor its workers draw, so this thread needs no lock.
    alone = jobs.drawing if executor is None else nullcontext()
    with alone, progress_bar(name, recorder.count, "frame", progress) as move:
        within.append(lambda found: move(recorder.frames_done, note=f"{found.stage} {found.share:.0%}"))
        recorder.run(move)
    if recorder.is_still:
        remark(f"all {recorder.count} frames are the same: nothing moves at these settings{_moving(scene)}.")
    return recorder.path


def recording(
    scene: Scene,
    path: str | os.PathLike,
    *,
    renderer: Renderer | None = None,
    seconds: float | None = None,
    fps: float | None = None,
    size: tuple[int, int] = SIZE,
    supersample: int = 4,
    start: float = 0.0,
    depth: int | None = None,
    quality: str = "good",
    executor: Executor | None = None,
    heed: Callable[[Progress], object] = lambda found: None,
) -> FilmRecorder:
    """The FilmRecorder that `record` runs; for a window, which calls its `step` between its frames.

    renderer   to draw with; None for the process's own
    heed       is called with the Progress of a frame that takes long
    """
    fps = writer_class(path).default_fps if fps is None else fps
    times, encoding = plan(seconds, fps, loop=scene.loop, start=start), encoding_of(path, depth, is_clear(scene))
    written: dict[str, Any] = {"encoding": encoding, "quality": quality}
    if ending(path) in BANDS and times.count > 1:
        raise FileError(
            f"{path} holds one picture, not {times.count}. End the path in / (a folder), .gif, .mp4 or .webm."
        )

    def clock(k: int) -> Clock:
        return Clock(times.time(k), times.step(k))

    def text(k: int) -> dict[str, str]:
        return text_of(scene, clock(k), size, supersample)

    if executor is not None:
        pictures = jobs.results(
            (jobs.picture_job(scene, clock(k), size, supersample, encoding=encoding) for k in range(times.count)),
            executor,
        )
        return FilmRecorder(path, lambda k: next(pictures), times, size=size, text=text, **written)
    drawing = renderer or jobs.renderer()

    def frame(k: int) -> Picture:
        shape(scene, size)
        scene.advance(clock(k))
        if k == 0 and renderer is None:
            say_expected(scene, size, supersample, times.count)
        # A scene is updated once for each moment.
        steps = drawing.steps(scene, clock(k), size, supersample, advances=False, encoding=encoding)
        while not isinstance(found := advanced(steps), Picture):
            heed(found)
        return found

    return FilmRecorder(path, frame, times, size=size, text=text, **written)


def clock_of(scene: Scene, time: float | None = None) -> Clock:
    """The Clock of a picture of a scene at a time; at the scene's own moment if that is None."""
    return Clock(float(scene.moment if time is None else time))


# Private helpers.


def _moving(scene: Scene) -> str:
    """The settings of time that the scene has."""
    names = [name for name, setting in settings(scene).items() if setting.group == "time"]
    return f" ({', '.join(f'{name}={getattr(scene, name)}' for name in names)})" if names else ""


def _spread(
    scene: Scene, clock: Clock, size: tuple[int, int], supersample: int, encoding: Encoding, executor: Executor
) -> np.ndarray:
    """render's picture, its bands made by an executor."""
    picture = TiledPicture(scene, clock, size, supersample, {}, encoding)
    width, height = picture.size
    opaque = 1.0 if encoding.linear else np.iinfo(encoding.dtype).max
    pixels = np.full((height, width, 4), opaque, encoding.dtype)
    parts = picture.drawn(picture.bands, executor, lambda *_: None)
    for (_, y, _, rows), part in zip(picture.bands, parts, strict=True):
        pixels[y : y + rows, :, : encoding.channels] = part
    return pixels


def _with_panel(scene: Scene, clock: Clock, size: tuple[int, int], supersample: int) -> np.ndarray:
    from engine.app.viewer import Viewer
    from engine.output.offscreen import make_canvas

    canvas = make_canvas(size)
    viewer = Viewer(scene, canvas, clock=clock, supersample=supersample)
    try:
        return viewer.still()
    finally:
        canvas.close()
