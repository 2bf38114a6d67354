"""The largest or the mean number of each window in float64; and how far float32 may be from it."""

import numpy as np

from engine.network.graph.nodes import AveragePool, MaxPool, Reduce
from engine.reference import node as twin
from engine.reference.field import LEAST, UNIT

value = twin.value


def bounds(node: MaxPool | AveragePool | Reduce, x: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`; x is exact in float32, and so is the largest of several."""
    if isinstance(node, MaxPool) or getattr(node, "function", "") == "max":
        return np.zeros(node.shape(np.shape(x)))
    count = np.prod([np.shape(x)[a] for a in node.axes] if isinstance(node, Reduce) else node.size)
    return (count + 4) * UNIT * value(node, abs(np.asarray(x))) + count * LEAST
