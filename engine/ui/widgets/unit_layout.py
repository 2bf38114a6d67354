"""The geometry of units' buttons, and which units are shown after a press."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

# Pixels: a button's height, its least width in a grid, and the gap between two.
ROW, CELL, GAP = 19.0, 15.5, 2.0
# The height in pixels of buttons in a grid.
LOW = 17.0
# The most layers that stand side by side as columns, and the most units each may then have.
COLUMNS, DEEPEST = 4, 16
# Heights of a layer's title, with its two buttons beside it, and below it.
TITLE, TITLE_TWO = 24.0, 42.0
# Pixels between two layers.
APART = 8.0


Place = tuple[int, int]  # (layer, unit), from 0
Shown = tuple[tuple[bool, ...], ...]  # a bool a unit, for each layer


@dataclass(frozen=True)
class UnitLayout:
    """The places of all buttons, from their area's top left corner.

    height    of the whole area
    columns   True where layers stand beside each other
    titles    (x, y, width) a layer
    cells     {(layer, unit): (x, y, width, height)}
    """

    height: float
    columns: bool
    titles: tuple[tuple[float, float, float], ...]
    cells: dict[Place, tuple[float, float, float, float]]


def laid(counts: Sequence[int], width: float) -> UnitLayout:
    """The UnitLayout of layers, given their numbers of units: side by side if those are few, else in grids."""
    titles: list[tuple[float, float, float]] = []
    cells: dict[Place, tuple[float, float, float, float]] = {}
    # A single layer is a grid: its one column would be a pile of very wide buttons.
    if 1 < len(counts) <= COLUMNS and max(counts) <= DEEPEST:
        each = (width - APART * (len(counts) - 1)) / len(counts)
        for layer, count in enumerate(counts):
            x = layer * (each + APART)
            titles.append((x, 0.0, each))
            for unit in range(count):
                cells[layer, unit] = (x, TITLE_TWO + unit * (ROW + GAP), each, ROW)
        return UnitLayout(TITLE_TWO + max(counts) * (ROW + GAP), True, tuple(titles), cells)
    # Numbers of three digits need wider buttons.
    least, most = (CELL, 16) if max(counts, default=0) < 100 else (23.0, 12)
    across = max(1, min(int((width + GAP) // (least + GAP)), most))
    cell, y = (width - GAP * (across - 1)) / across, 0.0
    for layer, count in enumerate(counts):
        titles.append((0.0, y, width))
        for unit in range(count):
            row, column = divmod(unit, across)
            cells[layer, unit] = (column * (cell + GAP), y + TITLE + row * (LOW + GAP), cell, LOW)
        y += TITLE + -(-count // across) * (LOW + GAP) + APART
    return UnitLayout(max(y - APART, 0.0), False, tuple(titles), cells)


def numbered(layout: UnitLayout, units: Sequence[Sequence[int]]) -> UnitLayout:
    """The layout with its cells under other numbers: those of each layer's units."""
    cells = {(layer, units[layer][k]): area for (layer, k), area in layout.cells.items()}
    return replace(layout, cells=cells)


def toggled(shown: Shown, place: Place) -> Shown:
    """The Shown in which one unit is toggled."""
    return put(shown, [place], not shown[place[0]][place[1]])


def put(shown: Shown, places: Iterable[Place], value: bool) -> Shown:
    """The Shown in which the units at some places have this value."""
    made = [list(layer) for layer in shown]
    for layer, unit in places:
        made[layer][unit] = value
    return tuple(map(tuple, made))


def alone(shown: Shown, place: Place) -> Shown:
    """The Shown of one unit alone; of all units, if that one was already alone."""
    single = tuple(tuple((a, b) == place for b in range(len(layer))) for a, layer in enumerate(shown))
    return every(shown, True) if shown == single else single


def every(shown: Shown, value: bool, layer: int | None = None) -> Shown:
    """The Shown in which all units, or all of one layer, have this value."""
    return tuple(tuple(value for _ in units) if layer in (None, k) else units for k, units in enumerate(shown))
