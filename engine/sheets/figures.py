"""Makes the figures a scene declares: each its own file, each whole or not at all."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

from engine.app import make as app
from engine.app.lookup import open_scene, report_user_errors
from engine.errors import FileError, NeurosceneError, SceneError, SettingError, near
from engine.formats.atomic import cannot_write
from engine.render.limits import SIZE_MAX
from engine.scene.figure import chosen, declared
from engine.scene.scene import Scene
from engine.scene.settings import assign
from engine.sheets.sheet import copied, made, planned

# Figures say their sizes for cells of this many pixels; another number scales them all alike.
CELL = 400
FILMS = ("mp4", "webm", "gif")


def figures(
    scene, folder, names=None, *, settings=None, cell=CELL, films="mp4", supersample=None, executor=None, progress=None
):
    """Makes figures of a scene as files in a folder; returns their paths.

    scene        a name, a scene file's path, a Scene class, or a Scene, whose settings lie under the figures' own
    folder       made if it is not there; files of other names in it stay as they are
    names        of figures, or their numbers; None for all
    settings     {name: value} laid over every figure's
    cell         pixels of a sheet's 400: everything is scaled alike
    films        mp4, webm or gif
    supersample  samples a pixel, in place of the figures' own
    executor     of concurrent.futures, to draw cells, frames and parts of large pictures at the same time
    progress     True or False for progress on stderr; None for it where stderr is a terminal

    A figure is `03-surface.png`, a film `20-growth.mp4`. Everything is checked before the first is drawn: raises
    SceneError for a scene without figures and for unknown names, SettingError for values that cannot be, FileError
    for a folder that cannot be written.
    """
    return list(
        making(
            scene, folder, names, settings=settings, cell=cell, films=films, supersample=supersample,
            executor=executor, progress=progress,
        )
    )  # fmt: skip


def making(
    scene, folder, names=None, *, settings=None, cell=CELL, films="mp4", supersample=None, executor=None, progress=None
):
    """`figures` as an iterator that gives each path when its file is there."""
    base = _opened(scene)
    with report_user_errors(base):
        picked = chosen(declared(type(base)), names or (), type(base).__name__)
    if films not in FILMS:
        raise SettingError(f"films={films}: " + near(films, FILMS, noun="format for films here"))
    if isinstance(cell, bool) or not isinstance(cell, int) or not 1 <= cell <= SIZE_MAX:
        raise SettingError(f"cell={cell}: it takes a whole number of pixels from 1 to {SIZE_MAX}.")
    work = []
    for figure in picked:
        with _named(figure), report_user_errors(base):
            work.append(prepared(base, figure, settings or {}, cell / CELL, supersample, films))
    folder = _ready(folder)
    for number, (figure, file, make) in enumerate(work):
        path = os.path.join(folder, file)
        if sys.stderr.isatty() if progress is None else progress:
            print(f"neuroscene: {number + 1} of {len(work)}: {file}, {figure.doc}", file=sys.stderr)
        with _named(figure), report_user_errors(base):
            make(path, executor, progress)
        yield path


def file_name(figure, films="mp4"):
    """`03-surface.png`."""
    return f"{figure.number:02}-{figure.name}.{films if figure.kind == 'film' else 'png'}"


def _opened(scene):
    if isinstance(scene, Scene):
        return copied(scene)
    if isinstance(scene, type) and issubclass(scene, Scene):
        return scene()
    return open_scene(scene)[0]


def prepared(base, figure, over, scale, supersample, films):
    """(figure, file, make): all that can be checked before drawing has been; make(path, executor, progress) draws."""
    scene = copied(base)
    for name, value in (*figure.settings.items(), *over.items()):
        assign(scene, name, value)
    size = tuple(max(1, round(side * scale)) for side in figure.size)
    if max(size) > SIZE_MAX:
        raise SettingError(f"it would be {size[0]}x{size[1]} pixels; each side may be up to {SIZE_MAX}. Scale it less.")
    samples = supersample or figure.supersample
    if figure.kind == "sheet":
        plan = planned(
            scene, columns=figure.columns, rows=figure.rows, wrap=figure.wrap, cell=size, title=figure.title,
            supersample=samples, time=figure.time,
        )  # fmt: skip

        def make(path, executor, progress):
            made(plan, path, executor=executor, progress=progress)
    elif figure.kind == "film":
        if figure.loop and not scene.loop:
            raise SceneError("it is a loop, but its scene does not repeat by itself. Give it seconds.")

        def make(path, executor, progress):
            app.record(
                scene, path, seconds=figure.seconds, fps=figure.fps, size=size, supersample=samples,
                start=figure.time or 0.0, progress=progress, executor=executor,
            )  # fmt: skip
    else:

        def make(path, executor, progress):
            app.save(scene, path, size, time=figure.time, supersample=samples, executor=executor, progress=progress)

    return figure, file_name(figure, films), make


@contextmanager
def _named(figure):
    """Mistakes inside say which figure they are of."""
    try:
        yield
    except NeurosceneError as error:
        raise type(error)(f"figure {figure.number}, {figure.name}: {error}") from error


def _ready(folder):
    """The folder's path; it is made if it is not there."""
    folder = os.fspath(folder)
    if not folder or "\0" in folder:
        raise FileError(f"{folder!r} is no folder. Give the path of the folder that the figures go to.")
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise FileError(f"{folder} is a file; the figures go to a folder. Give another path.")
    try:
        Path(folder).mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    return folder
