"""Boundaries of neurons of any activation over a plane, traced: marching squares, then root finding in float64.

Points are exact to the last digits of float64; loops smaller than a cell of the grid may be missed. Networks that are
piecewise linear have an exact partition instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import ShapeError
from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.network.units.bends import places

# Cells along the longer side: a loop is lost only if none of 66,000 points lies inside it.
CELLS = 256
# How far a chord may lie from the curve, as a part of the longer side: 0.1 micrometres on a page 100 mm wide.
TOLERANCE = 1e-6
# A chord halved so often is 1/1024 of a cell; the distance from the curve falls by four each time.
HALVINGS = 10
# The interval of a root is halved in each iteration: 60 reach the last bit of float64.
BISECTIONS = 60
# For curves of equal value, which are for the eye: a millionth of a cell.
LEVEL_BISECTIONS = 20
# Newton's method doubles the digits: six iterations from a chord's middle are more than float64 has.
NEWTON_STEPS = 6
# Rounding of an evaluation, a few dozen products of numbers near 1, as a part of the longer side.
ROUNDING = 1e-12

# Points that are evaluated together.
PART = 1 << 14

# The sides of a cell that its boundary joins, by which corners are positive: 1 lower left, 2 lower right, 4 upper
# right, 8 upper left. Sides are 0 below, 1 right, 2 above, 3 left. The sign at a cell's middle decides the two saddles.
SIDES = {1: [(3, 0)], 2: [(0, 1)], 3: [(3, 1)], 4: [(1, 2)], 6: [(0, 2)], 7: [(3, 2)],
         8: [(2, 3)], 9: [(2, 0)], 11: [(2, 1)], 12: [(1, 3)], 13: [(1, 0)], 14: [(0, 3)]}  # fmt: skip
# (corners, is the middle positive) -> sides.
SADDLES = {
    (5, True): [(3, 2), (0, 1)],
    (5, False): [(3, 0), (1, 2)],
    (10, True): [(3, 0), (1, 2)],
    (10, False): [(3, 2), (0, 1)],
}


@dataclass(frozen=True, eq=False)
class Contours:
    """Where each hidden neuron's pre-activation is 0, or at a kink of its activation, in a rectangle; traced.

    low, high    (2,) world, the rectangle
    neurons      hidden neurons; `polylines(neurons)` is the decision boundary, if it was asked for
    """

    low: np.ndarray
    high: np.ndarray
    neurons: int
    _lines: dict[int, list[np.ndarray]]
    is_exact: ClassVar = False

    def polylines(self, neuron: int) -> list[np.ndarray]:
        """The chained paths of a neuron, (n, 2) world each; a closed one ends where it began."""
        return self._lines.get(neuron, [])


def contours(
    net: Mlp,
    domain: Domain,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    decision: bool = True,
    cells: int = CELLS,
    tolerance: float = TOLERANCE,
) -> Contours:
    """The Contours of a network over a Domain's plane.

    low, high   (2,) world: another rectangle than the domain's
    decision    also trace the boundary between classes, or where a single output is 0
    cells       of the grid along the longer side; more find smaller loops
    tolerance   of the longer side: how far a line between two points may lie from the curve

    Raises ShapeError for a domain of another number of inputs, an empty rectangle, or cells outside 2 to 4096.
    """
    start, end = _rectangle(domain.low if low is None else low, domain.high if high is None else high)
    _check(net, domain, cells)
    grid, size = Cells.over(start, end, cells), float(max(end - start))
    plane = _Plane(net, domain)
    lines, first = {}, 0
    with np.errstate(over="ignore", invalid="ignore"):
        for layer in range(len(net.layers) - 1):
            each = places(net.layers[layer].activation, len(net.layers[layer].bias))
            for k, found in _traced(plane.responses, layer, grid, size, tolerance, each).items():
                lines[first + k] = found
            first += len(each)
        if decision:
            found = _traced(plane.margins, None, grid, size, tolerance)
            if net.outputs > 2:
                found = {k: _owned(plane, k, paths) for k, paths in found.items()}
            lines[first] = [path for k in sorted(found) for path in found[k]]
    return Contours(start, end, first, lines)


def level_lines(
    net: Mlp,
    domain: Domain,
    output: int,
    levels: Sequence[float],
    *,
    low: ArrayLike,
    high: ArrayLike,
    cells: int = CELLS,
    tolerance: float = TOLERANCE,
) -> list[list[np.ndarray]]:
    """The curves over a Domain's plane on which an output, after its activation, has each of these values.

    low, high   (2,) world, the rectangle that is searched
    cells, tolerance   as for `contours`
    returns     for each level its paths, (n, 2) world; a closed one ends where it began

    Raises ShapeError for a domain of another number of inputs, an empty rectangle, or cells outside 2 to 4096.
    """
    start, end = _rectangle(low, high)
    _check(net, domain, cells)
    plane, grid, size = _Plane(net, domain), Cells.over(start, end, cells), float(max(end - start))
    last = net.layers[-1].activation

    def value(points, slopes=False):
        found = plane.responses(points, len(net.layers) - 1, slopes=slopes)
        z = found[0] if slopes else found
        h = last.value(z)[:, output]
        if not slopes:
            return h
        return h, last.tangent(z[:, None], found[1].swapaxes(1, 2))[:, :, output]

    with np.errstate(over="ignore", invalid="ignore"):
        values = np.concatenate([value(part) for part in np.array_split(grid.points, -(-len(grid.points) // PART))])
        values = np.where(np.isnan(values), 0.0, values)
        return [traced(value, values, level, grid, size, tolerance, LEVEL_BISECTIONS) for level in levels]


def traced(
    function: Callable, values: np.ndarray, level: float, grid: "Cells", size: float, tolerance: float,
    bisections: int = BISECTIONS,
) -> list[np.ndarray]:  # fmt: skip
    """The paths on which a function of points (N, 2) has a value, given its values at a grid's corners.

    function     also takes slopes=True, for (values, slopes (N, 2))
    size         of the grid's longer side; tolerance: as a part of that
    bisections   of a cell's side that a path crosses
    """

    def above(points, slopes=False):
        found = function(points, slopes)
        return (found[0] - level, found[1]) if slopes else found - level

    return _zeros(above, values - level, grid, size, tolerance, bisections) or []


def _rectangle(low, high):
    low, high = np.array(low, float), np.array(high, float)
    if low.shape != (2,) or high.shape != (2,) or not (np.isfinite([low, high]).all() and (low < high).all()):
        raise ShapeError(f"A rectangle goes from low {low} to a greater high, not {high}.")
    return low, high


def _check(net, domain, cells):
    if domain.origin.size != net.inputs:
        raise ShapeError(f"{net} has {net.inputs} inputs, its domain {domain.origin.size}.")
    if not 2 <= cells <= 4096:
        raise ShapeError(f"A grid of {cells} cells was asked for; it takes 2 to 4096.")


class _Plane:
    """A network over world points, with derivatives along world x and y; float64."""

    def __init__(self, net, domain):
        self.net, self.domain = net, domain

    def responses(self, points, layer, neurons=slice(None), slopes=False):
        """z (N, H) of a layer's neurons before their activation; with slopes also z's derivatives, (N, H, 2)."""
        h, d = self.domain.inputs(points), None
        if slopes:
            d = np.broadcast_to(self.domain.axes.T, (len(h), *self.domain.axes.T.shape))
        for k, part in enumerate(self.net.layers[: layer + 1]):
            some = neurons if k == layer else slice(None)
            weights = part.weights[some].astype(float)
            z = h @ weights.T + part.bias[some]
            d = weights @ d if slopes else None
            if k < layer:
                h = part.activation.value(z)
                d = part.activation.tangent(z[:, None], d.swapaxes(1, 2)).swapaxes(1, 2) if d is not None else None
        return (z, d) if slopes else z

    def margins(self, points, _, neurons=slice(None), slopes=False):
        """For each class but the last, how far its output is above the best other; for one output, that output."""
        z, d = self.responses(points, len(self.net.layers) - 1, slopes=True)
        if z.shape[1] > 1:
            rows, margins, gradients = np.arange(len(z)), [], []
            for k in range(z.shape[1] - 1)[neurons]:
                rest = z.copy()
                rest[:, k] = -np.inf
                rival = rest.argmax(axis=1)
                margins.append(z[:, k] - z[rows, rival])
                gradients.append(d[:, k] - d[rows, rival])
            z, d = np.stack(margins, axis=1), np.stack(gradients, axis=1)
        return (z, d) if slopes else z

    def rivals(self, points, k):
        """(N,): the class with the largest output at each point, without class k."""
        z = self.responses(points, len(self.net.layers) - 1)
        z[:, k] = -np.inf
        return z.argmax(axis=1)


class Cells:
    """A grid of (columns, rows) cells: the points at their corners, and numbers for corners and sides of cells."""

    @classmethod
    def over(cls, low: np.ndarray, high: np.ndarray, cells: int) -> "Cells":
        """The grid over a rectangle with so many cells along its longer side."""
        return cls(low, high, np.maximum(2, np.round(cells * (high - low) / max(high - low))).astype(int))

    def __init__(self, low: np.ndarray, high: np.ndarray, counts: np.ndarray):
        self.columns, self.rows = (int(n) for n in counts)
        self.xs = np.linspace(low[0], high[0], self.columns + 1)
        self.ys = np.linspace(low[1], high[1], self.rows + 1)
        x, y = np.meshgrid(self.xs, self.ys)
        self.points = np.stack([x.ravel(), y.ravel()], axis=1)
        self.flat = (self.rows + 1) * self.columns  # how many sides are horizontal

    def ends(self, sides: np.ndarray) -> np.ndarray:
        """The corners (S, 2) at the ends of sides, by their numbers."""
        flat = sides < self.flat
        row, column = np.divmod(sides, self.columns)
        lying = row * (self.columns + 1) + column
        upright = sides - self.flat
        start = np.where(flat, lying, upright)
        return np.stack([start, start + np.where(flat, 1, self.columns + 1)], axis=1)

    def side(self, cells: np.ndarray, which: int) -> np.ndarray:
        """The number of a cell's side; which: 0 below, 1 right, 2 above or 3 left."""
        row, column = np.divmod(cells, self.columns)
        if which in (0, 2):
            return (row + (which == 2)) * self.columns + column
        return self.flat + row * (self.columns + 1) + column + (which == 1)

    def corners(self, positive: np.ndarray) -> np.ndarray:
        """For every cell, which corners are positive, as SIDES counts them."""
        p = positive.reshape(self.rows + 1, self.columns + 1).astype(int)
        return (p[:-1, :-1] + 2 * p[:-1, 1:] + 4 * p[1:, 1:] + 8 * p[1:, :-1]).ravel()

    def middles(self, cells: np.ndarray) -> np.ndarray:
        """The middles (N, 2) of cells, by their numbers."""
        row, column = np.divmod(cells, self.columns)
        x, y = (self.xs[1:] + self.xs[:-1]) / 2, (self.ys[1:] + self.ys[:-1]) / 2
        return np.stack([x[column], y[row]], axis=1)


