"""Exclusive prefix sums of whole numbers."""

import numpy as np
from numpy.typing import ArrayLike


def prefix_sums(values: ArrayLike) -> tuple[np.ndarray, int]:
    """((N,) uint32, int): at each place the sum of what stands before it, and the sum of all."""
    ends = np.cumsum(np.asarray(values, np.uint64))
    return np.concatenate([[0], ends])[: len(ends)].astype(np.uint32), int(ends[-1]) if len(ends) else 0
