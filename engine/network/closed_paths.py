"""Closed paths through weights and inputs, for animations that end where they began and loop without a seam."""

import math

import numpy as np

from engine.errors import NetworkError, near

PATHS = ("circle", "knot", "line", "still")


def closed_path(kind: str, part: float, count: int, seed: int = 0) -> np.ndarray:
    """(count,) float64 in [-1, 1]: a point of a closed path in `count` dimensions.

    kind     circle: each pair of dimensions goes round a circle, the second a quarter period behind
             knot: each dimension oscillates 1, 2 or 3 times with its own phase (a Lissajous curve)
             line: a straight line, to both sides of the middle and back
             still: the middle
    part     how far along the path, 0 to 1; the points at 0 and 1 are the same
    seed     of a knot's phases and a line's direction
    """
    if kind not in PATHS:
        raise NetworkError(near(kind, PATHS, noun="closed path"))
    angle = 2.0 * math.pi * math.fmod(part, 1.0)
    rng = np.random.default_rng([int(seed), 1])
    if kind == "circle":
        return np.cos(angle - 0.5 * math.pi * (np.arange(count) % 2))
    if kind == "knot":
        return np.sin(angle * rng.integers(1, 4, count) + rng.uniform(0.0, 2.0 * math.pi, count))
    if kind == "line":
        return rng.uniform(-1.0, 1.0, count) * math.sin(angle)
    return np.zeros(count)


def there_and_back(part: float) -> float:
    """0 at part 0 and 1, 1 at part 0.5, with speed 0 at all three."""
    return 0.5 - 0.5 * math.cos(2.0 * math.pi * math.fmod(part, 1.0))
