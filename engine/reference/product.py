"""Layers of any width at many points in float64; and how far float32 and float16 may be from them."""

import numpy as np
from numpy.typing import ArrayLike

from engine.network.mlp import Mlp
from engine.reference import field

# Float16: its rounding (11 bits, either way), the number below which a GPU may give 0, and its largest number.
HALF = 2.0**-10
HALF_LEAST = 2.0**-14
HALF_MOST = 65504.0

value = field.value


def bounds(net: Mlp, points: ArrayLike, precision: str = "f32") -> np.ndarray:
    """How far evaluation in a precision may be from `value`, point by point: (N, outputs) float64.

    points   (N, inputs), exact in float32

    The running bound of `field.bounds`, whose sums may be taken in any order. In f16 past the first layer each weight,
    bias and response is rounded to float16 as well, while products, sums, activations and outputs are float32. Bounds
    are 1e100 or more where a response may be past float16's largest number.
    """
    if precision == "f32":
        return field.bounds(net, points, gradient=False)[0]
    h = np.asarray(points, float)
    error = np.zeros_like(h)
    for number, layer in enumerate(net.layers):
        w, a = abs(layer.weights.astype(float)), layer.activation
        z = h @ layer.weights.T.astype(float) + layer.bias
        sizes = (abs(h) + error) @ w.T
        z_error = error @ w.T + (w.shape[1] + 4) * field.UNIT * (sizes + abs(layer.bias)) + field.LEAST
        if number:
            # Of weights and biases, and of those too small for float16.
            z_error += HALF * (sizes + abs(layer.bias))
            z_error += HALF_LEAST * ((abs(h) + error).sum(axis=1, keepdims=True) + 1)
        nothing = np.zeros((*z.shape, 0))
        h, _, error, _ = field.activated(a, z, nothing, z_error, nothing)
        if number + 1 < len(net.layers):
            error = error + HALF * (abs(h) + error) + HALF_LEAST
            error = np.where(abs(h) + error > HALF_MOST, 1e100, error)
    return error
