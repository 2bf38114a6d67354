"""Planes that bound a network's output over boxes, in float64: linear forms taken back to the inputs from every layer.

Source: H. Zhang et al., Efficient neural network robustness certification with general activation functions (CROWN),
NeurIPS 2018. Every unit's response is relaxed to slope z + [low, high] over the range of its sum z. A row of a layer's
weights is a linear form of the responses before it; with their relaxations it becomes one of the responses before
those, and at last one of the inputs, whose range over a box is known: that is the range of the row's own sum.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.network.activations import Activation
from engine.network.mlp import Layer, Mlp
from engine.network.rules.extrema import OPEN, holds, span
from engine.network.units.mixed import runs

# One unit in the last place of 1, in float64.
ULP = 2.0**-52


@dataclass(frozen=True)
class Relaxation:
    """The responses of a layer over N boxes, as linear forms of W h, its sums without biases.

    slopes, low, high   (N, H): each response is in slopes W h + [low, high]
    crosses             (N, H): what the unit before adds to it per unit of this one's W h; of products only
    strain              (N, H): what rounding may make of a row taken through, for coefficients of 1
    size                (N, H) the largest magnitudes of the responses
    """

    slopes: np.ndarray
    crosses: np.ndarray
    low: np.ndarray
    high: np.ndarray
    strain: np.ndarray
    size: np.ndarray


class _Relaxed(NamedTuple):
    """s(z) in slope z + [low, high] over intervals, and the largest |s|."""

    slope: np.ndarray
    low: np.ndarray
    high: np.ndarray
    size: np.ndarray


def lines(activation: Activation, low: np.ndarray, high: np.ndarray) -> _Relaxed:
    """The narrowest of three relaxations of an activation over the intervals [low, high].

    The chord: between the ends, and kinks inside, s leaves it by at most its curvature times the width squared over 8.
    The mean value theorem from the middle. And its values alone.
    """
    p, q = activation.value(low), activation.value(high)
    s_low, s_high = span(activation, "slope", low, high)
    c_low, c_high = span(activation, "curvature", low, high)
    width, most = high - low, np.maximum(np.abs(low), np.abs(high))
    chord = np.clip((q - p) / np.where(width > 0, width, 1), s_low, s_high)
    ends = [p - chord * low, q - chord * high]
    for z, _ in activation.rule.kinks(activation.argument):
        ends.append(np.where(holds(low, high, z, 0), activation.value(z) - chord * z, ends[0]))
    bend, pad = width**2 / 8, 8 * ULP * (np.abs(p) + np.abs(q) + np.abs(chord) * most)
    found = [
        (
            chord,
            np.min(ends, 0) - np.maximum(c_high, 0) * bend - pad,
            np.max(ends, 0) - np.minimum(c_low, 0) * bend + pad,
        )
    ]
    middle, slope = (low + high) / 2, (s_low + s_high) / 2
    s = activation.value(middle)
    spread = (s_high - s_low) / 2 * width / 2 + 8 * ULP * (np.abs(s) + np.abs(slope) * most)
    found.append((slope, s - slope * middle - spread, s - slope * middle + spread))
    least, greatest = span(activation, "value", low, high)
    found.append((np.zeros_like(p), least, greatest))
    best = np.argmin([b - a for _, a, b in found], axis=0)
    slope, a, b = (np.choose(best, parts) for parts in zip(*found, strict=True))
    return _Relaxed(slope, a, b, np.maximum(-least, greatest))


def _products(low, high):
    """Of pairs f, g round their middles: f g = g0 f + f0 g - f0 g0 + (f - f0) (g - g0); (lines, crosses)."""
    middle, radius, most = (low + high) / 2, (high - low) / 2, np.maximum(np.abs(low), np.abs(high))
    slope, crosses, a, b, size = np.ones_like(low), np.zeros_like(low), 0 * low, 0 * low, most.copy()
    slope[:, ::2], crosses[:, 1::2] = middle[:, 1::2], middle[:, ::2]
    size[:, ::2] = most[:, ::2] * most[:, 1::2]
    both, off = radius[:, ::2] * radius[:, 1::2] + 8 * ULP * size[:, ::2], middle[:, ::2] * middle[:, 1::2]
    a[:, ::2], b[:, ::2] = -off - both, both - off
    return _Relaxed(slope, a, b, size), crosses


def relaxation(layer: Layer, low: np.ndarray, high: np.ndarray, size: np.ndarray) -> Relaxation:
    """The Relaxation of a layer whose sums are in [low, high], (N, H); size (N, inputs): magnitudes of its inputs."""
    parts = []
    for activation, first, count in runs(layer.activation, low.shape[1]):
        a, b = low[:, first : first + count], high[:, first : first + count]
        if activation.name == "identity":
            one = _Relaxed(np.ones_like(a), 0 * a, 0 * a, np.maximum(np.abs(a), np.abs(b))), 0 * a
        else:
            one = _products(a, b) if activation.name == "product" else (lines(activation, a, b), 0 * a)
        parts.append((*one[0], one[1]))
    slope, a, b, most, crosses = (np.concatenate(some, axis=1) for some in zip(*parts, strict=True))
    bias, weights = layer.bias.astype(float), np.abs(layer.weights.astype(float))
    # Of a pair's first unit the second takes a part.
    other = np.zeros_like(crosses)
    other[:, : 2 * (other.shape[1] // 2) : 2] = crosses[:, 1::2]
    partner = np.arange(other.shape[1]) ^ 1
    partner[partner >= len(partner)] = len(partner) - 1
    terms = size @ weights.T + np.abs(bias)
    shift = slope * bias + other * bias[partner]
    a, b = a + shift, b + shift
    taken = np.abs(slope) * terms + np.abs(other) * terms[:, partner]
    strain = (weights.shape[1] + 16) * 2 * ULP * (taken + np.maximum(np.abs(a), np.abs(b)))
    return Relaxation(slope, crosses, a, b, strain, most)


@dataclass(frozen=True)
class Planes:
    """Of N boxes: slopes . p + low <= f(p) <= slopes . p + high, and least <= f <= most over each.

    slopes (N, 3), the others (N,)
    """

    slopes: np.ndarray
    low: np.ndarray
    high: np.ndarray
    least: np.ndarray
    most: np.ndarray


def planes(net: Mlp, centres: np.ndarray, sides: np.ndarray) -> Planes:
    """The Planes of output 0 over the boxes centres +- sides, (N, 3) each.

    net   a network whose last layer is linear, as parts.linear_end gives it, of activations that have bounds
    """
    known: list[Relaxation] = []
    reach = np.abs(centres) + sides
    for i, layer in enumerate(net.layers):
        weights, bias = layer.weights.astype(float), layer.bias.astype(float)
        if i == len(net.layers) - 1:
            weights, bias = weights[:1], bias[:1]
        form = np.broadcast_to(weights, (len(centres), *weights.shape))
        low = high = np.broadcast_to(bias, form.shape[:2])
        strain = np.zeros_like(low)
        for before, r in zip(net.layers[i - 1 :: -1] if i else (), known[::-1], strict=True):
            above, below = np.maximum(form, 0), np.minimum(form, 0)
            apply = lambda a, v: np.einsum("nij,nj->ni", a, v)
            low, high = (
                low + apply(above, r.low) + apply(below, r.high),
                high + apply(above, r.high) + apply(below, r.low),
            )
            strain = strain + apply(above - below, r.strain)
            crossed = form * r.slopes[:, None]
            odd = r.crosses[:, 1::2]
            crossed[:, :, 1::2] += form[:, :, 0 : 2 * odd.shape[1] : 2] * odd[:, None]
            form = crossed @ before.weights.astype(float)
        low, high = low - strain, high + strain
        middle, radius = np.einsum("nij,nj->ni", form, centres), np.einsum("nij,nj->ni", np.abs(form), sides)
        radius = radius + 16 * ULP * (np.einsum("nij,nj->ni", np.abs(form), reach) + np.abs(low) + np.abs(high))
        least, most = low + middle - radius, high + middle + radius
        if i < len(net.layers) - 1:
            known.append(relaxation(layer, least, most, known[-1].size if known else reach))
    # Over a gap, such as a pole, responses have no bounds.
    none = np.any([(r.size >= OPEN).any(axis=1) for r in known], axis=0)
    out = lambda x, far: np.where(none, far, x[:, 0])
    return Planes(form[:, 0], out(low, -np.inf), out(high, np.inf), out(least, -np.inf), out(most, np.inf))
