"""What drawables that sample a network over a grid share."""

import numpy as np

from engine.gpu.device import device
from engine.kernels.grid import Grid, Plane

# Samples a side from which a range of values is taken.
SURVEY = 161
# Sizes whose samples are kept: a window at rest goes through pictures of a few.
KEPT = 3


def ready(grid, net):
    """A Grid with derivatives that shows a network: the one there is, unless the network has another shape."""
    if grid is None or grid.net.shape != net.shape:
        return Grid(net, gradient=True)
    grid.show(net)
    return grid


def corners(plane, size):
    """The Plane by whose samples a rectangle is filled, edges and corners included.

    plane   its `across` and `down` are the rectangle's sides
    size    (columns, rows), each at least 2
    """
    return Plane(plane.centre, plane.across / (size[0] - 1), plane.down / (size[1] - 1))


def evaluate(grid, plane, size):
    """(samples, 3, outputs): values and derivatives by a step across and a step down, row by row; waits for the GPU."""
    encoder = device().encoder()
    array = grid.record(encoder, plane, size)
    device().submit(encoder)
    # An array may be larger than this grid.
    count = size[0] * size[1]
    found = array.read().reshape(-1)
    per_sample = -(-grid.net.outputs // 4) * 12
    return found[: count * per_sample].reshape(count, 3, -1)[:, :, : grid.net.outputs]


class Samples:
    """A network's values over a rectangle, kept for a few sizes until network or rectangle change."""

    def __init__(self):
        self._shown, self._kept = None, {}

    def record(self, encoder, net, plane, size):
        """`Grid.record` with derivatives, edges and corners included; evaluated only if it is not there."""
        key = key_of(plane)
        if self._shown is None or self._shown[0] is not net or self._shown[1] != key:
            self._shown = (net, key)
            # The grids stay: another network of the same shape compiles nothing.
            self._kept = {size: (grid, None) for size, (grid, _) in self._kept.items()}
        grid, samples = self._kept.pop(size, (None, None))
        if samples is None:
            grid = ready(grid, net)
            samples = grid.record(encoder, corners(plane, size), size)
        self._kept[size] = (grid, samples)
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return samples


class Survey:
    """The range of a network's values over a rectangle, and single values; looked up again when either changes."""

    def __init__(self):
        self._grid, self._found = None, None

    def range(self, net, plane, output):
        """(low, high) of the finite values of an output; a constant lies in the middle."""
        key = key_of(plane)
        if self._found is None or self._found[0] != key or self._found[1] is not net:
            self._grid, size = ready(self._grid, net), (SURVEY, SURVEY)
            values = evaluate(self._grid, corners(plane, size), size)[:, 0]
            known = np.isfinite(values)
            low = np.where(known, values, np.inf).min(axis=0).astype(float)
            high = np.where(known, values, -np.inf).max(axis=0).astype(float)
            low, high = np.where(low <= high, (low, high), 0.0)
            flat = 0.5 * (high - low <= 1e-6 * np.maximum(abs(low), abs(high)))
            self._found = (key, net, low - flat, high + flat)
        return float(self._found[2][output]), float(self._found[3][output])

    def at(self, net, plane, output):
        """(value, derivative across, derivative down) at a plane's centre, by the arithmetic that is drawn."""
        self._grid = ready(self._grid, net)
        return evaluate(self._grid, plane, (1, 1))[0, :, output].astype(float)


def key_of(plane):
    """What is equal for planes that are."""
    return plane.centre.tobytes(), plane.across.tobytes(), plane.down.tobytes()


def extent(plane, side, name=None):
    """(start, end, name): what numbers stand along a side of a rectangle.

    Along one input they are that input's, named x1, x2 ...; aslant they are lengths from the rectangle's middle.
    """
    side = np.asarray(side, float)
    k = int(np.argmax(abs(side)))
    length = float(np.linalg.norm(side))
    if abs(side[k]) > (1.0 - 1e-12) * length:
        middle = float(plane.centre[k])
        return middle - side[k] / 2.0, middle + side[k] / 2.0, f"x{k + 1}" if name is None else name
    return -length / 2.0, length / 2.0, name
