"""The largest or the mean number of each window in float64; and how far float32 may be from it."""

import numpy as np

from engine.network.nodes import AveragePool, GlobalAveragePool, MaxPool
from engine.reference import convnet
from engine.reference.field import LEAST, UNIT

value = convnet.value


def bounds(node: MaxPool | AveragePool | GlobalAveragePool, x: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`; x is exact in float32, and so is the largest of several."""
    if isinstance(node, MaxPool):
        return np.zeros(node.shape(np.shape(x)))
    count = np.prod(getattr(node, "size", np.shape(x)[1:]))
    return (count + 4) * UNIT * convnet.value(node, abs(np.asarray(x))) + count * LEAST