def _traced(functions, layer, grid, size, tolerance, places=None):
    """{neuron: paths} where functions(points, layer, neurons, slopes), a method of _Plane, are 0.

    places   of each function, the values at which it is traced instead
    """
    values = functions(grid.points, layer)
    # Zero counts as positive, so that every corner has a side.
    values = np.where(np.isnan(values), 0.0, values)
    found: dict[int, list[np.ndarray]] = {}
    for k in range(values.shape[1]):
        for place in (0.0,) if places is None else places[k]:

            def one(points, slopes=False, some=slice(k, k + 1), place=place):
                z = functions(points, layer, some, slopes)
                return (z[0][:, 0] - place, z[1][:, 0]) if slopes else z[:, 0] - place

            paths = _zeros(one, values[:, k] - place, grid, size, tolerance)
            if paths is not None:
                found[k] = found.get(k, []) + paths
    return found


def _zeros(function, values, grid, size, tolerance, bisections=BISECTIONS):
    """The paths where a function is 0, given its values at the grid's corners; None where no sign changes."""
    pairs = _pairs(values, grid, function)
    if not len(pairs):
        return None
    sides, inverse = np.unique(pairs, return_inverse=True)
    ends = grid.ends(sides)
    points = _roots(function, grid.points[ends[:, 0]], grid.points[ends[:, 1]], values[ends[:, 0]] >= 0, bisections)
    chains = _chained(inverse.reshape(pairs.shape), len(sides))
    found = [_refined(function, _apart(points[chain], size), size, tolerance) for chain in chains]
    return [path for path in found if len(path) > 1]


