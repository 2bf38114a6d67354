"""The sum, mean, largest, least or product of numbers along axes in float64; and how far float32 may be from it."""

import numpy as np

from engine.network.graph.nodes import Reduce
from engine.reference import node as twin
from engine.reference.field import LEAST, UNIT

value = twin.value


def bounds(node: Reduce, x: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`; x is exact in float32."""
    count = np.prod([np.shape(x)[axis] for axis in node.axes])
    if node.function in ("max", "min"):
        return np.zeros(node.shape(np.shape(x)))
    return (count + 4) * (UNIT * value(node, abs(np.asarray(x, float))) + LEAST)
