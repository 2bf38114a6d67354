"""The curves of level surfaces in a picture: where each ends, and where it meets the region's border; in float64.

For the ray through a point of the picture let M and m be the largest and the least value on its chord through the
region. The ray meets a level's surface where m <= level <= M. So the surface's silhouette is where M, or m, is the
level, inside of the chord; and it meets the border where the value at the chord's near, or far, end is the level.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.regions.contours import Cells, traced

# Values that are computed along a chord, and steps of the search for the extreme between two of them: after these the
# interval is 2e-4 of the chord, and the extreme's error the square of that.
SAMPLES, STEPS = 32, 12
GOLDEN = (5**0.5 - 1) / 2
# Cells of the grid along the longer side: a part smaller than a cell may be missed.
CELLS = 192
# Of a pixel: how far a line between two points may lie from the curve, and the step of a slope.
TOLERANCE_PX, STEP_PX = 0.04, 0.01
# Points whose chords are searched together: a call of a small network takes as long for one as for a hundred.
PART = 512
# Halvings of a line's piece that leaves the region.
CUTS = 20
# Bisections of a cell's side: to a millionth of a pixel.
BISECTIONS = 24

Value = Callable[[np.ndarray], np.ndarray]
# From points (N, 2) of a picture, pixels: (starts, ends) of the chords, (N, 3), and whether the ray meets the region.
Chords = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class LevelCurves:
    """The curves of a level: lists of paths, (n, 2) pixels of the picture, y downwards.

    silhouettes   where the surface turns away from the viewer, seen from outside of all its parts
    near, far     where it meets the region's border, towards the viewer and away from it
    """

    level: float
    silhouettes: list[np.ndarray]
    near: list[np.ndarray]
    far: list[np.ndarray]


def level_curves(
    value: Value, chords: Chords, size: tuple[int, int], levels: Sequence[float], cells: int = CELLS
) -> list[LevelCurves]:
    """The LevelCurves of each level.

    value    of points (N, 3), (N,); finite
    chords   of the region
    size     (width, height) of the picture in pixels
    cells    of the grid along the longer side
    """
    grid = Cells.over(np.zeros(2), np.array(size, float), cells)
    within = lambda points: chords(points)[2]
    ends = [_AtEnd(value, chords, end) for end in (0, 1)]
    extremes = [_Extreme(value, chords, sign) for sign in (1.0, -1.0)]
    values: dict[_AtEnd | _Extreme, np.ndarray] = {end: end(grid.points) for end in ends}
    values |= {one: one(grid.points) for one in extremes}
    longest = float(max(size))

    def pieces(function, level, holds):
        paths = traced(_sloped(function), values[function], level, grid, longest, TOLERANCE_PX / longest, BISECTIONS)
        return [piece for path in paths for piece in cut(path, holds)]

    found = []
    for level in levels:
        silhouettes = [piece for one in extremes for piece in pieces(one, level, _both(within, one.is_inside))]
        found.append(LevelCurves(float(level), silhouettes, *(pieces(end, level, within) for end in ends)))
    return found


def _both(one, other):
    return lambda points: one(points) & other(points)


class _AtEnd:
    """The value at one end of each chord."""

    def __init__(self, value, chords, end):
        self.value, self.chords, self.end = value, chords, end

    def __call__(self, points):
        return self.value(self.chords(points)[self.end])


class _Extreme:
    """The largest value on each chord (sign 1), or the least (sign -1)."""

    def __init__(self, value, chords, sign):
        self.value, self.chords, self.sign = value, chords, sign

    def __call__(self, points):
        return self._found(points)[0]

    def is_inside(self, points):
        """Whether the extreme is not at an end of the chord."""
        at = self._found(points)[1]
        return (at > 1e-3) & (at < 1.0 - 1e-3)

    def _found(self, points):
        parts = [self._part(part) for part in np.array_split(points, -(-len(points) // PART) or 1)]
        return tuple(np.concatenate(some) for some in zip(*parts, strict=True))

    def _part(self, points):
        start, end, _ = self.chords(points)
        along = end - start

        def values(*at):
            places = np.concatenate([start + x[:, None] * along for x in at])
            return self.sign * self.value(places).reshape(len(at), len(points))

        places = np.linspace(0.0, 1.0, SAMPLES + 1)
        sampled = values(*np.repeat(places[:, None], len(points), axis=1))
        best = sampled.argmax(axis=0)
        low, high = places[np.maximum(best - 1, 0)], places[np.minimum(best + 1, SAMPLES)]
        a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        at_a, at_b = values(a, b)
        for _ in range(STEPS):
            right = at_a < at_b
            low, high = np.where(right, a, low), np.where(right, high, b)
            a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            at_a, at_b = values(a, b)
        ends = np.stack([sampled[best, np.arange(len(points))], at_a, at_b])
        where = np.stack([places[best], a, b])
        chosen = ends.argmax(axis=0), np.arange(len(points))
        return self.sign * ends[chosen], where[chosen]


def _sloped(function):
    """A function that also gives its slopes, by differences: they only guide a search, which ends at its own zero."""

    def sloped(points, slopes=False):
        if not slopes:
            return function(points)
        here, right, below = function(
            np.concatenate([points, *(points + step for step in STEP_PX * np.eye(2))])
        ).reshape(3, -1)
        return here, np.stack([right - here, below - here], axis=1) / STEP_PX

    return sloped


def cut(path: np.ndarray, holds: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """The pieces of a path (n, 2) on which a condition of points holds, to its last place."""
    good = holds(path)
    pieces, piece = [], [path[0]] if good[0] else []
    for k in range(1, len(path)):
        if good[k] != good[k - 1]:
            inside, outside = (path[k], path[k - 1]) if good[k] else (path[k - 1], path[k])
            for _ in range(CUTS):
                middle = (inside + outside) / 2
                inside, outside = (middle, outside) if holds(middle[None])[0] else (inside, middle)
            piece.append(inside)
        if good[k]:
            piece.append(path[k])
        elif piece:
            pieces.append(np.array(piece))
            piece = []
    return pieces + ([np.array(piece)] if piece else [])
