"""What was done to a network's weights, to be undone and done again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.network.mlp import Mlp

# Steps that can be undone; the oldest are forgotten.
DEPTH = 1000
Cell = tuple[int, int, int]  # layer, row, column; column -1 is the bias


@dataclass(frozen=True)
class Change:
    """One weight from a value to another, or with cell None one network for another; `stroke` as `edit` takes it."""

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
    """The steps between the network as it came and as it is now.

    net    now
    base   as it came: loaded or randomized

    One drag, or one series of wheel notches over a weight, is one step: edits with the same stroke become one.
    """

    def __init__(self, net: Mlp):
        self._begin(net)

    def _begin(self, net: Mlp) -> None:
        self.net = self.base = net
        self._done: list[Change] = []
        self._undone: list[Change] = []

    def follow(self, net: Mlp) -> bool:
        """Begins again if this is a network that did not come from here; returns True if so."""
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
        """True if the network differs from the one that came."""
        return self.net is not self.base and not self.net.equals(self.base)

    def edit(self, layer: int, row: int, column: int, value: float, *, stroke: object = None) -> Mlp:
        """Changes one weight; returns the network.

        stroke   anything but None: edits of one weight with an equal stroke, one after another, are one step
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
        """Back to the network as it came; itself a step that can be undone. Returns the network."""
        return self._add(self.base, Change(None, self.net, self.base)) if self.is_changed else self.net

    def undo(self) -> Mlp:
        """One step back; returns the network."""
        if self._done:
            self._undone.append(step := self._done.pop())
            self.net = step.apply(self.net, step.before)
        return self.net

    def redo(self) -> Mlp:
        """One undone step on; returns the network."""
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
