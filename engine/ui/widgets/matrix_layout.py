"""A network's weights as tables: which weight stands in which cell, what the rows and columns are called."""

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
    parts      (layer, first column, columns, transposed) blocks from left to right
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    parts: tuple[tuple[int, int, int, bool], ...]

    def cell(self, row: int, column: int) -> tuple[int, int, int] | None:
        """(layer, row, column) of the weight shown there; column -1 is the bias; None for an empty cell."""
        for layer, first, count, transposed in self.parts:
            if first <= column < first + count:
                if transposed:
                    return layer, column - first, (row if row < len(self.rows) - self.has_output_bias else -1)
                if self.has_output_bias and row == len(self.rows) - 1:
                    return None
                # The last column of a layer is its bias.
                return layer, row, (column - first if column - first < count - 1 else -1)
        return None

    @property
    def has_output_bias(self) -> bool:
        return bool(self.rows) and self.rows[-1] == "1"


def pages(net: Mlp) -> tuple[Page, ...]:
    """The Pages of a network: one table for one hidden layer and one output, else one a layer."""
    names = input_names(net.inputs)
    if len(net.layers) == 2 and net.outputs == 1:
        hidden = len(net.layers[0].bias)
        rows = tuple(f"h{i + 1}" for i in range(hidden))
        if net.layers[1].bias[0] != 0.0:
            rows = (*rows, "1")
        columns = (*names, "1", "output")
        return (Page("all", rows, columns, ((0, 0, len(names) + 1, False), (1, len(names) + 1, 1, True))),)
    made = []
    for number, layer in enumerate(net.layers):
        last = number == len(net.layers) - 1
        rows = tuple(f"{'out' if last else 'h'}{i + 1}" for i in range(len(layer.bias)))
        if last and len(rows) == 1:
            rows = ("out",)
        made.append(
            Page("out" if last else str(number + 1), rows, (*names, "1"), ((number, 0, len(names) + 1, False),))
        )
        names = rows
    return tuple(made)


def input_names(count: int) -> tuple[str, ...]:
    return AXES[:count] if count <= len(AXES) else tuple(f"x{i + 1}" for i in range(count))


def nudged(value: float, change: float, free: bool = False) -> float:
    """A weight changed by so much.

    free   else it stays within [-1, 1], or no farther outside than it was
    """
    if free:
        return value + change
    return min(max(value + change, min(-1.0, value)), max(1.0, value))


def visible(offset: float, view: float, cell: float, count: int) -> range:
    """range of the cells of a row that can be seen.

    offset   pixels scrolled away
    view     pixels seen
    """
    first = max(0, math.floor(offset / cell))
    return range(min(first, count), min(count, math.ceil((offset + view) / cell)))


def radius(value: float, cell: float) -> float:
    """A circle's radius in a cell: its area is the weight's size, full at 1."""
    most = cell * 0.43
    return max(most * math.sqrt(min(abs(value), 1.0)), min(1.5, most))


def classic_colour(value: float) -> str:
    """The original's colour of a weight: red at +1, blue at -1."""
    v = round(50.0 * (min(max(value, -1.0), 1.0) + 1.0))
    return f"#{50 + v:02x}32{150 - v:02x}"
