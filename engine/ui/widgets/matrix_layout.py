"""A network's weights as tables: which weight stands in which cell, and the names of rows and columns."""

import math
from dataclasses import dataclass

from engine.network.mlp import Mlp

AXES = ("x", "y", "z", "w")
# What one notch of the wheel adds, as in the original.
NOTCH = 0.15
# Pixels of a vertical drag that add 1.
DRAG = 120.0


@dataclass(frozen=True)
class Page:
    """One table.

    title      `1`, `2`, `out`, or `all`
    rows       their names
    columns    their names
    layer      the number of the layer that it holds; None for both layers of a small network
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    layer: int | None

    def cell(self, row: int, column: int) -> tuple[int, int, int] | None:
        """(layer, row, column) of the weight shown there; column -1 is the bias; None for an empty cell."""
        # The last column of a layer is its bias.
        inputs = len(self.columns) - (1 if self.layer is not None else 2)
        is_bias_row = self.layer is None and self.rows[row] == "1"
        if column > inputs:
            return 1, 0, (-1 if is_bias_row else row)
        return None if is_bias_row else (self.layer or 0, row, (column if column < inputs else -1))

    def name(self, cell: tuple[int, int, int]) -> str:
        """A weight's place in words, as `h3, y`; nothing for one of another table."""
        layer, row, column = cell
        if self.layer is None:
            row, column = (column, -1) if layer == 1 else (row, column if column >= 0 else -2)
        elif self.layer != layer:
            return ""
        return f"{self.rows[row]}, {self.columns[column]}"


def pages(net: Mlp) -> tuple[Page, ...]:
    """The Pages of a network: one table for one hidden layer and one output, else one a layer."""
    names = AXES[: net.inputs] if net.inputs <= len(AXES) else tuple(f"x{i + 1}" for i in range(net.inputs))
    if len(net.layers) == 2 and net.outputs == 1:
        rows = tuple(f"h{i + 1}" for i in range(len(net.layers[0].bias)))
        rows += ("1",) if net.layers[1].bias[0] != 0.0 else ()
        return (Page("all", rows, (*names, "1", "output"), None),)
    made = []
    for number, layer in enumerate(net.layers):
        last, count = number == len(net.layers) - 1, len(layer.bias)
        rows = tuple(f"{'out' if last else 'h'}{i + 1}" for i in range(count)) if count > 1 or not last else ("out",)
        made.append(Page("out" if last else str(number + 1), rows, (*names, "1"), number))
        names = rows
    return tuple(made)


def nudged(value: float, change: float, free: bool = False) -> float:
    """A weight, changed by `change`.

    free   False: the result stays within [-1, 1], or no farther outside than the value was
    """
    if free:
        return value + change
    return min(max(value + change, min(-1.0, value)), max(1.0, value))


def visible(offset: float, view: float, cell: float, count: int) -> range:
    """The range of the cells of a row that are visible.

    offset   pixels scrolled away
    view     pixels visible
    """
    first = max(0, math.floor(offset / cell))
    return range(min(first, count), min(count, math.ceil((offset + view) / cell)))


def radius(value: float, cell: float) -> float:
    """A circle's radius in a cell: its area is proportional to |weight|, up to 1, where it fills the cell."""
    most = cell * 0.43
    return max(most * math.sqrt(min(abs(value), 1.0)), min(1.5, most))


def classic_colour(value: float) -> str:
    """The original's colour of a weight: red at +1, blue at -1."""
    v = round(50.0 * (min(max(value, -1.0), 1.0) + 1.0))
    return f"#{50 + v:02x}32{150 - v:02x}"
