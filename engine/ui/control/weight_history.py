"""Changes of a network's weights, with undo and redo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.network.mlp import Mlp

# Steps that can be undone; the oldest are forgotten.
DEPTH = 1000
Cell = tuple[int, int, int]  # layer, row, column; column -1 is the bias


@dataclass(frozen=True)
class Change:
    """A change of one weight's value, or with cell None of the whole network; `stroke` as in `edit`."""

    cell: Cell | None
    before: Any
    after: Any
    stroke: object = None

    def apply(self, net: Mlp, value: Any) -> Mlp:
        """The network with the change's `before` or `after`."""
        return value if self.cell is None else net.edited(*self.cell, value)


def weight(net: Mlp, layer: int, row: int, column: int) -> float:
    """One weight of a network; column -1 is the bias."""
    parts = net.layers[layer]
    return float(parts.bias[row] if column == -1 else parts.weights[row, column])


class WeightHistory:
    """The changes between the network that the scene gave and the present one.

    net    the present network
    base   the network before all changes: loaded or randomized

    Edits with the same stroke become one change: a whole drag, or a series of wheel notches over one weight.
    """

    def __init__(self, net: Mlp):
        self._begin(net)

    def _begin(self, net: Mlp) -> None:
        self.net = self.base = net
        self._done: list[Change] = []
        self._undone: list[Change] = []

    def follow(self, net: Mlp) -> bool:
        """Begins a new history if the network is not one that this history made; returns True if so."""
        if net is self.net or net.equals(self.net):
            return False
        self._begin(net)
        return True

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def is_changed(self) -> bool:
        """True if the network differs from `base`."""
        return self.net is not self.base and not self.net.equals(self.base)

    def edit(self, layer: int, row: int, column: int, value: float, *, stroke: object = None) -> Mlp:
        """Changes one weight; returns the network.

        stroke   consecutive edits of one weight with an equal stroke, other than None, are one change
        """
        cell = layer, row, column
        before, net = weight(self.net, *cell), self.net.edited(*cell, value)
        after = weight(net, *cell)
        if after == before:
            return self.net
        last = self._done[-1] if self._done else None
        if last is not None and stroke is not None and (last.cell, last.stroke) == (cell, stroke):
            before = self._done.pop().before
        return self._add(net, Change(cell, before, after, stroke))

    def reset(self) -> Mlp:
        """Goes back to `base`, as a change that can be undone; returns the network."""
        return self._add(self.base, Change(None, self.net, self.base)) if self.is_changed else self.net

    def undo(self) -> Mlp:
        """Undoes one change; returns the network."""
        if self._done:
            self._undone.append(step := self._done.pop())
            self.net = step.apply(self.net, step.before)
        return self.net

    def redo(self) -> Mlp:
        """Redoes one change that was undone; returns the network."""
        if self._undone:
            self._done.append(step := self._undone.pop())
            self.net = step.apply(self.net, step.after)
        return self.net

    def _add(self, net: Mlp, step: Change) -> Mlp:
        self.net = net
        self._undone.clear()
        self._done.append(step)
        del self._done[:-DEPTH]
        return net
