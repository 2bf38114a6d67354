"""The activations: a row for each, with what the float64 twins and the certified bounds need of it.

The same functions in WGSL are in `wgsl/activations/`, a file each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError, located, near

SQRT2 = math.sqrt(2.0)
INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
# No parameter is larger: products with it stay far from float32's end.
MOST = 1e6


@dataclass(frozen=True)
class RuleParameter:
    """A parameter of an activation.

    name      in messages, as PyTorch has it
    default   taken where it is not given
    above     it must be more than this
    """

    name: str
    default: float
    above: float = -math.inf

    def read(self, text: object) -> float:
        """The parameter that a text or number gives, rounded to float32, as on the GPU: both compute the same network.

        Raises NetworkError for anything else, and what is out of range.
        """
        try:
            with np.errstate(over="ignore"):
                value = float(np.float32(float(text)))  # type: ignore[arg-type]
        except (ValueError, TypeError):
            raise NetworkError(f"the {self.name}, `{str(text)[:40].strip()}`, is not a number.") from None
        if not (abs(value) <= MOST and value > self.above):
            over = "" if self.above == -math.inf else f", and above {self.above:g}"
            raise NetworkError(f"the {self.name} must be finite, at most 1e6{over}.")
        return value


@dataclass(frozen=True)
class Rule:
    """The properties of an activation s(z, a), with a its parameter, or a tuple of several; most have none.

    value, slope, curvature   s, s', s'' of float64 arrays, elementwise
    slope_extrema             z where s' has a local extremum (s'' = 0), ascending
    curvature_extrema         z where s'' has a local extremum (s''' = 0), ascending
    period                    the distance in z at which the extrema repeat, as a function of a; 0: they do not
    kink                      s'(0+) - s'(0-) as a function of a; 0 for a smooth function
    corners                   other z where s' jumps, as a function of a; only in MAP_ACTIVATIONS
    parameters                each RuleParameter of a
    optional                  whether parameters that have their defaults are left out where it is written
    elementwise               False for what takes several units: softmax the whole layer, product a pair
    tangent                   of those: what value changes by, for z and dz, derivatives over the last axis
    """

    value: Callable
    slope: Callable
    curvature: Callable = lambda z, a: np.zeros_like(z)
    slope_extrema: tuple[float, ...] = ()
    curvature_extrema: tuple[float, ...] = ()
    period: Callable = lambda a: 0.0
    kink: Callable = lambda a: 0.0
    corners: Callable = lambda a: ()
    parameters: tuple[RuleParameter, ...] = ()
    optional: bool = False
    elementwise: bool = True
    tangent: Callable | None = None


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


def _softmax_tangent(z, dz):
    h = _softmax(z)
    return h * (dz - (h * dz).sum(axis=-1, keepdims=True))


def _paired(z, even):
    """z with its even entries along the last axis replaced."""
    out = np.array(np.broadcast_to(z, (*even.shape[:-1], z.shape[-1])))
    out[..., ::2] = even
    return out


def _product_slope(z, a=0.0):
    return _paired(np.ones_like(z), z[..., 1::2])


def _product_tangent(z, dz):
    return _paired(dz, z[..., ::2] * dz[..., 1::2] + z[..., 1::2] * dz[..., ::2])


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
        parameters=(RuleParameter("slope", 0.01),),
    ),
    "elu": Rule(
        value=lambda z, a: np.where(z > 0, z, a * np.expm1(np.minimum(z, 0.0))),
        slope=lambda z, a: np.where(z > 0, 1.0, a * np.exp(np.minimum(z, 0.0))),
        curvature=lambda z, a: np.where(z > 0, 0.0, a * np.exp(np.minimum(z, 0.0))),
        kink=lambda a: 1.0 - a,
        parameters=(RuleParameter("alpha", 1.0),),
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
        parameters=(RuleParameter("frequency", 1.0, above=0.0),),
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
        tangent=_softmax_tangent,
    ),
}

# Over pairs of units, in layers whose units need not be alike (engine.network.units): each even unit becomes its
# product with the next one, which stays as it is.
JOINT = {
    "product": Rule(
        value=lambda z, a: _paired(z, z[..., ::2] * z[..., 1::2]),
        slope=_product_slope,  # the diagonal of its Jacobian
        elementwise=False,
        tangent=_product_tangent,
    ),
}

# For convolutional networks only, since the certified bounds allow a single kink, at zero.
MAP_ACTIVATIONS = {
    "clipped_relu": Rule(
        value=lambda z, a: np.clip(z, 0.0, a),
        slope=lambda z, a: np.where((z > 0) & (z < a), 1.0, 0.0),
        kink=lambda a: 1.0,
        corners=lambda a: (a,),
        parameters=(RuleParameter("limit", 6.0, above=0.0),),
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
ANYWHERE = ACTIVATIONS | MAP_ACTIVATIONS | JOINT


SPELLING = re.compile(r"^\s*([a-zA-Z_]\w*)\s*(?:\(([^()]*)\))?\s*$")


@dataclass(frozen=True)
class Activation:
    """An activation with its parameters; `parse` reads and str() writes `tanh`, `sine(30)`, `leaky_relu(0.2)`.

    name         in the table
    parameters   as many as its Rule has, rounded to float32; none takes the defaults

    Raises NetworkError for a name that is in no table, and for other parameters than its Rule has.
    """

    name: str
    parameters: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in ANYWHERE:
            raise NetworkError(near(self.name, ANYWHERE, noun="activation"))
        wanted, given = self.rule.parameters, tuple(self.parameters) or tuple(p.default for p in self.rule.parameters)
        written = f"Activation `{self.name}({','.join(str(x)[:40] for x in given)})`"
        if len(given) != len(wanted):
            names = ", ".join(p.name for p in wanted)
            takes = f"takes {names}" if wanted else f"takes no parameter. Write `{self.name}`"
            raise NetworkError(f"{written}: {self.name} {takes}.")
        with located(f"{written}: "):
            parameters = tuple(p.read(x) for p, x in zip(wanted, given, strict=True))
        object.__setattr__(self, "parameters", parameters)

    @staticmethod
    def parse(text: str | Activation, known: Mapping[str, Rule] = ACTIVATIONS) -> Activation:
        """The activation written as `name` or `name(parameter, ...)`; an Activation is returned unchanged.

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
        written = match.group(2)
        return Activation(name, tuple(written.split(",")) if written is not None else ())  # type: ignore[arg-type]

    @property
    def rule(self) -> Rule:
        return ANYWHERE[self.name]

    @property
    def argument(self) -> float | tuple[float, ...]:
        """What its Rule's functions take as a: its parameter, 0 for none, or a tuple of several."""
        return self.parameters if len(self.parameters) > 1 else sum(self.parameters, 0.0)

    @property
    def wgsl_type(self) -> str:
        """The type of the functions' argument `a` in WGSL: f32, or a vector of several parameters."""
        return f"vec{len(self.parameters)}f" if len(self.parameters) > 1 else "f32"

    @property
    def wgsl_argument(self) -> str:
        """The functions' argument `a` in WGSL."""
        text = ", ".join(map(repr, self.parameters or (0.0,)))
        return f"{self.wgsl_type}({text})" if len(self.parameters) > 1 else text

    def wgsl(self, what: str, z: str) -> str:
        """WGSL for its value, slope or curvature (`what`) at a vec4f."""
        return f"{self.name}_{what}({z}, {self.wgsl_argument})"

    @property
    def is_whole(self) -> bool:
        """True for what takes all units of a layer together, as softmax does; it can only be the last layer's."""
        return not self.rule.elementwise and self.name not in JOINT

    @property
    def kinds(self) -> tuple[Activation, ...]:
        """The activations of a layer's units, each once; of a Mixed they are several."""
        return (self,)

    def of(self, units: Sequence[int]) -> Activation:
        """The activation of some units of a layer, in this order."""
        return self

    def __str__(self):
        if not self.parameters or (
            self.rule.optional and self.parameters == tuple(p.default for p in self.rule.parameters)
        ):
            return self.name
        return f"{self.name}({','.join(f'{x:.9g}' for x in self.parameters)})"

    def value(self, z: ArrayLike) -> np.ndarray:
        """s(z), float64, any shape (softmax: over the last axis)."""
        return self.rule.value(np.asarray(z, float), self.argument)

    def slope(self, z: ArrayLike) -> np.ndarray:
        """s'(z), float64, elementwise."""
        return self.rule.slope(np.asarray(z, float), self.argument)

    def curvature(self, z: ArrayLike) -> np.ndarray:
        """s''(z), float64, elementwise."""
        return self.rule.curvature(np.asarray(z, float), self.argument)

    def tangent(self, z: ArrayLike, dz: ArrayLike) -> np.ndarray:
        """The derivative of s(z) for z's derivatives dz, float64; both over the last axis, broadcast in the others."""
        z, dz = np.asarray(z, float), np.asarray(dz, float)
        return self.slope(z) * dz if self.rule.tangent is None else self.rule.tangent(z, dz)


def split(text: str) -> list[str]:
    """The activations of a list such as `tanh,hardtanh(-1,1),identity`: parted at commas outside of parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text)]
