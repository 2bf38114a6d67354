"""The activations made of straight pieces, and others that are told apart by where z lies."""

import numpy as np

from engine.network.rules.rule import Rule, RuleParameter


def _steps(value, first=0.0, period=1.0):
    """The Rule of a function that is constant between jumps."""
    zero = lambda z, a: np.zeros_like(z)
    return Rule(lambda z, a: value(z), zero, gaps=lambda a: (first,), period=lambda a: period)


def _limited(low, high, slope=1.0):
    """The kinks of a function that has a slope from low to high, and none beyond."""
    return ((low, slope), (high, -slope))


PIECEWISE = {
    "hardtanh": Rule(
        value=lambda z, a: np.clip(z, a[0], a[1]),
        slope=lambda z, a: np.where((z > a[0]) & (z < a[1]), 1.0, 0.0),
        kinks=lambda a: _limited(*a),
        parameters=(RuleParameter("min_val", -1.0), RuleParameter("max_val", 1.0)),
        rising=True,
    ),
    "clipped_relu": Rule(
        value=lambda z, a: np.clip(z, 0.0, a),
        slope=lambda z, a: np.where((z > 0) & (z < a), 1.0, 0.0),
        kinks=lambda a: _limited(0.0, a),
        parameters=(RuleParameter("limit", 6.0, above=0.0),),
    ),
    "hard_sigmoid": Rule(
        value=lambda z, a: np.clip(a[0] * z + a[1], 0.0, 1.0),
        slope=lambda z, a: np.where((a[0] * z + a[1] > 0) & (a[0] * z + a[1] < 1), a[0], 0.0),
        kinks=lambda a: _limited(-a[1] / a[0], (1 - a[1]) / a[0], a[0]),
        parameters=(RuleParameter("alpha", 1 / 6, above=0.0), RuleParameter("beta", 0.5)),
        optional=True,
    ),
    "hard_swish": Rule(
        value=lambda z, a: z * (np.clip(z + 3.0, 0.0, 6.0) / 6.0),
        slope=lambda z, a: np.where(np.abs(z) < 3, (z + 1.5) / 3.0, np.where(z < 0, 0.0, 1.0)),
        curvature=lambda z, a: np.where(np.abs(z) < 3, 1.0 / 3.0, 0.0),
        kinks=lambda a: ((-3.0, -0.5), (3.0, -0.5)),
    ),
    "abs": Rule(value=lambda z, a: np.abs(z), slope=lambda z, a: np.sign(z), kinks=lambda a: ((0.0, 2.0),)),
    "softshrink": Rule(
        value=lambda z, a: np.sign(z) * np.maximum(np.abs(z) - a, 0.0),
        slope=lambda z, a: np.where(np.abs(z) > a, 1.0, 0.0),
        kinks=lambda a: ((-a, -1.0), (a, 1.0)),
        parameters=(RuleParameter("lambd", 0.5, least=0.0),),
    ),
    "hardshrink": Rule(
        value=lambda z, a: np.where(np.abs(z) <= a, 0.0, z),
        slope=lambda z, a: np.where(np.abs(z) > a, 1.0, 0.0),
        gaps=lambda a: (-a, a),
        parameters=(RuleParameter("lambd", 0.5, least=0.0),),
    ),
    "shrink": Rule(
        value=lambda z, a: np.where(np.abs(z) <= a[1], 0.0, z - np.sign(z) * a[0]),
        slope=lambda z, a: np.where(np.abs(z) > a[1], 1.0, 0.0),
        kinks=lambda a: ((-a[1], -1.0), (a[1], 1.0)) if a[0] == a[1] else (),
        gaps=lambda a: (-a[1], a[1]) if a[0] != a[1] else (),
        parameters=(RuleParameter("bias", 0.0), RuleParameter("lambd", 0.5, least=0.0)),
    ),
    "threshold": Rule(
        value=lambda z, a: np.where(z <= a[0], a[1], z),
        slope=lambda z, a: np.where(z > a[0], 1.0, 0.0),
        kinks=lambda a: ((a[0], 1.0),) if a[0] == a[1] else (),
        gaps=lambda a: (a[0],) if a[0] != a[1] else (),
        parameters=(RuleParameter("threshold", 0.0), RuleParameter("value", 0.0)),
    ),
    "thresholded_relu": Rule(
        value=lambda z, a: np.where(z <= a, 0.0, z),
        slope=lambda z, a: np.where(z > a, 1.0, 0.0),
        kinks=lambda a: ((0.0, 1.0),) if a == 0 else (),
        gaps=lambda a: (a,) if a else (),
        parameters=(RuleParameter("alpha", 1.0),),
    ),
    "sign": _steps(np.sign, period=0.0),
    "floor": _steps(np.floor),
    "ceil": _steps(np.ceil),
    "round": _steps(np.round, first=0.5),
}
