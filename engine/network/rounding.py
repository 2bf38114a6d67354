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
# Of a network of more weights, whose evaluation takes as long for one point as for thirty, fewer pairs, and the way cut
# into more parts a time, as often as such a number of weights read allows: 2-1024x27-3 took 3 s by halving, and 0.8 s.
LARGE, LARGE_STEEPEST, LARGE_PARTS, LARGE_READ = 8_000_000, 2, 16, 1.2e8


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
    pairs, parts, times = _search(net)
    most = np.argsort(-_apart(at_a, at_b), kind="stable")[:pairs]
    a, b, at_a, at_b = a[most], b[most], at_a[most], at_b[most]
    visited = []
    which, shares = np.arange(len(a)), np.arange(1, parts)[:, None, None]
    for _ in range(times):
        inner = np.asarray(((parts - shares) * a + shares * b) / parts, np.float32)
        found = net(inner.reshape(-1, net.inputs)).reshape(*inner.shape[:2], net.outputs)
        places, values = np.concatenate([[a], inner, [b]]), np.concatenate([[at_a], found, [at_b]])
        steps = [_apart(x, y) for x, y in zip(values, values[1:], strict=False)]
        at = np.argmax(steps, axis=0)
        new = np.clip(at, 1, parts - 1), which
        visited.append((places[new].astype(np.float32), values[new]))
        a, b, at_a, at_b = places[at, which], places[at + 1, which], values[at, which], values[at + 1, which]
    return tuple(np.concatenate(some) for some in zip(*visited, strict=True))


def _search(net):
    """(pairs between which the steepest place is looked for, parts that the way is cut into, how often)."""
    if net.weight_count <= LARGE:
        return STEEPEST, 2, HALVINGS
    return LARGE_STEEPEST, LARGE_PARTS, int(np.clip(LARGE_READ / net.weight_count, 1, 5))


def _apart(a, b):
    """(N,): the largest difference of two points' outputs."""
    return np.nan_to_num(abs(a - b)).max(axis=1, initial=0.0)
