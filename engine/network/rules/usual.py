"""The activations that most networks have."""

import math

import numpy as np

from engine.network.rules.rule import (
    Rule,
    RuleParameter,
    density,
    normal_cdf,
    sech_squared,
    sigmoid,
    sigmoid_curvature,
    sigmoid_slope,
)


def _swish_curvature(z, a):
    x = a * z
    return a * sigmoid_slope(x) * (2.0 + x * (1.0 - 2.0 * sigmoid(x)))


USUAL = {
    "identity": Rule(value=lambda z, a: z, slope=lambda z, a: np.ones_like(z)),
    "relu": Rule(
        value=lambda z, a: np.maximum(z, 0.0),
        slope=lambda z, a: np.where(z > 0, 1.0, 0.0),
        kinks=lambda a: ((0.0, 1.0),),
    ),
    "leaky_relu": Rule(
        value=lambda z, a: np.where(z > 0, z, a * z),
        slope=lambda z, a: np.where(z > 0, 1.0, a),
        kinks=lambda a: ((0.0, 1.0 - a),),
        parameters=(RuleParameter("slope", 0.01),),
    ),
    "elu": Rule(
        value=lambda z, a: np.where(z > 0, z, a * np.expm1(np.minimum(z, 0.0))),
        slope=lambda z, a: np.where(z > 0, 1.0, a * np.exp(np.minimum(z, 0.0))),
        curvature=lambda z, a: np.where(z > 0, 0.0, a * np.exp(np.minimum(z, 0.0))),
        kinks=lambda a: ((0.0, 1.0 - a),),
        rate=lambda a: 1.0,
        parameters=(RuleParameter("alpha", 1.0),),
    ),
    "softplus": Rule(
        value=lambda z, a: np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(a * z))) / a,
        slope=lambda z, a: sigmoid(a * z),
        curvature=lambda z, a: a * sigmoid_slope(a * z),
        scale=lambda a: 1.0 / a,
        rate=lambda a: a,
        scaled=1.0,
        parameters=(RuleParameter("beta", 1.0, above=0.0),),
        optional=True,
    ),
    "gelu": Rule(
        value=lambda z, a: z * normal_cdf(z),
        slope=lambda z, a: normal_cdf(z) + z * density(z),
        curvature=lambda z, a: density(z) * (2.0 - z * z),
    ),
    "silu": Rule(
        value=lambda z, a: z * sigmoid(z),
        slope=lambda z, a: sigmoid(z) + z * sigmoid_slope(z),
        curvature=lambda z, a: _swish_curvature(z, 1.0),
    ),
    "tanh": Rule(
        value=lambda z, a: np.tanh(z),
        slope=lambda z, a: sech_squared(z),
        curvature=lambda z, a: -2.0 * np.tanh(z) * sech_squared(z),
        rate=lambda a: 2.0,
    ),
    "sigmoid": Rule(
        value=lambda z, a: sigmoid(z),
        slope=lambda z, a: sigmoid_slope(z),
        curvature=lambda z, a: sigmoid_curvature(z),
        rate=lambda a: 1.0,
    ),
    "sine": Rule(
        value=lambda z, a: np.sin(a * z),
        slope=lambda z, a: a * np.cos(a * z),
        curvature=lambda z, a: -a * a * np.sin(a * z),
        period=lambda a: 2 * math.pi / a,
        scaled=1.0,
        parameters=(RuleParameter("frequency", 1.0, above=0.0),),
    ),
    "gaussian": Rule(
        value=lambda z, a: np.exp(-z * z),
        slope=lambda z, a: -2.0 * z * np.exp(-z * z),
        curvature=lambda z, a: (4.0 * z * z - 2.0) * np.exp(-z * z),
        fades=True,
    ),
    "cos": Rule(
        value=lambda z, a: np.cos(a * z),
        slope=lambda z, a: -a * np.sin(a * z),
        curvature=lambda z, a: -a * a * np.cos(a * z),
        period=lambda a: 2 * math.pi / a,
        scaled=1.0,
        parameters=(RuleParameter("frequency", 1.0, above=0.0),),
        optional=True,
    ),
    "swish": Rule(
        value=lambda z, a: z * sigmoid(a * z),
        slope=lambda z, a: sigmoid(a * z) + a * z * sigmoid_slope(a * z),
        curvature=_swish_curvature,
        scale=lambda a: 1.0 / a,
        scaled=1.0,
        parameters=(RuleParameter("beta", 1.0, above=0.0),),
        optional=True,
    ),
}
