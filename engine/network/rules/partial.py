"""The activations that have poles, or no value outside of an interval: there they are not a number, as in PyTorch."""

import math

import numpy as np

from engine.network.rules.rule import Rule, RuleParameter, quiet


def _partial(value, slope, curvature, places, gap="ends", **more):
    gaps = places if callable(places) else lambda a: places
    return Rule(quiet(value), quiet(slope), quiet(curvature), gaps=gaps, gap=gap, tame=False, **more)


def _inside(z):
    """1 from -1 to 1, else not a number."""
    return np.where(np.abs(z) <= 1, 1.0, np.nan)


def _above(z):
    """1 from 0 on, else not a number."""
    return np.where(z >= 0, 1.0, np.nan)


PARTIAL = {
    "square": Rule(lambda z, a: z * z, lambda z, a: 2.0 * z, lambda z, a: np.full_like(z, 2.0), tame=False),
    "power": _partial(
        lambda z, a: np.power(z, a),
        lambda z, a: a * np.power(z, a - 1.0),
        lambda z, a: a * (a - 1.0) * np.power(z, a - 2.0) if a != 1 else np.zeros_like(z),
        lambda a: () if a == round(a) else (0.0,),
        parameters=(RuleParameter("exponent", 2.0, above=0.0, most=64.0),),
    ),
    "sqrt": _partial(
        lambda z, a: np.sqrt(z),
        lambda z, a: 0.5 / np.sqrt(z),
        lambda z, a: -0.25 / (z * np.sqrt(z)),
        (0.0,),
        beside=True,
    ),
    "rsqrt": _partial(
        lambda z, a: 1.0 / np.sqrt(z + a),
        lambda z, a: -0.5 / (z + a) / np.sqrt(z + a),
        lambda z, a: 0.75 / (z + a) / (z + a) / np.sqrt(z + a),
        lambda a: (-a,),
        beside=True,
        parameters=(RuleParameter("eps", 0.0, least=0.0),),
        optional=True,
    ),
    "reciprocal": _partial(
        lambda z, a: 1.0 / z,
        lambda z, a: -1.0 / z / z,
        lambda z, a: 2.0 / z / z / z,
        (0.0,),
        "has a pole",
        beside=True,
    ),
    "log": _partial(
        lambda z, a: np.log(z), lambda z, a: _above(z) / z, lambda z, a: -_above(z) / z / z, (0.0,), beside=True
    ),
    "tan": _partial(
        lambda z, a: np.tan(z),
        lambda z, a: 1.0 + np.tan(z) ** 2,
        lambda z, a: 2.0 * np.tan(z) * (1.0 + np.tan(z) ** 2),
        (math.pi / 2,),
        "has a pole",
        period=lambda a: math.pi,
        scaled=4.0,
    ),
    "asin": _partial(
        lambda z, a: np.arcsin(z),
        lambda z, a: 1.0 / np.sqrt((1.0 - z) * (1.0 + z)),
        lambda z, a: z / ((1.0 - z) * (1.0 + z)) ** 1.5,
        (-1.0, 1.0),
    ),
    "acos": _partial(
        lambda z, a: np.arccos(z),
        lambda z, a: -1.0 / np.sqrt((1.0 - z) * (1.0 + z)),
        lambda z, a: -z / ((1.0 - z) * (1.0 + z)) ** 1.5,
        (-1.0, 1.0),
    ),
    "acosh": _partial(
        lambda z, a: np.arccosh(z),
        lambda z, a: 1.0 / (np.sqrt(z - 1.0) * np.sqrt(z + 1.0)),
        lambda z, a: -z / (np.sqrt(z - 1.0) * np.sqrt(z + 1.0)) ** 3,
        (1.0,),
    ),
    "atanh": _partial(
        lambda z, a: np.arctanh(z),
        lambda z, a: _inside(z) / ((1.0 - z) * (1.0 + z)),
        lambda z, a: 2.0 * z * _inside(z) / ((1.0 - z) * (1.0 + z)) ** 2,
        (-1.0, 1.0),
        "has a pole",
    ),
}
