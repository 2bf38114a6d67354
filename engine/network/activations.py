"""The activations: a row for each, with what the float64 twins and the certified bounds need of it.

The same functions in WGSL are in `wgsl/activations/`, a file each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError, near

SQRT2 = math.sqrt(2.0)
INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


@dataclass(frozen=True)
class Rule:
    """The properties of an activation s(z, a); most do not use the parameter a.

    value, slope, curvature   s, s', s'' of float64 arrays, elementwise
    slope_extrema             z where s' has a local extremum (s'' = 0), ascending
    curvature_extrema         z where s'' has a local extremum (s''' = 0), ascending
    period                    the distance in z at which the extrema repeat, as a function of a; 0: they do not
    kink                      s'(0+) - s'(0-) as a function of a; 0 for a smooth function
    corners                   other z where s' jumps, as a function of a; only in MAP_ACTIVATIONS
    parameter                 the name and default of a
    elementwise               False for softmax, which depends on the whole layer
    """

    value: Callable
    slope: Callable
    curvature: Callable = lambda z, a: np.zeros_like(z)
    slope_extrema: tuple[float, ...] = ()
    curvature_extrema: tuple[float, ...] = ()
    period: Callable = lambda a: 0.0
    kink: Callable = lambda a: 0.0
    corners: Callable = lambda a: ()
    parameter: tuple[str, float] | None = None
    elementwise: bool = True


def _sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def _sigmoid_slope(z):
    e = np.exp(-np.abs(z))
    return e / (1.0 + e) ** 2


def _sigmoid_curvature(z):
    return _sigmoid_slope(z) * -np.tanh(z / 2.0)


def _sech2(z):
    # 4 e / (1 + e)^2 has full relative accuracy where 1 - tanh^2 suffers cancellation.
    e = np.exp(-2.0 * np.abs(z))
    return 4.0 * e / (1.0 + e) ** 2


def _density(z):
    return INV_SQRT_2PI * np.exp(-0.5 * z * z)


def _erfc(x):
    return np.vectorize(math.erfc, otypes=[float])(x)


def _normal_cdf(z):
    return 0.5 * _erfc(-np.asarray(z, float) / SQRT2)


def _softmax(z, a=0.0):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _silu_curvature(z):
    s, d = _sigmoid(z), _sigmoid_slope(z)
    return d * (2.0 + z * (1.0 - 2.0 * s))


ACTIVATIONS = {
    "identity": Rule(value=lambda z, a: z, slope=lambda z, a: np.ones_like(z)),
    "relu": Rule(
        value=lambda z, a: np.maximum(z, 0.0),
        slope=lambda z, a: np.where(z > 0, 1.0, 0.0),
        kink=lambda a: 1.0,
    ),
    "leaky_relu": Rule(
        value=lambda z, a: np.where(z > 0, z, a * z),
        slope=lambda z, a: np.where(z > 0, 1.0, a),
        kink=lambda a: 1.0 - a,
        parameter=("slope", 0.01),
    ),
    "elu": Rule(
        value=lambda z, a: np.where(z > 0, z, a * np.expm1(np.minimum(z, 0.0))),
        slope=lambda z, a: np.where(z > 0, 1.0, a * np.exp(np.minimum(z, 0.0))),
        curvature=lambda z, a: np.where(z > 0, 0.0, a * np.exp(np.minimum(z, 0.0))),
        kink=lambda a: 1.0 - a,
        parameter=("alpha", 1.0),
    ),
    "softplus": Rule(
        value=lambda z, a: np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z))),
        slope=lambda z, a: _sigmoid(z),
        curvature=lambda z, a: _sigmoid_slope(z),
        curvature_extrema=(0.0,),
    ),
    "gelu": Rule(
        value=lambda z, a: z * _normal_cdf(z),
        slope=lambda z, a: _normal_cdf(z) + z * _density(z),
        curvature=lambda z, a: _density(z) * (2.0 - z * z),
        slope_extrema=(-SQRT2, SQRT2),
        curvature_extrema=(-2.0, 0.0, 2.0),
    ),
    "silu": Rule(
        value=lambda z, a: z * _sigmoid(z),
        slope=lambda z, a: _sigmoid(z) + z * _sigmoid_slope(z),
        curvature=lambda z, a: _silu_curvature(z),
        # Roots of (2 + z (1 - 2 sigmoid z)) and of its successor, to 16 digits by bisection.
        slope_extrema=(-2.3993572805154677, 2.3993572805154677),
        curvature_extrema=(-3.4358409935350687, 0.0, 3.4358409935350687),
    ),
    "tanh": Rule(
        value=lambda z, a: np.tanh(z),
        slope=lambda z, a: _sech2(z),
        curvature=lambda z, a: -2.0 * np.tanh(z) * _sech2(z),
        slope_extrema=(0.0,),
        curvature_extrema=(-math.atanh(1 / math.sqrt(3)), math.atanh(1 / math.sqrt(3))),
    ),
    "sigmoid": Rule(
        value=lambda z, a: _sigmoid(z),
        slope=lambda z, a: _sigmoid_slope(z),
        curvature=lambda z, a: _sigmoid_curvature(z),
        slope_extrema=(0.0,),
        curvature_extrema=(-math.log(2 + math.sqrt(3)), math.log(2 + math.sqrt(3))),
    ),
    "sine": Rule(
        value=lambda z, a: np.sin(a * z),
        slope=lambda z, a: a * np.cos(a * z),
        curvature=lambda z, a: -a * a * np.sin(a * z),
        slope_extrema=(0.0,),
        curvature_extrema=(math.pi / 2,),  # both in units of 1 / a, repeating at pi / a
        period=lambda a: math.pi / a,
        parameter=("frequency", 1.0),
    ),
    "gaussian": Rule(
        value=lambda z, a: np.exp(-z * z),
        slope=lambda z, a: -2.0 * z * np.exp(-z * z),
        curvature=lambda z, a: (4.0 * z * z - 2.0) * np.exp(-z * z),
        slope_extrema=(-1 / SQRT2, 1 / SQRT2),
        curvature_extrema=(-math.sqrt(1.5), 0.0, math.sqrt(1.5)),
    ),
    "softmax": Rule(
        value=_softmax,
        slope=lambda z, a: _softmax(z) * (1.0 - _softmax(z)),  # the diagonal of its Jacobian
        elementwise=False,
    ),
}

# For convolutional networks only, since the certified bounds allow a single kink, at zero.
MAP_ACTIVATIONS = {
    "clipped_relu": Rule(
        value=lambda z, a: np.clip(z, 0.0, a),
        slope=lambda z, a: np.where((z > 0) & (z < a), 1.0, 0.0),
        kink=lambda a: 1.0,
        corners=lambda a: (a,),
        parameter=("limit", 6.0),
    ),
    "hard_sigmoid": Rule(
        value=lambda z, a: np.clip(z + 3.0, 0.0, 6.0) / 6.0,
        slope=lambda z, a: np.where(np.abs(z) < 3, 1.0 / 6.0, 0.0),
        corners=lambda a: (-3.0, 3.0),
    ),
    "hard_swish": Rule(
        value=lambda z, a: z * np.clip(z + 3.0, 0.0, 6.0) / 6.0,
        slope=lambda z, a: np.where(np.abs(z) < 3, (z + 1.5) / 3.0, np.where(z < 0, 0.0, 1.0)),
        curvature=lambda z, a: np.where(np.abs(z) < 3, 1.0 / 3.0, 0.0),
        corners=lambda a: (-3.0, 3.0),
    ),
}
ANYWHERE = ACTIVATIONS | MAP_ACTIVATIONS

SPELLING = re.compile(r"^\s*([a-zA-Z_]\w*)\s*(?:\(\s*([-+0-9.eE]+)\s*\))?\s*$")


@dataclass(frozen=True)
class Activation:
    """An activation with its parameter; `parse` reads and str() writes `tanh`, `sine(30)`, `leaky_relu(0.2)`."""

    name: str
    parameter: float = 0.0

    @staticmethod
    def parse(text: str | Activation, known: Mapping[str, Rule] = ACTIVATIONS) -> Activation:
        """The activation written as `name` or `name(parameter)`; an Activation is returned unchanged.

        Raises NetworkError for a name that is not in the table `known`, or a parameter out of range.
        """
        if isinstance(text, Activation) and text.name in known:
            return text
        match = SPELLING.match(str(text))
        name = match.group(1).lower() if match else str(text)
        if name in MAP_ACTIVATIONS and name not in known:
            raise NetworkError(f"Activation `{text}`: {name} is for convolutional networks only. Near: relu.")
        if match is None or name not in known:
            raise NetworkError(near(text, known, noun="activation"))
        rule, written = known[name], match.group(2)
        if rule.parameter is None:
            if written is not None:
                raise NetworkError(f"Activation `{text}`: {name} takes no parameter. Write `{name}`.")
            return Activation(name)
        try:
            value = rule.parameter[1] if written is None else float(written)
        except ValueError:
            raise NetworkError(f"Activation `{text}`: `{written}` is not a number.") from None
        # Rounded to float32, as on the GPU, so that both compute the same network.
        with np.errstate(over="ignore"):
            value = float(np.float32(value))
        if not abs(value) <= 1e6 or (name in ("sine", "clipped_relu") and value <= 0):
            limits = "finite, at most 1e6, and above 0 for sine and clipped_relu"
            raise NetworkError(f"Activation `{text}`: the {rule.parameter[0]} must be {limits}.")
        return Activation(name, value)

    @property
    def rule(self) -> Rule:
        return ANYWHERE[self.name]

    def __str__(self):
        if self.rule.parameter is None:
            return self.name
        return f"{self.name}({self.parameter:.9g})"

    def value(self, z: ArrayLike) -> np.ndarray:
        """s(z), float64, any shape (softmax: over the last axis)."""
        return self.rule.value(np.asarray(z, float), self.parameter)

    def slope(self, z: ArrayLike) -> np.ndarray:
        """s'(z), float64, elementwise."""
        return self.rule.slope(np.asarray(z, float), self.parameter)

    def curvature(self, z: ArrayLike) -> np.ndarray:
        """s''(z), float64, elementwise."""
        return self.rule.curvature(np.asarray(z, float), self.parameter)
