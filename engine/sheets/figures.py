"""Makes the figures that a scene declares, each as a file that appears whole or not at all."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from engine.app.jobs import note
from engine.app.lookup import open_scene, report_user_errors
from engine.app.make import record, save
from engine.errors import FileError, NeurosceneError, SceneError, SettingError, near
from engine.formats.atomic import cannot_write
from engine.output.progress import is_shown, say
from engine.render.limits import SIZE_MAX
from engine.scene.figure import Figure, chosen, declared
from engine.scene.scene import Scene
from engine.scene.settings import assign
from engine.sheets.sheet import copied, planned
from engine.sheets.sheet import made as sheet_made

# Figures state their sizes for cells of this many pixels; with another `cell` all sizes are scaled by the ratio.
CELL = 400
FILMS = ("mp4", "webm", "gif")


def figures(
    scene: str | Scene | type[Scene],
    folder: str | os.PathLike,
    names: Iterable[str | int] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    cell: int = CELL,
    films: str = "mp4",
    supersample: int | None = None,
    executor: Executor | None = None,
    progress: bool | None = None,
    made: Callable[[str], object] = lambda path: None,
) -> list[str]:
    """Makes figures of a scene as files in a folder; returns their paths.

    scene        a name, a scene file's path, a Scene class, or a Scene, whose settings are used where a figure has none
    folder       made if it does not exist; files of other names in it are not touched
    names        of figures, or their numbers; None for all
    settings     {name: value} that replace those of every figure
    cell         pixels of a sheet's cell that is 400 in the figures; everything is scaled by cell / 400
    films        format of films: mp4, webm or gif
    supersample  samples a pixel, instead of the figures' own
    executor     of concurrent.futures, to draw cells, frames and parts of large pictures at the same time
    progress     True or False for progress on stderr; None for it where stderr is a terminal
    made         called with each path when its file is finished

    Files are named `03-surface.png`, films `20-growth.mp4`. Everything is checked before the first is drawn: raises
    SceneError for a scene without figures and for unknown names, SettingError for wrong values, FileError for a folder
    that cannot be written.
    """
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
            scene, make = prepared(base, figure, settings or {}, cell / CELL, supersample)
            work.append((figure, scene, make))
    folder, paths = _ready(folder), []
    for number, (figure, scene, make) in enumerate(work):
        file = file_name(figure, films)
        if is_shown(progress):
            say(f"{number + 1} of {len(work)}: {file}, {figure.doc}")
        paths.append(os.path.join(folder, file))
        with _named(figure), report_user_errors(base):
            make(paths[-1], executor=executor, progress=progress)
            if figure.kind != "sheet":
                note(scene, f"figure {figure.name}")
        made(paths[-1])
    return paths


def file_name(figure: Figure, films: str = "mp4") -> str:
    """The name of a figure's file: `03-surface.png`."""
    return f"{figure.number:02}-{figure.name}.{films if figure.kind == 'film' else 'png'}"


def _opened(scene: str | Scene | type[Scene]) -> Scene:
    if isinstance(scene, Scene):
        return copied(scene)
    if isinstance(scene, type) and issubclass(scene, Scene):
        return scene()
    return open_scene(scene)[0]


def prepared(
    base: Scene, figure: Figure, over: Mapping[str, Any], scale: float, supersample: int | None
) -> tuple[Scene, Callable[..., object]]:
    """Checks the figure, and returns its scene and a function make(path, executor=, progress=) that draws it."""
    scene = copied(base)
    for name, value in (*figure.settings.items(), *over.items()):
        assign(scene, name, value)
    width, height = (max(1, round(side * scale)) for side in figure.size)
    if max(width, height) > SIZE_MAX:
        raise SettingError(f"it would be {width}x{height} pixels; each side may be up to {SIZE_MAX}. Scale it less.")
    size, samples = (width, height), supersample or figure.supersample
    if figure.kind == "sheet":
        plan = planned(
            scene,
            columns=figure.columns,
            rows=figure.rows,
            wrap=figure.wrap,
            cell=size,
            title=figure.title,
            supersample=samples,
            time=figure.time,
        )
        return scene, partial(sheet_made, plan)
    if figure.kind == "picture":
        return scene, partial(save, scene, size=size, time=figure.time, supersample=samples)
    if figure.loop and not scene.loop:
        raise SceneError("it is a loop, but its scene has none. Give it seconds.")
    start = figure.time or 0.0
    more: dict[str, Any] = {
        "seconds": figure.seconds,
        "fps": figure.fps,
        "size": size,
        "supersample": samples,
        "start": start,
    }
    return scene, partial(record, scene, **more)


@contextmanager
def _named(figure: Figure) -> Iterator[None]:
    """Errors raised inside the block name the figure."""
    try:
        yield
    except NeurosceneError as error:
        raise type(error)(f"figure {figure.number}, {figure.name}: {error}") from error


def _ready(folder: str | os.PathLike) -> str:
    """The folder's path; the folder is made if it does not exist."""
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
