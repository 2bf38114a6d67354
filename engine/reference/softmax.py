"""Softmax along an axis in float64; and how far float32 may be from it."""

import numpy as np

from engine.network.activations import Activation
from engine.network.graph.nodes import Softmax
from engine.reference import field
from engine.reference import node as twin

value = twin.value
# Exponentials of less are given as 0.
LEAST_EXPONENT = -87.0


def bounds(node: Softmax, x: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`; x is exact in float32."""
    rows = np.moveaxis(np.asarray(x, float), node.axis, -1)
    z = rows.reshape(-1, rows.shape[-1])
    nothing = np.zeros((*z.shape, 0))
    error = field.softmax(Activation("softmax"), z, nothing, 0 * z, nothing)[2] + np.exp(LEAST_EXPONENT)
    if node.log:
        # The sum, of which the largest term is 1, has that relative error; WGSL's log is off by 2^-21 near 1.
        size = abs(z - z.max(axis=1, keepdims=True))
        error = (rows.shape[-1] + 32 + 4 * size.max(axis=1, keepdims=True) + size) * field.UNIT + 2.0**-20
    return np.moveaxis(error.reshape(rows.shape), -1, node.axis)
