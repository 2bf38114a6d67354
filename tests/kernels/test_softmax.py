"""The kernel `softmax` against its float64 twin."""

import numpy as np
import pytest

from engine.errors import NetworkError
from engine.gpu.layout.stored import evaluate
from engine.kernels import softmax
from engine.network.graph.nodes import Softmax
from engine.reference import softmax as twin

NODE = Softmax("softmax", ("logits",))


def logits(*shape, spread=3.0):
    return (spread * np.random.default_rng(1).normal(size=(1, *shape))).astype(np.float32)


@pytest.mark.parametrize("spread", [0.1, 3.0, 40.0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1000, 1, 1), (6, 9, 11), (10, 1, 70)], ids=str)
def test_every_shape_is_the_twins(shape, spread):
    x = logits(*shape, spread=spread)
    found = evaluate(softmax.steps, NODE, x)
    assert found.shape == (1, *shape) and found.dtype == np.float32
    assert (abs(found - twin.value(NODE, x)) <= twin.bounds(NODE, x)).all()


def test_probabilities_at_each_place_add_up_to_one():
    found = evaluate(softmax.steps, NODE, logits(37, 5, 6)).astype(float)
    # 37 quotients, each rounded once, by a sum of 37.
    assert (abs(found.sum(axis=1) - 1) < 37 * 2.0**-23).all() and (found >= 0).all()


def test_large_numbers_neither_overflow_nor_vanish():
    most = np.finfo(np.float32).max
    x = np.array([[most, most / 2, -most], [most, -most, -most], [-most, most / 2, -most]], np.float32)[None, :, None]
    # Equal ones share; all others are infinitely less.
    expected = np.array([[0.5, 0.5, 1 / 3], [0.5, 0.0, 1 / 3], [0.0, 0.5, 1 / 3]])[None, :, None]
    assert (abs(evaluate(softmax.steps, NODE, x) - expected) <= 4 * 2.0**-23).all()


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("place", [0, 3, 5])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_makes_no_probabilities(value, place, log):
    node, x = Softmax("softmax", ("logits",), 1, log), logits(6, 1, 2)
    x[0, place, 0, 0] = value
    with np.errstate(invalid="ignore", divide="ignore"):
        exact = twin.value(node, x)
    ways = (
        [(softmax.along_steps, {"maps": False})]
        if log
        else [(softmax.steps, {}), (softmax.along_steps, {"maps": False})]
    )
    for steps, more in ways:
        found = evaluate(steps, node, x, **more)
        # Beside it all is as it was, and what is infinitely less is 0.
        assert np.array_equal(np.isnan(found), np.isnan(exact))
        assert np.isfinite(exact[0, :, 0, 1]).all() and np.isnan(exact).any() == (value != -np.inf)


def test_a_shift_of_all_logits_changes_nothing():
    # Multiples of 1/256 below 2^15 are exact in float32 with the shift and without.
    x = np.round(logits(9, 4, 4) * 256) / 256
    assert np.array_equal(evaluate(softmax.steps, NODE, x), evaluate(softmax.steps, NODE, x + 8192))


def test_more_channels_than_loops_have_iterations_are_refused():
    with pytest.raises(NetworkError, match="87381 channels was asked for; at most 87380"):
        evaluate(softmax.steps, NODE, np.zeros((1, 87381, 1, 1)))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("shape, axis", [((3, 5, 7), 2), ((3, 5, 7), -1), ((2, 3, 40), -1), ((4, 700), 2), ((9, 4), 0)])
def test_along_any_axis_it_is_the_twins(shape, axis, log):
    node, x = Softmax("softmax", ("logits",), axis, log), logits(*shape)
    found = evaluate(softmax.along_steps, node, x, maps=False)
    assert found.shape == x.shape and (abs(found - twin.value(node, x)) <= twin.bounds(node, x)).all()


# Up to this many ulps of logits' differences, of exponentials and of sums, whatever the number of outputs.
RELATIVE = 1e-5


@pytest.mark.parametrize("spread", [0.3, 3.0, 8.0, 20.0])
@pytest.mark.parametrize("channels", [7, 1000, 20000])
def test_every_probability_is_right_to_a_hundred_thousandth_of_itself(channels, spread):
    x = logits(channels, 1, 3, spread=spread)
    x[0, 3 % channels] += 4 * spread  # one that is nearly certain
    along = Softmax("softmax", ("logits",), 1)
    for found in (evaluate(softmax.steps, NODE, x), evaluate(softmax.along_steps, along, x, maps=False)):
        exact = twin.value(NODE, x)
        # exp gives 0 past -87, and float32 less than 2^-126 only roughly.
        normal = exact > 1e-37
        assert normal.any() and (abs(found - exact) <= RELATIVE * exact)[normal].all()
        assert (found[~normal] <= 1.1e-37).all()