def _pairs(values, grid, function):
    """(S, 2) numbers of sides that a piece of the boundary joins."""
    positive = values >= 0
    corners = grid.corners(positive)
    found = [(np.flatnonzero(corners == case), joined) for case, joined in SIDES.items()]
    for case in (5, 10):
        cells = np.flatnonzero(corners == case)
        middle = function(grid.middles(cells)) >= 0
        found += [(cells[middle == is_positive], SADDLES[case, is_positive]) for is_positive in (True, False)]
    return np.concatenate([np.stack([grid.side(cells, s) for s in pair], 1) for cells, j in found for pair in j])


def _roots(function, start, end, start_is_positive, bisections):
    """(N, 2): where the sign changes between start and end. Bisection, which cannot leave the side of a cell."""
    low, high = np.zeros(len(start)), np.ones(len(start))
    for _ in range(bisections):
        middle = (low + high) / 2
        same = (function(start + middle[:, None] * (end - start)) >= 0) == start_is_positive
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return start + ((low + high) / 2)[:, None] * (end - start)


def _chained(pairs, count):
    """Lists of point numbers, each a path; a closed one ends with its first point.

    pairs   (S, 2) point numbers; no point is in more than two
    """
    neighbours: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    chains, done = [], np.zeros(count, bool)
    # Open paths first, each from one end; the rest are loops.
    starts = [k for k in range(count) if len(neighbours[k]) == 1]
    for start in [*starts, *range(count)]:
        if done[start]:
            continue
        chain, ahead = [], [start]
        while ahead:
            chain.append(ahead[0])
            done[ahead[0]] = True
            ahead = [k for k in neighbours[ahead[0]] if not done[k]]
        if len(neighbours[start]) == 2 and len(chain) > 2:
            chain.append(start)
        chains.append(chain)
    return chains


