"""Norms over axes of an array in float64; and how far float32 may be from them."""

import numpy as np

from engine.network.graph.nodes import LocalNormalise, Normalise
from engine.reference import node as twin
from engine.reference.field import LEAST, UNIT

value = twin.value
# Numbers that are summed one after another: a 64th of all by each invocation, or the few of a short axis; and sums.
SHARING, SHORT = 64, 136


def bounds(node: Normalise | LocalNormalise, x: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`; x is exact in float32.

    Errors of the mean, of the distances from it and of their squares' mean follow one another, as in Higham 2002,
    section 1.9.
    """
    x = np.asarray(x, float)
    if isinstance(node, LocalNormalise):
        exponent = 16 + 8 * abs(node.beta) * (node.size + 16)
        return exponent * UNIT * abs(value(node, x)) + LEAST
    seen, axes = (x.reshape(x.shape[0], node.groups, -1), (2,)) if node.groups else (x, tuple(node.axes))
    count = np.prod([seen.shape[axis] for axis in axes])
    roundings = (count / SHARING + SHORT) * UNIT

    def mean(a):
        return a.mean(axis=axes, keepdims=True)

    off = 0.0 * seen + (roundings * mean(abs(seen)) if node.centred else 0.0)
    distance = seen - mean(seen) if node.centred else seen
    off = off + UNIT * abs(distance)
    variance = mean(distance**2)
    error = roundings * variance + 2 * mean(abs(distance) * off) + mean(off**2)
    deviation, least = (np.sqrt(np.maximum(v + node.epsilon, 0)) for v in (variance, variance - error))
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(least > 0, 1 / least - 1 / deviation, np.inf)
        size = abs(distance) / deviation
        wrong = off * (1 / deviation + change) + abs(distance) * change + 8 * UNIT * size
    shape = lambda a: np.broadcast_to(a, seen.shape).reshape(x.shape)
    wrong = abs(node.gain.astype(float)) * shape(wrong)
    return wrong + 2 * UNIT * (abs(node.gain * shape(size)) + abs(node.bias)) + LEAST
