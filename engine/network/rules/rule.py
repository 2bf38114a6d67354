"""What an activation is for the float64 twins and the certified bounds: a Rule; and functions that several share."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import NetworkError

# No parameter is larger: products with it stay far from float32's end.
MOST = 1e6
SQRT2 = math.sqrt(2.0)
INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


@dataclass(frozen=True)
class RuleParameter:
    """A parameter of an activation.

    name      in messages, as PyTorch has it
    default   taken where it is not given
    above     it must be more than this
    least     and at least this
    """

    name: str
    default: float
    above: float = -math.inf
    least: float = -math.inf
    most: float = MOST

    def read(self, text: object) -> float:
        """The parameter that a text or number gives, rounded to float32, as on the GPU: both compute the same network.

        Raises NetworkError for anything else, and what is out of range.
        """
        try:
            with np.errstate(over="ignore"):
                value = float(np.float32(float(text)))  # type: ignore[arg-type]
        except (ValueError, TypeError):
            raise NetworkError(f"the {self.name}, `{str(text)[:40].strip()}`, is not a number.") from None
        if not (abs(value) <= self.most and value > self.above and value >= self.least):
            over = f", and above {self.above:g}" if self.above > -math.inf else ""
            over += f", and at least {self.least:g}" if self.least > -math.inf else ""
            most = "1e6" if self.most == MOST else f"{self.most:g}"
            raise NetworkError(f"the {self.name} must be finite, at most {most}{over}.")
        return value


def nothing(a: object) -> tuple:
    """No places."""
    return ()


@dataclass(frozen=True)
class Rule:
    """The properties of an activation s(z, a), with a its parameter, or a tuple of several; most have none.

    value, slope, curvature   s, s', s'' of float64 arrays, elementwise
    kinks                     (z, jump of s' there) wherever s' or s'' jumps, as a function of a
    gaps                      z where s itself jumps, ends or has a pole, as a function of a
    gap                       which of these it does, as a verb
    beside                    whether an interval without a gap has bounds: s grows towards it without turning
    period                    the distance in z at which it repeats, as a function of a; 0: it does not
    scale                     how far in z its bends reach, as a function of a
    rate                      |s''| <= rate |s'| away from kinks, as a function of a; 0: for none
    fades                     whether s' vanishes on both sides, faster than any rate says
    scaled                    by how many ulp of z float32 rounds the argument of the function itself, as in sin(a z)
    parameters                each RuleParameter of a
    rising                    whether of two parameters the second must be more than the first
    tame                      whether it has a value everywhere and grows no faster than z: fit for a random network
    optional                  whether parameters that have their defaults are left out where it is written
    elementwise               False for what takes several units: softmax the whole layer, product a pair
    tangent                   of those: what value changes by, for z and dz, derivatives over the last axis
    """

    value: Callable
    slope: Callable
    curvature: Callable = lambda z, a: np.zeros_like(z)
    kinks: Callable = nothing
    gaps: Callable = nothing
    gap: str = "jumps"
    beside: bool = False
    period: Callable = lambda a: 0.0
    scale: Callable = lambda a: 1.0
    rate: Callable = lambda a: 0.0
    fades: bool = False
    scaled: float = 0.0
    parameters: tuple[RuleParameter, ...] = ()
    rising: bool = False
    tame: bool = True
    optional: bool = False
    elementwise: bool = True
    tangent: Callable | None = None


def quiet(function: Callable) -> Callable:
    """A function that gives infinity and what is not a number without a warning."""

    def called(z, a):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return function(z, a)

    return called


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), with full relative accuracy on both sides; likewise its derivatives below."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def sigmoid_slope(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))
    return e / (1.0 + e) ** 2


def sigmoid_curvature(z: np.ndarray) -> np.ndarray:
    return sigmoid_slope(z) * -np.tanh(z / 2.0)


def sech_squared(z: np.ndarray) -> np.ndarray:
    # 4 e / (1 + e)^2 has full relative accuracy where 1 - tanh^2 suffers cancellation.
    e = np.exp(-2.0 * np.abs(z))
    return 4.0 * e / (1.0 + e) ** 2


def density(z: np.ndarray) -> np.ndarray:
    """The standard normal distribution's density."""
    return INV_SQRT_2PI * np.exp(-0.5 * z * z)


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """The chance that a standard normal is below z."""
    return 0.5 * of_each(math.erfc, -np.asarray(z, float) / SQRT2)


def of_each(function: Callable[[float], float], z: np.ndarray) -> np.ndarray:
    """A function of Python's math module at each number, float64; np.vectorize takes half as long again."""
    z = np.asarray(z, float)
    return np.fromiter(map(function, z.ravel().tolist()), float, z.size).reshape(z.shape)
