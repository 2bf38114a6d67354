"""Sheets: pictures of one scene side by side, one or two of its settings varied along columns and rows."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.app import make, picture_state
from engine.app.expected import say_expected
from engine.app.jobs import note, picture_job, results
from engine.draw.words.key import KeyRow
from engine.draw.words.legend import Legend
from engine.errors import FileError, SettingError
from engine.kernels.search.progress import Progress
from engine.output.progress import progress_bar
from engine.output.writers.formats import ending
from engine.render import limits
from engine.render.shot import shape
from engine.scene.figure import Step
from engine.scene.scene import Scene
from engine.scene.settings import is_data, settings
from engine.scene.view_data import Clock
from engine.sheets import recipe
from engine.sheets.axis import MOST_CELLS, Axis, axis
from engine.sheets.layout import SheetLayout, drawn, lay_out
from engine.sheets.shared import NOTHING, Beside, lay, shared_legend, shared_rows, sprites, widened

CELL = (400, 400)
# Cells whose remarks are noted: some are measured, which may take longer than the cell.
MOST_NOTED = 8


def sheet(
    scene: Scene,
    path: str | os.PathLike | None = None,
    *,
    columns: Any,
    rows: Any = (),
    wrap: int | None = None,
    cell: tuple[int, int] = CELL,
    title: str = "",
    own: bool = False,
    supersample: int = 4,
    time: float | None = None,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> np.ndarray | str:
    """Pictures of a scene side by side, labelled.

    path         None to return an array; a .png, which stores how it was made; `-` for standard output
    columns      {setting: values}, `depth=1..10` (see engine.sheets.axis), or a tuple of engine.Step
    rows         the same
    wrap         cells in a row, each labelled above; only without `rows`
    cell         (width, height) in pixels, exactly
    title        one line over the sheet
    own          True: each cell has a legend, a range of colours and a key of its own, as `render` gives it
    supersample  samples a pixel: 1, 4, 9 or 16
    time         seconds, unless columns or rows vary it; None for each scene's own moment
    executor     of concurrent.futures, to draw cells at the same time; None draws them here, one by one
    progress     True or False for a bar on stderr; None for one where stderr is a terminal
    returns      (H, W, 4) uint8, row 0 on top; or the path

    Each cell is the picture that `render` gives. Where all cells have legends of the same colours, they have one range
    of values, whose legend stands beside them; so does one key of lines, where all have one and it says the same of
    the same words. The scene is not changed, and the bytes are the same with any executor. Everything is checked before
    the first cell is drawn: raises SettingError for wrong settings and values and for sheets that do not fit into
    memory, FileError for a path that cannot be written.
    """
    plan = planned(
        scene, columns=columns, rows=rows, wrap=wrap, cell=cell, title=title, own=own, supersample=supersample,
        time=time,
    )  # fmt: skip
    return made(plan, path, executor=executor, progress=progress)


@dataclass(frozen=True)
class SheetPlan:
    """A sheet that is ready to be drawn: everything in it has been checked.

    scene    a copy of the Scene, unchanged, to which each cell applies its column's and row's settings
    time     seconds; None where each cell shows its scene's own moment
    own      True if each cell has its own legend, range of colours and key
    shared   what all cells share, once it is known
    """

    scene: Scene
    time: float | None
    columns: Axis
    rows: Axis | None
    wrap: int | None
    title: str
    supersample: int
    layout: SheetLayout
    own: bool = False
    shared: Beside = NOTHING

    def steps(self, number: int) -> tuple[Step, ...]:
        """The Steps of a cell, in the order in which they are applied to the scene."""
        if self.rows is None:
            return (self.columns.steps[number],)
        row, column = divmod(number, len(self.columns.steps))
        return self.columns.steps[column], self.rows.steps[row]

    def moment(self, number: int) -> tuple[Scene, Clock]:
        """(scene, clock) of a cell; the scene is new and not built yet."""
        scene, time = copied(self.scene), self.time
        for step in self.steps(number):
            for name, value in step.settings.items():
                setattr(scene, name, value)
            time = time if step.time is None else step.time
        scene.shared, scene.key_outside = self.shared.span, bool(self.shared.rows)
        return scene, make.clock_of(scene, time)


def planned(
    scene: Scene,
    *,
    columns: Any,
    rows: Any = (),
    wrap: int | None = None,
    cell: tuple[int, int] = CELL,
    title: str = "",
    own: bool = False,
    supersample: int = 4,
    time: float | None = None,
    option: str = "",
) -> SheetPlan:
    """The plan of a sheet; arguments and errors are those of `sheet`.

    option   the name of the option for columns and rows, for messages: `--vary`
    """
    scene = copied(scene)
    columns, rows = axis(scene, columns, option), axis(scene, rows, option)
    if columns is None or not columns.steps:
        raise SettingError("A sheet needs columns: a setting and its values, as in depth=1..10.")
    rows = rows if rows is not None and rows.steps else None
    count = len(columns.steps) * (len(rows.steps) if rows else 1)
    if count > MOST_CELLS:
        sides = f"{len(columns.steps)} columns and {len(rows.steps)} rows"
        raise SettingError(f"{sides} are {count} cells; a sheet has up to {MOST_CELLS}.")
    if rows:
        _apart(columns, rows)
    if wrap is not None and (rows or isinstance(wrap, bool) or not isinstance(wrap, int) or wrap < 1):
        raise SettingError(
            "wrap lays out the columns of a sheet that has no rows." if rows else
            f"wrap={wrap}: it takes a whole number from 1 on, of cells in a row."
        )  # fmt: skip
    cell, title = _sides(cell), _one_line(title)
    layout = lay_out(cell, _labels(columns), rows and _labels(rows), wrap=wrap, title=title)
    _fits_memory(layout, count)
    return SheetPlan(scene, None if time is None else float(time), columns, rows, wrap, title, supersample, layout, own)


def made(
    plan: SheetPlan,
    path: str | os.PathLike | None = None,
    *,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> np.ndarray | str:
    """Draws a sheet; returns its pixels, or its path if one is given."""
    if path is not None:
        path = os.fspath(path)
        if path != "-" and ending(path) != ".png":
            raise FileError(f"{path}: a sheet is saved as .png. Films are recorded, and folders of pictures too.")
    plan = _sharing(plan)
    if path is None:
        return _pixels(plan, executor, progress, "sheet")
    if executor is None:
        scene, clock = plan.moment(0)
        shape(scene, plan.layout.cell)
        scene.advance(clock)
        say_expected(scene, plan.layout.cell, plan.supersample, len(plan.layout.places))
    name = "sheet" if path == "-" else os.path.basename(path)
    text = picture_state.text(recipe.stored(plan))
    return make.write_picture(path, plan.layout.size, text, lambda: _pixels(plan, executor, progress, name))


# Cells.


def _sharing(plan: SheetPlan) -> SheetPlan:
    """The plan with what its cells share, if they do, and room for it."""
    if plan.own:
        return plan
    scene, theme, numbers = copied(plan.scene), _theme(plan.scene), range(len(plan.layout.places))

    def rows(number: int) -> tuple[KeyRow, ...]:
        match(scene, plan.moment(number)[0])
        return scene.key_rows() if _theme(scene) == theme else ()

    def legend(number: int) -> tuple[Legend | None, bool]:
        wanted, clock = plan.moment(number)
        match(scene, wanted)
        if _theme(scene) != theme:
            return None, False
        shape(scene, plan.layout.cell)
        scene.advance(clock)
        return scene.legend(), scene.shares

    # Scenes that have none are not asked: a cell's settings may take long to apply.
    has_legend, has_key = type(scene).legend is not Scene.legend, type(scene).key_rows is not Scene.key_rows
    shared = Beside(
        shared_legend(map(legend, numbers)) if has_legend else None, shared_rows(map(rows, numbers)) if has_key else ()
    )
    return replace(plan, shared=shared, layout=widened(plan.layout, shared, theme)) if shared else plan


def _theme(scene: Scene) -> str:
    return scene.drawn_theme or scene.theme


def _pixels(plan: SheetPlan, executor: Executor | None, progress: bool | None, name: str) -> np.ndarray:
    theme = _theme(plan.scene)
    page = drawn(plan.layout, theme)
    if plan.shared:
        lay(page, sprites(plan.shared, plan.layout, theme))
    places, (width, height) = plan.layout.places, plan.layout.cell
    done = 0
    with progress_bar(name, len(places), "cell", progress, leave=False) as move:
        tell = lambda found: move(done, note=f"cell {done + 1}: {found.share:.0%} ({found.stage})")
        try:
            for (x, y), cell in zip(places, _cells(plan, executor, tell), strict=True):
                page[y : y + height, x : x + width, :3] = cell[:, :, :3]
                done += 1
                move(done)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Stopped after {done} of {len(places)} cells of {name}: nothing was saved."
            ) from None
    return page


def _cells(
    plan: SheetPlan, executor: Executor | None, tell: Callable[[Progress], None] | None = None
) -> Iterator[np.ndarray]:
    """The pixels of each cell, in order; `tell` is called with the Progress of one that this process draws."""
    numbers, size = range(len(plan.layout.places)), plan.layout.cell
    if executor is not None:
        moments = map(plan.moment, numbers)
        yield from results((picture_job(scene, clock, size, plan.supersample) for scene, clock in moments), executor)
        return
    # One scene draws all cells, so that what a cell has in common with the one before is not built again.
    shown = copied(plan.scene)
    for number in numbers:
        wanted, clock = plan.moment(number)
        match(shown, wanted)
        yield make.drawn_opaque(shown, clock, size, plan.supersample, tell)
        if number < MOST_NOTED:
            note(shown, ", ".join(filter(None, (step.label for step in plan.steps(number)))))


def copied(scene: Scene) -> Scene:
    """A new scene of the same class with the same settings and camera, not built yet."""
    other = type(scene)()
    match(other, scene)
    return other


def _differ(kind: Any, value: Any, other: Any) -> bool:
    # Networks, histories and images are compared by identity, since comparing their numbers could take long.
    return value is not other if is_data(kind) else value != other


def match(scene: Scene, wanted: Scene) -> None:
    """Gives a scene the settings and the camera of another; sets only those that differ."""
    names = settings(scene)
    # Setting one may change others that depend on it; those are set in the next round.
    for _ in range(len(names)):
        different = [name for name, kind in names.items() if _differ(kind, getattr(scene, name), getattr(wanted, name))]
        if not different:
            break
        for name in different:
            setattr(scene, name, getattr(wanted, name))
    if scene.camera != wanted.camera:
        scene.camera = wanted.camera
    scene.shared, scene.key_outside = wanted.shared, wanted.key_outside


# Checks.


def _apart(columns: Axis, rows: Axis) -> None:
    """Raises SettingError when a row would undo what a column does."""

    def varied(side: Axis) -> set[str]:
        names = {name for step in side.steps for name in step.settings}
        return names | {"time" for step in side.steps if step.time is not None}

    both = varied(columns) & varied(rows)
    if both:
        raise SettingError(f"Columns and rows both vary {', '.join(sorted(both))}. Vary another setting in the rows.")


def _labels(side: Axis) -> tuple[str, list[str]]:
    return _one_line(side.title), [_one_line(step.label) for step in side.steps]


def _one_line(words: object) -> str:
    return " ".join(str(words).split())


def _sides(cell: Any) -> tuple[int, int]:
    try:
        width, height = (int(n) for n in cell)
    except (TypeError, ValueError):
        width = height = 0
    if not 1 <= min(width, height) <= max(width, height) <= limits.SIZE_MAX:
        raise SettingError(f"cell={cell}: it takes (width, height) in pixels, each from 1 to {limits.SIZE_MAX}.")
    return width, height


def _fits_memory(layout: SheetLayout, count: int) -> None:
    width, height = layout.size
    memory, needed = limits.memory_bytes(), width * height * limits.BYTES_A_PIXEL
    if needed > memory:
        side = int(layout.cell[0] * (memory / needed) ** 0.5)
        raise SettingError(
            f"{count} cells of {layout.cell[0]}x{layout.cell[1]} make a sheet of {width}x{height} pixels, which takes "
            f"{needed / 1e9:.1f} GB of memory, and this machine has {memory / 1e9:.1f}. Cells {side} wide fit."
        )
