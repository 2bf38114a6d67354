"""Bounds of a network's output over a piece of a ray, in float64: the twin of the parabola enclosure, for any depth.

Along a piece, with x from 0 to 1, every signal y lies in the line through its two end values plus 4 x (1 - x) times an
interval [low, high], its remainder. Four rules take remainders through a network:

- the first layer is linear along a ray: no remainder
- an affine layer multiplies the intervals by W; the bias only enters the end values
- a product of two signals, by both their chords and remainders
- an activation s adds its own: s less its chord is 4 x (1 - x) times -s''(eta) (z1 - z0)^2 / 8 for some eta between
  (the interpolation error), and z's remainder is multiplied by s'(xi) for some xi (the mean value theorem)
"""

from dataclasses import dataclass

import numpy as np

from engine.network.activations import JOINT, Activation
from engine.network.mlp import Mlp
from engine.network.rules.extrema import span
from engine.network.units.mixed import runs

# One unit in the last place of 1, in float64.
ULP = 2.0**-52


@dataclass(frozen=True)
class End:
    """A network at one point of each of N rays.

    signals        z of every layer, (N, H) each
    error_bounds   bounds of how far rounding has moved them
    value          (N,) output number 0
    error_bound    (N,) bounds of its rounding
    """

    signals: list[np.ndarray]
    error_bounds: list[np.ndarray]
    value: np.ndarray
    error_bound: np.ndarray


# What each joint activation's output 0 is of its margin.
OF_MARGIN = {"softmax": Activation("sigmoid"), "log_softmax": Activation("log_sigmoid")}


def _margin(logits):
    """z0 - log sum exp of the others."""
    rest = logits[:, 1:]
    most = rest.max(axis=1, keepdims=True)
    return logits[:, :1] - most - np.log(np.exp(rest - most).sum(axis=1, keepdims=True))


def _through(layer_activation, z, error_bound):
    """s(z), and how far off it is when z is off by error_bound and s by 8 ulp."""
    parts = []
    for activation, first, count in runs(layer_activation, z.shape[1]):
        here = slice(first, first + count)
        through = _through_product if activation.name in JOINT else _through_each
        parts.append(through(activation, z[:, here], error_bound[:, here]))
    h, error_bound = (np.concatenate(some, axis=1) for some in zip(*parts, strict=True))
    return h, error_bound


def _through_product(activation, z, error_bound):
    h, error = activation.value(z), error_bound.copy()
    x, y, e, f = z[:, ::2], z[:, 1::2], error_bound[:, ::2], error_bound[:, 1::2]
    error[:, ::2] = np.abs(x) * f + np.abs(y) * e + e * f + ULP * np.abs(x * y)
    return h, error


def _through_each(activation, z, error_bound):
    h = activation.value(z)
    # An argument a z is rounded before the function of it is taken.
    own = error_bound + activation.rule.scaled * ULP * np.abs(z)
    least, greatest = span(activation, "slope", z - own, z + own)
    return h, np.maximum(np.abs(least), np.abs(greatest)) * own + 8 * ULP * np.abs(h)


def end_within(net: Mlp, points: np.ndarray, limits: list[float]) -> End:
    """The End at points (N, 3), float64, of which `rounding_limits` are known: for half the products."""
    signals, error_bounds, h = [], [], points
    for layer, limit in zip(net.layers, limits, strict=False):
        z = h @ layer.weights.T.astype(float) + layer.bias
        signals.append(z)
        error_bounds.append(np.full((1, z.shape[1]), limit))
        h = layer.activation.value(z)
    return End(signals, error_bounds, h[:, 0], np.full(len(h), limits[-1]))


def end_at(net: Mlp, origins: np.ndarray, directions: np.ndarray, t: np.ndarray) -> End:
    """The End of each ray at origins + t directions; arrays (N, 3), (N, 3), (N,) in float64."""
    signals, error_bounds = [], []
    h = origins + t[:, None] * directions
    strain = np.zeros_like(h)
    for i, layer in enumerate(net.layers):
        w, b = layer.weights.astype(float), layer.bias.astype(float)
        size = np.abs(h) @ np.abs(w).T + np.abs(b)
        z = h @ w.T + b
        error_bound = (w.shape[1] + 3) * ULP * size + strain @ np.abs(w).T
        signals.append(z)
        error_bounds.append(error_bound)
        if layer.activation.is_whole:
            z, error_bound = (
                _margin(z),
                2 * error_bound.max(axis=1, keepdims=True) + 16 * ULP * (1 + np.abs(z).max(axis=1, keepdims=True)),
            )
            signals.append(z)
            error_bounds.append(error_bound)
            h, strain = _through(OF_MARGIN[layer.activation.name], z, error_bound)
        else:
            h, strain = _through(layer.activation, z, error_bound)
        assert i == len(net.layers) - 1 or not layer.activation.is_whole
    return End(signals, error_bounds, h[:, 0], strain[:, 0])


