"""Activations, sums and products of maps in float64; and how far float32 may be from them."""

import numpy as np

from engine.network.activations import Activation
from engine.network.nodes import Add, Elementwise, Multiply
from engine.reference import convnet
from engine.reference.convolve import lifted
from engine.reference.field import LEAST, UNIT

value = convnet.value


def bounds(node: Elementwise | Add | Multiply, *maps: np.ndarray, activation: Activation | None = None) -> np.ndarray:
    """How far float32 may be from `value`; the maps are exact in float32."""
    if isinstance(node, Elementwise):
        z = np.asarray(maps[0], float)
        return lifted(node.activation, z, 0 * z)
    z = value(node, *maps)
    # A product may be too small for float32 where its factors are not.
    error = UNIT * abs(z) + LEAST * isinstance(node, Multiply)
    return error if activation is None else lifted(activation, z, error)
