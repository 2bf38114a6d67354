"""How far float32 is from the exact values: measured, and never less than what a picture has."""

import numpy as np
import pytest

from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.rounding import rounding
from engine.reference.field import value


def square(side, half=1.0):
    at = np.linspace(-half, half, side)
    return np.stack(np.meshgrid(at, at), -1)


def in_float32(net, points):
    h = points.astype(np.float32)
    for layer in net.layers:
        h = np.asarray(layer.activation.value((h @ layer.weights.T + layer.bias).astype(np.float32)), np.float32)
    return h


def test_sums_that_are_exact_are_measured_without_error():
    net = Mlp([[[1.0, 2.0]], [[4.0]]], activations=["relu", "identity"])
    found = rounding(net, np.array([[[1.0, 0.5], [3.0, -1.0]]]))
    assert found.measured == 0.0 and found.possible > 0.0


def test_a_sum_that_cancels_loses_what_float32_loses():
    # 2^24 + 1 is not in float32: the 1 is gone.
    net = Mlp([[[1.0, 1.0]], [[1.0]]], [[0.0], [-(2.0**24)]], ["identity", "identity"])
    found = rounding(net, np.array([[[2.0**24, 1.0]]]))
    assert found.measured == 1.0 and found.possible >= 1.0 and found.points == 1


def test_half_precision_errs_by_thousands_of_times_more():
    net = random_mlp([2, 20, 20, 3], "tanh", scale=0.3, seed=1)
    single, half = (rounding(net, square(9), precision) for precision in ("f32", "f16"))
    assert 1000 < half.possible / single.possible < 20000 and half.measured > 1000 * single.measured


def test_a_jump_between_points_of_the_grid_is_found():
    net = Mlp([[[1.0, 0.3]], [[1.0]]], [[0.123456], [0.0]], ["sign", "identity"])
    found = rounding(net, square(5))
    assert found.measured == 0.0 and abs(found.possible - 2.0) < 1e-5


# Of eight bits.
STEP = 1.0 / 255.0
# Depths and scales from those that float32 holds easily to those it has lost.
CASES = [
    (a, d, s) for a in ("tanh", "relu", "sine", "gelu", "gaussian") for d in (2, 8, 15) for s in (0.4, 0.8, 1.5, 3.0)
]


@pytest.mark.parametrize(("activation", "depth", "scale"), CASES)
def test_where_a_pixel_of_a_picture_is_off_that_is_found_possible(activation, depth, scale):
    net = random_mlp([2, *[16] * depth, 3], activation, last="sigmoid", scale=scale, seed=depth)
    points = square(70).reshape(-1, 2)
    with np.errstate(all="ignore"):
        error = np.nanmax(abs(in_float32(net, points) - value(net, points.astype(np.float32))))
    found = rounding(net, square(17))
    assert error <= STEP or found.possible > STEP
    assert found.possible <= 1.0 and (error < 0.5 * found.possible or error > 0.1 or error < 1e-9)
    # It says something: what float32 holds is told apart from what it has lost.
    assert scale > 0.4 or found.possible < STEP


def test_a_large_network_is_searched_by_few_evaluations_that_find_as_steep_a_place(monkeypatch):
    net = random_mlp([2, *[12] * 6, 2], "tanh", scale=3.0, seed=4)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 9)] * 2), -1)
    calls, evaluate = [], Mlp.__call__
    monkeypatch.setattr(Mlp, "__call__", lambda net, points: calls.append(len(points)) or evaluate(net, points))
    by_halves, halves = rounding(net, grid), len(calls)
    monkeypatch.setattr("engine.network.rounding.LARGE", 0)
    found = rounding(net, grid)
    assert (halves, len(calls) - halves) == (21, 6) and found.points < by_halves.points
    # Both come as close to a jump as float32 does; what is possible there is drawn at random.
    assert 0.3 < found.possible / by_halves.possible < 3.0
