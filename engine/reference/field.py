"""A network's values and gradients in float64, and how far float32 may be from them."""

import numpy as np
from numpy.typing import ArrayLike

from engine.network.activations import JOINT, Activation
from engine.network.mlp import Mlp
from engine.network.rules.extrema import extrema, holds, span
from engine.network.units.mixed import LayerActivation, runs

# WGSL lets an implementation round either way: twice the half ulp of IEEE float32.
UNIT = 2.0**-23
# An activation's own error, in ulp of its value: functions under wgsl/lib stay within 4 ulp, and a product follows.
ACTIVATION_ULPS = 8
# Below this float32 is denormal, and a GPU may give 0.
LEAST = 2.0**-126
# What is larger may be given as the largest float32.
MOST = 3e38


def value(net: Mlp, points: ArrayLike) -> np.ndarray:
    """The network's outputs.

    points   (N, inputs)
    returns  (N, outputs) float64
    """
    h = np.asarray(points, float)
    for layer in net.layers:
        h = layer.activation.value(h @ layer.weights.T.astype(float) + layer.bias)
    return h


def value_and_gradient(net: Mlp, points: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The outputs and their derivatives, by the chain rule in forward mode.

    points   (N, inputs)
    returns  (N, outputs) and (N, outputs, inputs), float64
    """
    h = np.asarray(points, float)
    d = np.broadcast_to(np.eye(net.inputs), (len(h), net.inputs, net.inputs))
    for layer in net.layers:
        w = layer.weights.astype(float)
        z, dz = h @ w.T + layer.bias, w @ d
        h = layer.activation.value(z)
        d = layer.activation.tangent(z[:, None], dz.swapaxes(1, 2)).swapaxes(1, 2)
    return h, d


def bounds(net: Mlp, points: ArrayLike, *, gradient: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """How far float32 evaluation may be from `value_and_gradient`, point by point.

    points    (N, inputs), exact in float32
    gradient  False: the second of what is returned is empty
    returns   (N, outputs) and (N, outputs, inputs), float64; infinite beside jumps and poles

    A running bound: through a sum of n products, each |w| times the error that came in, and some n roundings of the
    sum of magnitudes (Higham 2002, section 3.1); through an activation s, the largest |s'| within it times it, and the
    function's own rounding.
    """
    h = np.asarray(points, float)
    error = np.zeros_like(h)
    along = np.eye(net.inputs)[:, : net.inputs if gradient else 0]
    d = np.broadcast_to(along, (len(h), *along.shape))
    d_error = np.zeros_like(d)
    for layer in net.layers:
        w, a = layer.weights.astype(float), layer.activation
        roundings = (layer.weights.shape[1] + 4) * UNIT
        z, dz = h @ w.T + layer.bias, w @ d
        z_error = error @ abs(w).T + roundings * (abs(h) @ abs(w).T + abs(layer.bias)) + LEAST
        dz_error = abs(w) @ d_error + roundings * (abs(w) @ abs(d)) + LEAST
        h, d, error, d_error = activated(a, z, dz, z_error, dz_error)
    return error, d_error


def activated(
    a: LayerActivation, z: np.ndarray, dz: np.ndarray, z_error: np.ndarray, dz_error: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(h, dh, h's error, dh's error) after an activation; z (N, H), dz (N, H, directions), their errors."""
    parts = []
    for each, first, count in runs(a, z.shape[1]):
        rule = product if each.name in JOINT else softmax if each.is_whole else elementwise
        parts.append(rule(each, *(x[:, first : first + count] for x in (z, dz, z_error, dz_error))))
    h, d, error, d_error = (np.concatenate(some, axis=1) for some in zip(*parts, strict=True))
    return h, d, error, d_error


def elementwise(
    a: Activation, z: np.ndarray, dz: np.ndarray, z_error: np.ndarray, dz_error: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """As `activated`, for an elementwise activation."""
    # Where a is multiplied first, as in sine(f), f z is rounded.
    z_error = z_error + UNIT * abs(z) * a.rule.scaled
    h, slope = a.value(z), a.slope(z)
    least, greatest = span(a, "slope", z - z_error, z + z_error)
    steepest = np.maximum(abs(least), abs(greatest))
    close = np.zeros(z.shape, bool)
    for place in a.rule.gaps(a.argument):
        close |= holds(z - z_error, z + z_error, place, a.rule.period(a.argument))
    ulps = MORE_ULPS.get(a.name, ACTIVATION_ULPS)
    error = np.where(close | np.isnan(steepest) | ~(abs(h) < MOST), np.inf, steepest * z_error)
    error += ulps * UNIT * (abs(h) + (a.name in CANCELLING)) + LEAST
    # Slopes are as accurate as their largest value allows, where they cross 0 between two larger terms.
    size = abs(slope) + (extrema(a, "slope").most if a.name in CROSSING else 0.0)
    slope_error = np.maximum(greatest - slope, slope - least) + ulps * UNIT * size + LEAST
    slope_error = np.where(np.isfinite(error), slope_error, np.inf)[..., None]
    size = abs(dz) + dz_error
    d_error = abs(slope)[..., None] * dz_error + np.where(size > 0, slope_error, 0) * size
    return h, slope[..., None] * dz, error, d_error


# Their values are differences of terms near 1, so the error is some ulp of 1; likewise where slopes cross 0.
CANCELLING = ("sine", "cos", "hard_sigmoid", "gelu_tanh", "tanhshrink")
CROSSING = ("sine", "cos", "gelu", "gelu_tanh", "silu", "swish", "mish", "gaussian")
# z^k is as many products as k has digits, each as far off as what comes in.
MORE_ULPS = {"power": 96}


def softmax(
    a: Activation, z: np.ndarray, dz: np.ndarray, z_error: np.ndarray, dz_error: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """As `activated`, for a softmax over the second axis, or its logarithm."""
    h = Activation("softmax").value(z)
    # Changing all logits by at most e changes each probability by a factor between exp(-2 e) and exp(2 e).
    most = z_error.max(axis=1, keepdims=True)
    exponents = abs(z - z.max(axis=1, keepdims=True))
    factor = np.expm1(2 * most + (2 * ACTIVATION_ULPS + exponents.max(axis=1, keepdims=True) + h.shape[1]) * UNIT)
    error = h * factor + LEAST
    inner = dz - (h[..., None] * dz).sum(axis=1, keepdims=True)
    size = abs(dz) + (h[..., None] * abs(dz)).sum(axis=1, keepdims=True)
    inner_error = (
        dz_error
        + (h[..., None] * dz_error + error[..., None] * (abs(dz) + dz_error)).sum(axis=1, keepdims=True)
        + (h.shape[1] + 4) * UNIT * size
    )
    if a.name == "log_softmax":
        value = a.value(z)
        # All logits off by e move it by 2 e; it is a difference of the logits' and of a logarithm, each rounded.
        size = abs(value) + exponents + np.log(h.shape[1]) + 1
        return value, inner, 2 * most + (ACTIVATION_ULPS + h.shape[1]) * UNIT * size + LEAST, inner_error + LEAST
    d_error = error[..., None] * (abs(inner) + inner_error) + h[..., None] * inner_error + LEAST
    return h, h[..., None] * inner, error, d_error


def product(
    a: Activation, z: np.ndarray, dz: np.ndarray, z_error: np.ndarray, dz_error: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """As `activated`, for products of pairs along the second axis: (x + e) (y + f) - x y = x f + y e + e f."""
    h, d, error, d_error = a.value(z), np.array(dz), np.array(z_error), np.array(dz_error)
    (x, y), (e, f) = ((q[:, ::2], q[:, 1::2]) for q in (z, z_error))
    error[:, ::2] = abs(x) * f + abs(y) * e + e * f + UNIT * abs(x * y) + LEAST
    (x, y), (e, f) = ((q[:, ::2, None], q[:, 1::2, None]) for q in (z, z_error))
    (dx, dy), (de, df) = ((q[:, ::2], q[:, 1::2]) for q in (dz, dz_error))
    d[:, ::2] = x * dy + y * dx
    size = (abs(x) + e) * (abs(dy) + df) + (abs(y) + f) * (abs(dx) + de)
    d_error[:, ::2] = abs(x) * df + e * (abs(dy) + df) + abs(y) * de + f * (abs(dx) + de) + 2 * UNIT * size + LEAST
    return h, d, error, d_error
