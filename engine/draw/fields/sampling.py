"""What drawables that sample a network over a grid share."""

import numpy as np
from numpy.typing import ArrayLike

from engine.gpu.array import Array
from engine.gpu.device import device
from engine.gpu.passes import Encoder
from engine.kernels.grid import Grid, Plane
from engine.network.mlp import Mlp

# Samples a side for finding the range of values.
SURVEY = 161
# Number of sizes whose samples are cached: while a window refines its picture it goes through a few.
CACHED = 3


def ready(grid: Grid | None, net: Mlp) -> Grid:
    """A Grid with derivatives for a network: the given one, which then shows it, or a new one."""
    grid = grid or Grid(net, gradient=True)
    grid.show(net)
    return grid


def corners(plane: Plane, size: tuple[int, int]) -> Plane:
    """The Plane whose (columns, rows) samples reach exactly to a rectangle's edges and corners.

    plane   the rectangle: its `across` and `down` are the sides
    size    (columns, rows), each at least 2
    """
    return Plane(plane.centre, plane.across / (size[0] - 1), plane.down / (size[1] - 1))


class Samples:
    """A network's values over a rectangle, cached for a few sizes until the network or the rectangle changes."""

    def __init__(self) -> None:
        self._shown: tuple | None = None
        self._cached: dict[tuple[int, int], tuple[Grid | None, Array | None]] = {}

    def record(self, encoder: Encoder, net: Mlp, plane: Plane, size: tuple[int, int]) -> Array:
        """`Grid.record` with derivatives, edges and corners included; recorded only if not in the cache."""
        key = key_of(plane)
        if self._shown is None or self._shown[0] is not net or self._shown[1] != key:
            self._shown = (net, key)
            # The Grids are kept, so that another network of the same shape compiles nothing.
            self._cached = {size: (grid, None) for size, (grid, _) in self._cached.items()}
        grid, samples = self._cached.pop(size, (None, None))
        if samples is None:
            grid = ready(grid, net)
            samples = grid.record(encoder, corners(plane, size), size)
        self._cached[size] = (grid, samples)
        while len(self._cached) > CACHED:
            del self._cached[next(iter(self._cached))]
        return samples


class Survey:
    """The range of a network's values over a rectangle, computed again when either changes."""

    def __init__(self) -> None:
        self._grid: Grid | None = None
        self._found: tuple | None = None

    def range(self, net: Mlp, plane: Plane, output: int) -> tuple[float, float]:
        """(low, high) of the finite values of an output, widened round a constant."""
        key = key_of(plane)
        if self._found is None or self._found[0] != key or self._found[1] is not net:
            values = self._values(net, plane)
            known = np.isfinite(values)
            low = np.where(known, values, np.inf).min(axis=0).astype(float)
            high = np.where(known, values, -np.inf).max(axis=0).astype(float)
            low, high = np.where(low <= high, (low, high), 0.0)
            flat = 0.5 * (high - low <= 1e-6 * np.maximum(abs(low), abs(high)))
            self._found = (key, net, low - flat, high + flat)
        return float(self._found[2][output]), float(self._found[3][output])

    def _values(self, net, plane):
        """(samples, outputs); waits for the GPU."""
        self._grid, size = ready(self._grid, net), (SURVEY, SURVEY)
        encoder = device().encoder()
        # With derivatives, like the drawn samples: that shader is compiled anyway, and the values are identical.
        array = self._grid.record(encoder, corners(plane, size), size)
        device().submit(encoder)
        # The array may have room for more than this grid.
        values = array.read(SURVEY * SURVEY * self._grid.groups).reshape(SURVEY * SURVEY, 3, -1)
        return values[:, 0, : net.outputs]


def key_of(plane: Plane) -> tuple[bytes, bytes, bytes]:
    """A key that is equal for equal planes."""
    return plane.centre.tobytes(), plane.across.tobytes(), plane.down.tobytes()


def extent(plane: Plane, side: ArrayLike, name: str | None = None) -> tuple[float, float, str | None]:
    """(start, end, name): the numbers to write along a side of a rectangle.

    A side along one input has that input's values and name, x1, x2 ...; any other has lengths from the middle.
    """
    side = np.asarray(side, float)
    k = int(np.argmax(abs(side)))
    length = float(np.linalg.norm(side))
    if abs(side[k]) > (1.0 - 1e-12) * length:
        middle = float(plane.centre[k])
        return middle - side[k] / 2.0, middle + side[k] / 2.0, f"x{k + 1}" if name is None else name
    return -length / 2.0, length / 2.0, name
