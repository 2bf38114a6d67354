"""The kernel `radix_sort`: exact, and stable."""

import numpy as np
import pytest

from engine.kernels import radix_sort as kernel
from engine.kernels.radix_sort import radix_sort
from engine.reference import radix_sort as twin


def keys(count, kind):
    rng = np.random.default_rng(count)
    if kind == "equal":
        return np.full(count, 0xFFFFFFFF, np.uint32)
    if kind == "few":
        return rng.choice(np.array([0, 1, 256, 2**24, 0xFFFFFFFF], np.uint32), count)
    found = rng.integers(0, 2**32, count, dtype=np.uint32)
    return np.sort(found)[::-1].copy() if kind == "falling" else found


@pytest.mark.parametrize("kind", ["any", "few", "equal", "falling"])
@pytest.mark.parametrize("count", [1, 2, 255, 2049, 40_001])
def test_the_order_is_the_twins(count, kind):
    given, values = keys(count, kind), np.arange(count)[::-1]
    for found, exact in zip(radix_sort(given, values), twin.radix_sort(given, values), strict=True):
        assert (found == exact).all()


def test_equal_keys_keep_their_order():
    given = keys(9000, "few")
    order = radix_sort(given, np.arange(9000))[1].astype(int)
    assert (np.diff(order)[np.diff(given[order].astype(np.int64)) == 0] > 0).all()


@pytest.mark.parametrize("length", [1, 7, 256, 2048])
def test_how_many_keys_an_invocation_takes_is_nothing_to_the_order(length, monkeypatch):
    # Graphics cards take stretches of another length than software drivers.
    monkeypatch.setattr(kernel, "LENGTH", {True: length, False: length})
    given = keys(1500, "any")
    assert (radix_sort(given, np.arange(1500))[1] == twin.radix_sort(given, np.arange(1500))[1]).all()


@pytest.mark.parametrize("bits", [0, 1, 8, 9, 16, 24])
def test_a_sort_by_the_lowest_bytes_leaves_the_others_to_the_order_given(bits):
    given = keys(3000, "any")
    found, exact = radix_sort(given, np.arange(3000), bits), twin.radix_sort(given, np.arange(3000), bits)
    assert (found[0] == exact[0]).all() and (found[1] == exact[1]).all()


def test_nothing_is_sorted_to_nothing():
    assert len(radix_sort([], [])[0]) == 0
