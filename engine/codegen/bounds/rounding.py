"""How far float32 may move the sums of a layer at most, by norms: a second bound beside that of each unit.

A bound by units multiplies by |W| in every layer, as if all errors had the sign that adds up. The length of the vector
of errors grows by the spectral norm of W at most, which is several times less where weights are of both signs (Higham
2002, Accuracy and Stability of Numerical Algorithms, chapters 3 and 6). Where activations are bounded, so are the
lengths of what they give, whatever the point.
"""

import numpy as np

from engine.codegen.bounds.ranges import SINE_MOST, accuracy
from engine.kept import kept
from engine.network.activations import Activation
from engine.network.mlp import Layer, Mlp
from engine.network.rules.extrema import REACH, extrema
from engine.network.units.mixed import runs

# One unit in the last place of 1 in float32: WGSL may round either way.
ULP = 2.0**-23
# The same of float64, for values that are computed in it; numpy's functions are off by at most so many of them.
ULP64, OWN_ULP64 = 2.0**-52, 8.0
# No limit.
NONE = 3e38
# Roundings of a term besides the sums of blocks of four: its product and two sums in its block; and some to spare.
OWN_ROUNDINGS = 3.1
# Layers wider than this have their spectral norm bounded by the powers of a matrix, since it takes too long.
EXACT_NORM, SQUARINGS = 128, 4
# What underflow may lose in a layer: the terms of `arithmetic/parabola`, with room.
LOST = 1e-25


def rounding_limits(net: Mlp, reach: float, ulp: float = ULP) -> list[float]:
    """For each layer a bound of how far rounding moves any of its sums; NONE where there is none.

    reach   of every ray the length of its origin and its own length are at most this together, world units
    ulp     ULP: as the GPU computes sums, in blocks of four; ULP64: as numpy does in float64, in any order
    """
    return [sums for sums, _ in _limits(net, reach, ulp)]


def output_limit(net: Mlp, reach: float, ulp: float = ULP) -> float:
    """The same of the network's outputs, behind the last activation."""
    return [*_limits(net, reach, ulp)][-1][1]


def _limits(net, reach, ulp):
    """Of each layer the bounds for its sums and for its responses."""
    # Bounds of the lengths of a layer's inputs and of the errors in them; of points as `lib/piece` computes them.
    size, error = float(reach), 8 * ulp * float(reach)
    for layer in net.layers:
        sums, moved = _through_sums(layer, size, error, ulp)
        size, error = _through_activations(layer, sums, moved, ulp)
        yield tuple(min(x * (1 + 1e-6) + LOST, NONE) for x in (moved, error))


def _through_sums(layer, size, error, ulp):
    weights, bias = layer.weights.astype(float), float(np.linalg.norm(layer.bias))
    factor = spectral_norm(weights)
    sums = weights.shape[1] if ulp == ULP64 else -(-weights.shape[1] // 4)
    roundings = (sums + OWN_ROUNDINGS) * ulp
    with np.errstate(over="ignore", invalid="ignore"):
        moved = factor * error + roundings * (spectral_norm(abs(weights)) * (size + error) + bias)
        # Infinity times 0: nothing is known.
        return factor * size + bias, float(np.nan_to_num(moved, nan=np.inf))


def _through_activations(layer: Layer, size: float, error: float, ulp: float) -> tuple[float, float]:
    squares = np.zeros(2)
    for activation, _, count in runs(layer.activation, len(layer.bias)):
        squares += np.square(_through_one(activation, count, size, error, ulp))
    result, moved = np.sqrt(squares)
    return float(result), float(moved)


def _through_one(activation, count, size, error, ulp):
    """The lengths of the responses of `count` units and of their errors, where both of all sums are given."""
    if not activation.rule.elementwise:
        return np.inf, np.inf
    slope = extrema(activation, "slope").most
    period = activation.rule.period(activation.argument)
    if not np.isfinite(slope * size) or (period and size > SINE_MOST * period / (2 * np.pi)):
        return np.inf, np.inf
    relative, absolute = accuracy(activation, "value") if ulp == ULP else (OWN_ULP64, OWN_ULP64)
    absolute *= max([1.0, *map(abs, activation.parameters)])
    most = abs(float(activation.value(np.zeros(1))[0])) * count**0.5 + slope * size
    most = min(most, largest_value(activation) * count**0.5)
    moved = slope * (error + activation.rule.scaled * ulp * (size + error))
    return most, moved + ulp * (relative * most + absolute * count**0.5) + LOST


def spectral_norm(weights: np.ndarray) -> float:
    """A bound of the largest singular value of a matrix, float64; that itself where it is small."""
    if max(weights.shape) <= EXACT_NORM:
        return float(np.linalg.norm(weights, 2)) * (1 + 1e-9)
    # The largest singular value of W' W to the power 2^k is at most its length: the root of that is close.
    power = weights.T @ weights if weights.shape[0] > weights.shape[1] else weights @ weights.T
    root = 0.5
    scale = float(np.linalg.norm(power))
    if not 0.0 < scale < np.inf:
        return float(np.linalg.norm(weights))
    length = scale**root
    for _ in range(SQUARINGS):
        power = power / scale
        power = power @ power
        root /= 2
        scale = float(np.linalg.norm(power))
        length *= scale**root
    return length * (1 + 1e-9)


@kept
def largest_value(activation: Activation) -> float:
    """A bound of |s| anywhere; infinite where it has none."""
    far = REACH * activation.rule.scale(activation.argument)
    z, step = np.linspace(-far, far, 20001, retstep=True)
    with np.errstate(all="ignore"):
        ends = activation.value(np.array([-1e30, 1e30]))
        values = abs(np.concatenate([activation.value(z), ends]))
    if not (np.isfinite(values).all() and abs(ends).max() < 1e6):
        return float(np.inf)
    return float(values.max()) + extrema(activation, "slope").most * float(step)
