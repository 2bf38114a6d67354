"""A stable sort of keys with what belongs to them."""

import numpy as np


def radix_sort(keys, values):
    """((N,), (N,)): the keys in order, and their values; equal keys keep their order."""
    order = np.argsort(keys, kind="stable")
    return np.asarray(keys)[order], np.asarray(values)[order]