def _apart(path, size):
    """The path without points that coincide, as they do where a boundary passes a corner of the grid."""
    far = np.linalg.norm(np.diff(path, axis=0), axis=1) > ROUNDING * size
    return path[np.concatenate([[True], far])]


def _refined(function, path, size, tolerance):
    """A path with points put in where a chord lies farther from the curve than the tolerance."""
    open_ = np.ones(max(0, len(path) - 1), bool)
    for _ in range(HALVINGS):
        if not open_.any():
            break
        here = np.flatnonzero(open_)
        start, end = path[here], path[here + 1]
        along = end - start
        length = np.linalg.norm(along, axis=1)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
        middle, away = (start + end) / 2, np.zeros(len(here))
        for _ in range(NEWTON_STEPS):
            value, slope = function(middle + away[:, None] * across, slopes=True)
            steepness = (slope * across).sum(axis=1)
            step = np.divide(-value, steepness, out=np.zeros_like(value), where=steepness != 0)
            # A chord's middle is nearer to its arc than half the chord, or the arc was missed.
            away = np.clip(away + step, -length / 2, length / 2)
        is_found = np.abs(away) < length / 2.01
        apart = is_found & (np.abs(away) > tolerance * size)
        points = (middle + away[:, None] * across)[apart]
        at = here[apart] + 1
        # A new point makes two chords that are still open; a chord that is close enough is done.
        open_[:] = False
        path = np.insert(path, at, points, axis=0)
        places = at + np.arange(len(at))
        open_ = np.zeros(len(path) - 1, bool)
        open_[places - 1] = open_[places] = True
    return path


def _owned(plane, k, paths):
    """The pieces of class k's boundary that border on later classes: earlier classes have the other pieces."""
    found = []
    for path in paths:
        later = plane.rivals(path, k) > k
        piece = later[1:] | later[:-1]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], piece, [False]]).astype(int)))
        found += [path[a : b + 1] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return found
