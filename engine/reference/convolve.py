"""Convolutions in float64; and how far float32 may be from them."""

from dataclasses import replace

import numpy as np

from engine.network.activations import Activation
from engine.network.graph.nodes import Convolution, Dense, TransposedConvolution
from engine.reference import node as twin
from engine.reference.field import LEAST, UNIT, activated

value = twin.value


def bounds(
    node: Convolution | Dense | TransposedConvolution, x: np.ndarray, activation: Activation | None = None
) -> np.ndarray:
    """How far float32 may be from `value`, sums being taken in any order; x is exact in float32."""
    count = node.weights[0].size
    if isinstance(node, TransposedConvolution):
        count = node.weights[:, 0].size
    size = twin.value(replace(node, weights=abs(node.weights), bias=abs(node.bias)), abs(np.asarray(x)))
    error = (count + 4) * UNIT * size + count * LEAST
    return error if activation is None else lifted(activation, value(node, x), error)


def lifted(activation: Activation, z: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The bound after an activation of sums z that are off by at most `error`."""
    nothing = np.zeros((*z.shape, 0))
    return activated(activation, z, nothing, error, nothing)[2]
