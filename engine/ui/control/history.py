"""What was done to a network's weights, to be undone and done again."""

from dataclasses import dataclass

# Steps kept; the oldest are forgotten.
DEPTH = 1000


@dataclass(frozen=True)
class Edit:
    """One weight from a value to another; column -1 is the bias."""

    layer: int
    row: int
    column: int
    before: float
    after: float
    stroke: object = None

    def forward(self, net):
        return net.edited(self.layer, self.row, self.column, self.after)

    def backward(self, net):
        return net.edited(self.layer, self.row, self.column, self.before)


@dataclass(frozen=True)
class Replace:
    """One network for another."""

    before: object
    after: object

    def forward(self, net):
        return self.after

    def backward(self, net):
        return self.before


def weight(net, layer, row, column):
    """One weight of a network; column -1 is the bias."""
    held = net.layers[layer]
    return float(held.bias[row] if column == -1 else held.weights[row, column])


class History:
    """The steps between the network as it came and as it is now.

    net    now
    base   as it came: loaded or randomized

    One drag, or one turn of the wheel over a weight, is one step: edits with the same stroke become one.
    """

    def __init__(self, net):
        self.follow(net)

    def follow(self, net):
        """Begins again if this is a network that did not come from here; returns True if so."""
        if getattr(self, "net", None) is net or (net is not None and net.equals(self.__dict__.get("net"))):
            return False
        self.net = self.base = net
        self._done, self._undone = [], []
        return True

    @property
    def can_undo(self):
        return bool(self._done)

    @property
    def can_redo(self):
        return bool(self._undone)

    @property
    def is_changed(self):
        """True if the network differs from the one that came."""
        return self.net is not self.base and not self.net.equals(self.base)

    def edit(self, layer, row, column, value, *, stroke=None):
        """Changes one weight; returns the network.

        stroke   anything but None: edits of one weight with an equal stroke, one after another, are one step
        """
        before = weight(self.net, layer, row, column)
        net = self.net.edited(layer, row, column, value)
        after = weight(net, layer, row, column)
        if after == before:
            return self.net
        last = self._done[-1] if self._done else None
        same = isinstance(last, Edit) and stroke is not None and last.stroke == stroke
        if same and (last.layer, last.row, last.column) == (layer, row, column):
            self._done.pop()
            before = last.before
        self._take(net, Edit(layer, row, column, before, after, stroke))
        return net

    def reset(self):
        """Back to the network as it came; itself a step that can be undone. Returns the network."""
        if self.is_changed:
            self._take(self.base, Replace(self.net, self.base))
        return self.net

    def undo(self):
        """One step back; returns the network."""
        if self._done:
            step = self._done.pop()
            self._undone.append(step)
            self.net = step.backward(self.net)
        return self.net

    def redo(self):
        """One undone step on; returns the network."""
        if self._undone:
            step = self._undone.pop()
            self._done.append(step)
            self.net = step.forward(self.net)
        return self.net

    def _take(self, net, step):
        self.net = net
        self._undone.clear()
        self._done.append(step)
        del self._done[:-DEPTH]
