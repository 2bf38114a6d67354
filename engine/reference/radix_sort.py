"""A stable sort of keys with their values."""

import numpy as np
from numpy.typing import ArrayLike


def radix_sort(keys: ArrayLike, values: ArrayLike, bits: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """((N,), (N,)): the keys in the order of their lowest bytes, and their values; equal ones keep their order."""
    order = np.argsort(np.asarray(keys, np.uint64) % 256 ** -(-bits // 8), kind="stable")
    return np.asarray(keys)[order], np.asarray(values)[order]
