"""Softmax over the channels of each place in float64; and how far float32 may be from it."""

import numpy as np

from engine.network.activations import Activation
from engine.network.nodes import Softmax
from engine.reference import field

# Exponentials of less are given as 0.
LEAST_EXPONENT = -87.0


def value(node: Softmax, x: np.ndarray) -> np.ndarray:
    """Softmax over the channels of (C, H, W), float64."""
    return Activation("softmax").value(_places(x)).T.reshape(np.shape(x))


def bounds(node: Softmax, x: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`; x is exact in float32."""
    z = _places(x)
    nothing = np.zeros((*z.shape, 0))
    error = field.softmax(Activation("softmax"), z, nothing, 0 * z, nothing)[2]
    return (error + np.exp(LEAST_EXPONENT)).T.reshape(np.shape(x))


def _places(x):
    """(places, channels) of (C, H, W)."""
    return np.asarray(x, float).reshape(len(x), -1).T
