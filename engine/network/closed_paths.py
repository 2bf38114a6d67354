"""Ways through weights and inputs that end where they began, so that a film of them repeats without a seam."""

import math

import numpy as np

from engine.errors import NetworkError, near

WAYS = ("circle", "knot", "line", "still")


def closed_way(way, part, count, seed=0):
    """Where a point in `count` dimensions is on a closed way.

    way      circle: in pairs of dimensions round circles, the second of a pair a quarter turn behind
             knot: each dimension swings 1, 2 or 3 times, from its own phase (a Lissajous curve)
             line: along one line, to both sides of the middle
             still: in the middle
    part     of the way that is done; at 1 as at 0
    seed     of a knot's phases and a line's direction
    returns  (count,) float64 in [-1, 1]

    Raises NetworkError for an unknown way.
    """
    if way not in WAYS:
        raise NetworkError(near(way, WAYS, noun="way"))
    turn = 2.0 * math.pi * math.fmod(part, 1.0)
    rng = np.random.default_rng([int(seed), 1])
    if way == "circle":
        return np.cos(turn - 0.5 * math.pi * (np.arange(count) % 2))
    if way == "knot":
        return np.sin(turn * rng.integers(1, 4, count) + rng.uniform(0.0, 2.0 * math.pi, count))
    if way == "line":
        return rng.uniform(-1.0, 1.0, count) * math.sin(turn)
    return np.zeros(count)


def there_and_back(part):
    """0 at the start and the end, 1 halfway, at rest at all three."""
    return 0.5 - 0.5 * math.cos(2.0 * math.pi * math.fmod(part, 1.0))
