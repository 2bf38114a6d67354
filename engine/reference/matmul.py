"""Products of matrices in float64; and how far float32 may be from them."""

import numpy as np

from engine.network.graph.nodes import MatMul
from engine.reference import node as twin
from engine.reference.field import LEAST, UNIT

value = twin.value


def bounds(node: MatMul, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`; a and b are exact in float32."""
    count = np.shape(a)[-1]
    return (count + 4) * UNIT * value(node, abs(np.asarray(a, float)), abs(np.asarray(b, float))) + count * LEAST
