"""One comparison of a kernel with its twin."""

from dataclasses import dataclass
from typing import Any

import numpy as np

# What a check yields: what is compared, the error, and what rounding may make of it; numbers or arrays.
Row = tuple[str, Any, Any]


@dataclass(frozen=True)
class Comparison:
    """One comparison of a kernel with its twin.

    error, bound   at the place where the error is worst for its bound
    passed         no error is above its bound
    """

    kernel: str
    what: str
    error: float
    bound: float
    passed: bool


def compare(kernel: str, what: str, error: Any, bound: Any) -> Comparison:
    """The Comparison of arrays: of the place where the error is largest for its bound."""
    error, bound = (np.asarray(x, float).reshape(-1) for x in np.broadcast_arrays(error, bound))
    # A number that is not one is as wrong as can be.
    share = np.nan_to_num(error / bound, nan=np.inf, posinf=np.inf)
    worst = share.argmax()
    return Comparison(kernel, what, float(error[worst]), float(bound[worst]), bool(share[worst] <= 1))


def points(inputs: int, count: int = 256) -> np.ndarray:
    """(count, inputs) float32 between -2 and 2, the same ones each time."""
    return np.random.default_rng(0).uniform(-2, 2, (count, inputs)).astype(np.float32)