def _stray(layer_activation, z0, z1, error_bound, low, high):
    """The remainder (low, high) of s(z), from the ends of z and z's own remainder [low, high]."""
    parts = []
    for activation, first, count in runs(layer_activation, z0.shape[1]):
        stray = _stray_product if activation.name in JOINT else _stray_each
        parts.append(stray(activation, *(x[:, first : first + count] for x in (z0, z1, error_bound, low, high))))
    low, high = (np.concatenate(some, axis=1) for some in zip(*parts, strict=True))
    return low, high


def _stray_product(_, z0, z1, error_bound, low, high):
    """Of pairs f, g along chords f', g' with remainders F, G, u = 4 x (1 - x) in [0, 1].

    f g = f' g' + u (f' G + g' F + u F G), and f' g' is u times -(change of f') (change of g') / 4 off its own chord.
    """
    low, high = low.copy(), high.copy()
    least, most = np.minimum(z0, z1) - error_bound, np.maximum(z0, z1) + error_bound
    change = z1 - z0
    slack = 2 * error_bound
    f, g = (_Interval(least[:, k::2], most[:, k::2]) for k in (0, 1))
    df, dg = (_Interval((change - slack)[:, k::2], (change + slack)[:, k::2]) for k in (0, 1))
    rf, rg = (_Interval(low[:, k::2], high[:, k::2]) for k in (0, 1))
    both = rf.times(rg)
    bent = df.times(dg)
    cross_f, cross_g = f.times(rg), g.times(rf)
    low[:, ::2] = cross_f.low + cross_g.low + np.minimum(both.low, 0) - bent.high / 4
    high[:, ::2] = cross_f.high + cross_g.high + np.maximum(both.high, 0) - bent.low / 4
    return low, high


@dataclass(frozen=True)
class _Interval:
    low: np.ndarray
    high: np.ndarray

    def times(self, other):
        products = np.stack([x * y for x in (self.low, self.high) for y in (other.low, other.high)])
        return _Interval(products.min(axis=0), products.max(axis=0))


def _stray_each(activation, z0, z1, error_bound, low, high):
    least, most = np.minimum(z0, z1) - error_bound, np.maximum(z0, z1) + error_bound
    # A curvature of one sign bends s least where the ends are closest.
    width, narrow = np.abs(z1 - z0) + 2 * error_bound, np.maximum(np.abs(z1 - z0) - 2 * error_bound, 0)
    c_low, c_high = span(activation, "curvature", least, most)
    own_low = -c_high * np.where(c_high > 0, width, narrow) ** 2 / 8
    own_high = -c_low * np.where(c_low < 0, width, narrow) ** 2 / 8
    # Over a kink the chord is off by at most the jump of the slope times a quarter of the width.
    for place, jump in activation.rule.kinks(activation.argument):
        stray = np.where((least < place) & (most > place), jump * width / 4, 0.0)
        own_low, own_high = own_low - np.maximum(stray, 0), own_high - np.minimum(stray, 0)
    s_low, s_high = span(activation, "slope", least + np.minimum(low, 0), most + np.maximum(high, 0))
    products = _Interval(s_low, s_high).times(_Interval(low, high))
    return own_low + products.low, own_high + products.high


def remainder(net: Mlp, near: End, far: End) -> tuple[np.ndarray, np.ndarray]:
    """(low, high), (N,) each: between two Ends, output - chord is 4 x (1 - x) times a number from low to high."""
    low = high = np.zeros_like(near.signals[0])
    for i, layer in enumerate(net.layers):
        w = layer.weights.astype(float)
        if i:
            middle, radius = (low + high) / 2, (high - low) / 2
            middle, radius = middle @ w.T, (radius + w.shape[1] * ULP * (np.abs(middle) + radius)) @ np.abs(w).T
            low, high = middle - radius, middle + radius
        z0, z1, error_bound = near.signals[i], far.signals[i], np.maximum(near.error_bounds[i], far.error_bounds[i])
        if not layer.activation.is_whole:
            low, high = _stray(layer.activation, z0, z1, error_bound, low, high)
        else:
            # log sum exp bends by the variance of the logits' changes, at most their spread squared over 4.
            change = (z1 - z0)[:, 1:]
            spread = np.ptp(change, axis=1) + 4 * error_bound.max(axis=1)
            rest_low, rest_high = low[:, 1:].min(axis=1) - spread**2 / 32, high[:, 1:].max(axis=1)
            errors = near.error_bounds[i + 1], far.error_bounds[i + 1]
            m_low, m_high = (low[:, 0] - rest_high)[:, None], (high[:, 0] - rest_low)[:, None]
            ends, error_bound = (near.signals[i + 1], far.signals[i + 1]), np.maximum(*errors)
            low, high = _stray(OF_MARGIN[layer.activation.name], *ends, error_bound, m_low, m_high)
    pad = 8 * ULP * np.maximum(np.abs(low), np.abs(high))[:, 0]
    return low[:, 0] - pad, high[:, 0] + pad
