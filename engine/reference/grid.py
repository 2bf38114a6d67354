"""A network over a grid in a plane through its inputs, in float64; and how far float32 and float16 may be from it."""

import numpy as np

from engine.network.mlp import Mlp
from engine.network.parts import sliced
from engine.reference import field
from engine.reference.product import HALF, HALF_LEAST

# Roundings of a product's weight and response, of the product, and of its sum with seven others.
HALF_ROUNDINGS = 2 + 1 + 8


def grid(
    net: Mlp, centre: np.ndarray, across: np.ndarray, down: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The network's values, and their derivatives by a step across and by a step down.

    centre, across, down   (inputs,), of a plane: sample (i, j) lies at
                           centre + (i + 1/2 - width/2) across + (j + 1/2 - height/2) down
    size                   (width, height)
    returns                (height, width, outputs) and (height, width, outputs, 2), float64
    """
    width, height = size
    points = centre + _steps(size) @ np.stack([across, down])
    values, gradients = field.value_and_gradient(net, points)
    along = gradients @ np.stack([across, down], axis=1)
    return values.reshape(height, width, -1), along.reshape(height, width, -1, 2)


def bounds(
    net: Mlp, centre: np.ndarray, across: np.ndarray, down: np.ndarray, size: tuple[int, int], *, gradient: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """How far float32 may be from `grid`: two arrays of the same shapes; the second is empty without `gradient`.

    The first layer is multiplied out with the plane in float64 and rounded once, which is one rounding more of each
    product than `field.bounds` counts; it allows for four.
    """
    width, height = size
    values, gradients = field.bounds(sliced(net, centre, [across, down]), _steps(size), gradient=gradient)
    return values.reshape(height, width, -1), gradients.reshape(height, width, net.outputs, 2 if gradient else 0)


def half_bounds(
    net: Mlp, centre: np.ndarray, across: np.ndarray, down: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """How far float16 may be from the values of `grid`, (height, width, outputs); not for a softmax.

    As the running bound of float32, with float16's roundings in all layers but the first: each weight, response and
    bias, a product, and seven sums; sums of such sums, activations and outputs are float32.
    """
    plane = sliced(net, centre, [across, down])
    h = _steps(size)
    error = np.zeros_like(h)
    for number, layer in enumerate(plane.layers):
        w, a = layer.weights.astype(float), layer.activation
        z = h @ w.T + layer.bias
        sizes = (abs(h) + error) @ abs(w).T
        z_error = error @ abs(w).T + (w.shape[1] + 4) * field.UNIT * (sizes + abs(layer.bias)) + field.LEAST
        if number:
            z_error += HALF * (HALF_ROUNDINGS * sizes + abs(layer.bias))
            # Weights, responses and products too small for float16.
            small = (abs(h) + error).sum(axis=1, keepdims=True) + abs(w).sum(axis=1) + 2 * w.shape[1]
            z_error += HALF_LEAST * small
        nothing = np.zeros((*z.shape, 0))
        h, _, error, _ = field.activated(a, z, nothing, z_error, nothing)
        if number + 1 < len(plane.layers):
            error = error + HALF * abs(h) + HALF_LEAST
    return error.reshape(size[1], size[0], -1)


def _steps(size):
    # Row by row, from the grid's middle.
    width, height = size
    i, j = np.meshgrid(np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2)
    return np.stack([i.ravel(), j.ravel()], axis=1)
