"""Closed paths through weights and inputs: an animation along one ends where it began, so it loops without a seam."""

import math

import numpy as np

from engine.errors import NetworkError, near

PATHS = ("circle", "knot", "line", "still")


def closed_path(kind: str, part: float, count: int, seed: int = 0) -> np.ndarray:
    """The point of a closed path in `count` dimensions; (count,) float64 in [-1, 1].

    kind     circle: pairs of dimensions go round circles, the second of a pair a quarter period behind
             knot: each dimension oscillates 1, 2 or 3 times with its own phase (a Lissajous curve)
             line: along a straight line, to both sides of the middle and back
             still: stays in the middle
    part     of the path that is done; at 1 as at 0
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
    """0 at the start and the end, 1 halfway, with zero speed at all three."""
    return 0.5 - 0.5 * math.cos(2.0 * math.pi * math.fmod(part, 1.0))
