"""One comparison of a kernel with its twin."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Row:
    """One comparison of a kernel with its twin.

    error, bound   at the place where the error is worst for its bound: the error, and what rounding may make of it
    passed         no error is above its bound
    """

    kernel: str
    what: str
    error: float
    bound: float
    passed: bool


def compare(kernel, what, error, bound):
    """A Row of arrays: the place where the error is largest for its bound."""
    error, bound = (np.asarray(x, float).reshape(-1) for x in np.broadcast_arrays(error, bound))
    # A number that is not one is as wrong as can be.
    share = np.nan_to_num(error / bound, nan=np.inf, posinf=np.inf)
    worst = share.argmax()
    return Row(kernel, what, float(error[worst]), float(bound[worst]), bool(share[worst] <= 1))


def points(inputs, count=256):
    """(count, inputs) float32 between -2 and 2, the same ones each time."""
    return np.random.default_rng(0).uniform(-2, 2, (count, inputs)).astype(np.float32)
