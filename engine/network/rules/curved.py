"""Further smooth activations: relatives of relu and tanh, exponentials and areas."""

import math

import numpy as np

from engine.network.rules.rule import (
    Rule,
    RuleParameter,
    of_each,
    quiet,
    sech_squared,
    sigmoid,
    sigmoid_curvature,
    sigmoid_slope,
)

# Klambauer et al. 2017, as PyTorch has them.
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)
# tanh's series, by which z - tanh(z) keeps its digits near 0.
TANH_SERIES = (1 / 3, -2 / 15, 17 / 315, -62 / 2835, 1382 / 155925, -21844 / 6081075)


EXP, SINH, COSH = (quiet(lambda z, a, f=f: f(z)) for f in (np.exp, np.sinh, np.cosh))


def _below(z):
    return np.minimum(z, 0.0)


def _selu(outer):
    """A part of selu from the same part of its curve below 0."""
    return lambda z, a: np.where(z > 0, 0.0, SELU_SCALE * SELU_ALPHA * outer(_below(z)))


def _mish_parts(z):
    """tanh(softplus(z)) and its two derivatives, by exp(-|z|): no term grows."""
    e = np.exp(-np.abs(z))
    up = z >= 0
    d = np.where(up, 1 + 2 * e + 2 * e * e, 2 + 2 * e + e * e)
    t = np.where(up, 1 + 2 * e, e * (2 + e)) / d
    first = 4 * e * (1 + e) * np.where(up, e, 1.0) / d**2
    rest = np.where(up, (e + 2) * d, (1 + 2 * e) * d) - 4 * (1 + e) ** 2 * np.where(up, 1.0, e)
    return t, first, 4 * e * np.where(up, e, 1.0) * rest / d**3


def _mish(z, a):
    return z * _mish_parts(z)[0]


def _mish_slope(z, a):
    t, first, _ = _mish_parts(z)
    return t + z * first


def _mish_curvature(z, a):
    _, first, second = _mish_parts(z)
    return 2 * first + z * second


def _gelu_tanh_parts(z):
    """g, g' and g'' of gelu_tanh(z) = z sigmoid(g); past 30 sigmoid no longer changes."""
    x, k = np.clip(z, -30.0, 30.0), 2.0 * math.sqrt(2.0 / math.pi)
    return x, k * (x + 0.044715 * x**3), k * (1 + 0.134145 * x * x), k * 0.26829 * x


def _gelu_tanh_slope(z, a):
    x, g, g1, _ = _gelu_tanh_parts(z)
    return sigmoid(g) + x * sigmoid_slope(g) * g1


def _gelu_tanh_curvature(z, a):
    x, g, g1, g2 = _gelu_tanh_parts(z)
    return sigmoid_slope(g) * (2 * g1 + x * g2) + x * sigmoid_curvature(g) * g1 * g1


def _tanhshrink(z, a):
    x = np.clip(z, -0.05, 0.05)
    q, p = x * x, 0.0
    for c in reversed(TANH_SERIES):
        p = p * q + c
    return np.where(np.abs(z) < 0.05, x * q * p, z - np.tanh(z))


CURVED = {
    "gelu_tanh": Rule(
        value=lambda z, a: z * sigmoid(_gelu_tanh_parts(z)[1]),
        slope=_gelu_tanh_slope,
        curvature=_gelu_tanh_curvature,
    ),
    "mish": Rule(value=_mish, slope=_mish_slope, curvature=_mish_curvature),
    "selu": Rule(
        value=lambda z, a: _selu(np.expm1)(z, a) + SELU_SCALE * np.maximum(z, 0.0),
        slope=lambda z, a: _selu(np.exp)(z, a) + np.where(z > 0, SELU_SCALE, 0.0),
        curvature=_selu(np.exp),
        kinks=lambda a: ((0.0, SELU_SCALE * (1.0 - SELU_ALPHA)),),
        rate=lambda a: 1.0,
    ),
    "celu": Rule(
        value=lambda z, a: np.where(z > 0, z, a * np.expm1(_below(z) / a)),
        slope=lambda z, a: np.where(z > 0, 1.0, np.exp(_below(z) / a)),
        curvature=lambda z, a: np.where(z > 0, 0.0, np.exp(_below(z) / a) / a),
        kinks=lambda a: ((0.0, 0.0),),
        scale=lambda a: a,
        rate=lambda a: 1.0 / a,
        scaled=4.0,
        parameters=(RuleParameter("alpha", 1.0, above=0.0),),
        optional=True,
    ),
    "log_sigmoid": Rule(
        value=lambda z, a: np.minimum(z, 0.0) - np.log1p(np.exp(-np.abs(z))),
        slope=lambda z, a: sigmoid(-z),
        curvature=lambda z, a: -sigmoid_slope(z),
        rate=lambda a: 1.0,
    ),
    "softsign": Rule(
        value=lambda z, a: z / (1.0 + np.abs(z)),
        slope=lambda z, a: (1.0 / (1.0 + np.abs(z))) ** 2,
        curvature=lambda z, a: -2.0 * np.sign(z) * (1.0 / (1.0 + np.abs(z))) ** 3,
        kinks=lambda a: ((0.0, 0.0),),
        rate=lambda a: 2.0,
    ),
    "tanhshrink": Rule(
        value=_tanhshrink,
        slope=lambda z, a: np.tanh(z) ** 2,
        curvature=lambda z, a: 2.0 * np.tanh(z) * sech_squared(z),
    ),
    "erf": Rule(
        value=lambda z, a: of_each(math.erf, z),
        slope=lambda z, a: TWO_OVER_ROOT_PI * np.exp(-z * z),
        curvature=lambda z, a: -2.0 * z * (TWO_OVER_ROOT_PI * np.exp(-z * z)),
        fades=True,
    ),
    "atan": Rule(
        value=lambda z, a: np.arctan(z),
        slope=lambda z, a: (1.0 / np.hypot(1.0, z)) ** 2,
        curvature=lambda z, a: -2.0 * (z / np.hypot(1.0, z)) * (1.0 / np.hypot(1.0, z)) ** 3,
        rate=lambda a: 1.0,
    ),
    "asinh": Rule(
        value=lambda z, a: np.arcsinh(z),
        slope=lambda z, a: 1.0 / np.hypot(1.0, z),
        curvature=lambda z, a: -(z / np.hypot(1.0, z)) * (1.0 / np.hypot(1.0, z)) ** 2,
        rate=lambda a: 0.5,
    ),
    "exp": Rule(EXP, EXP, EXP, rate=lambda a: 1.0, tame=False),
    "sinh": Rule(SINH, COSH, SINH, rate=lambda a: 1.0, tame=False),
    "cosh": Rule(COSH, SINH, COSH, tame=False),
}
