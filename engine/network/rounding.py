"""How far a network's values in float32 are from the exact ones: what is found at many points, and what could be."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.network.mlp import Mlp

# {precision: (its dtype, twice its half ulp: a GPU may round either way)}
PRECISIONS = {"f32": (np.float32, 2.0**-23), "f16": (np.float16, 2.0**-10)}
# An activation's own error, in such units of its value (see reference.field).
ACTIVATION_UNITS = 8
# Pairs of neighbouring points between which the steepest place is looked for, and how often the way is halved: from
# neighbours in a picture to the spacing of float32.
STEEPEST, HALVINGS = 16, 20


class Rounding(NamedTuple):
    """The largest errors of a network's outputs at some points.

    measured   between float32 and float64, both computed by numpy; other orders of summation err about as much
    possible   if each sum were off, at random, by up to what its rounding may come to
    points     how many
    """

    measured: float
    possible: float
    points: int


def rounding(net: Mlp, grid: ArrayLike, precision: str = "f32") -> Rounding:
    """The Rounding of a network on a grid of points, and at the steepest places between neighbours on it.

    grid        (rows, columns, inputs)
    precision   f32 or f16
    """
    points = np.asarray(grid, np.float32)
    with np.errstate(all="ignore"):
        values = net(points.reshape(-1, net.inputs)).reshape(*points.shape[:2], -1)
        more, more_values = _steep(net, points.astype(float), values)
        points = np.concatenate([points.reshape(-1, net.inputs), more])
        exact = np.concatenate([values.reshape(-1, net.outputs), more_values])
        measured, possible = (_largest(h(net, points, precision) - exact) for h in (_rounded, _moved))
    return Rounding(measured, possible, len(points))


def _largest(errors):
    # Where float32 overflows on the way, as float64 does not, nothing is left of the value.
    errors = abs(errors[~np.isnan(errors)])
    return float(errors.max()) if errors.size else 0.0


def _rounded(net, points, precision):
    """The outputs with every layer's weights, sums and responses rounded."""
    dtype, _ = PRECISIONS[precision]
    h = points
    for layer in net.layers:
        z = (h @ layer.weights.astype(dtype).astype(np.float32).T + layer.bias).astype(dtype)
        h = np.asarray(layer.activation.value(z.astype(np.float32)), dtype).astype(np.float32)
    return h


def _moved(net, points, precision):
    """The outputs in float64, each sum moved by a random part of its rounding's bound: n roundings of the sum of
    magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1)."""
    unit, random = PRECISIONS[precision][1], np.random.default_rng(0)
    h = points.astype(float)
    for layer in net.layers:
        w = layer.weights.astype(float)
        size = (w.shape[1] + 4) * unit * (abs(h) @ abs(w).T + abs(layer.bias))
        h = layer.activation.value(h @ w.T + layer.bias + size * random.uniform(-1, 1, size.shape))
        h = h * (1.0 + ACTIVATION_UNITS * unit * random.uniform(-1, 1, h.shape))
    return h


def _steep(net, grid, values):
    """(N, inputs) and (N, outputs): points that close in on the steepest places between the neighbours whose outputs
    differ most, and their outputs. Networks that saturate err on lines thinner than a grid's spacing.
    """
    pairs = [(grid[:, :-1], grid[:, 1:], values[:, :-1], values[:, 1:]), (grid[:-1], grid[1:], values[:-1], values[1:])]
    a, b, at_a, at_b = (np.concatenate([x.reshape(-1, x.shape[-1]) for x in some]) for some in zip(*pairs, strict=True))
    most = np.argsort(-_apart(at_a, at_b), kind="stable")[:STEEPEST]
    a, b, at_a, at_b = a[most], b[most], at_a[most], at_b[most]
    visited = []
    for _ in range(HALVINGS):
        middle = np.asarray(0.5 * (a + b), np.float32)
        value = net(middle)
        visited.append((middle, value))
        nearer = (_apart(at_a, value) >= _apart(value, at_b))[:, None]
        a, b = np.where(nearer, a, middle), np.where(nearer, middle, b)
        at_a, at_b = np.where(nearer, at_a, value), np.where(nearer, value, at_b)
    return tuple(np.concatenate(some) for some in zip(*visited, strict=True))


def _apart(a, b):
    """(N,): the largest difference of two points' outputs."""
    return np.nan_to_num(abs(a - b)).max(axis=1, initial=0.0)
