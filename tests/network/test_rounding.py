"""What float32 does to a network's value, against cases whose error is known."""

import numpy as np

from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.rounding import float32_error


def test_sums_that_are_exact_have_no_error():
    net = Mlp([[[1.0, 2.0]], [[4.0]]], activations=["relu", "identity"])
    assert float32_error(net, np.array([[1.0, 0.5], [3.0, -1.0]])) == 0.0


def test_a_sum_that_cancels_loses_what_float32_loses():
    # 2^24 + 1 is not in float32: the 1 is gone.
    net = Mlp([[[1.0, 1.0]], [[1.0]]], [[0.0], [-(2.0**24)]], ["identity", "identity"])
    assert float32_error(net, np.array([[2.0**24, 1.0]])) == 1.0


def test_a_steep_deep_network_errs_by_more_than_a_flat_one():
    x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    flat, steep = (random_mlp([2, *[20] * 15, 3], "tanh", scale=s, seed=1) for s in (0.3, 2.0))
    assert float32_error(steep, x) > 100 * float32_error(flat, x)
