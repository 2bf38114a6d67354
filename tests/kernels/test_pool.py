"""The kernel `pool` against its float64 twin."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.errors import NetworkError, ShapeError
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.gpu.layout.stored import evaluate
from engine.kernels import pool
from engine.network.graph.nodes import AveragePool, MaxPool, Reduce
from engine.reference import pool as twin

sides = st.tuples(st.integers(1, 5), st.integers(1, 5))


def image(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=(1, *shape)).astype(np.float32)


@st.composite
def windows(draw):
    """A pool of either kind, and the shape of a map."""
    size, stride, low = draw(sides), draw(sides), draw(st.integers(1, 9))
    padding = tuple(draw(st.integers(0, size[i % 2] - 1)) for i in range(4))
    ceil = draw(st.booleans())
    if draw(st.booleans()):
        node = MaxPool("pool", ("image",), size, stride, padding, ceil, draw(sides))
    else:
        node = AveragePool("pool", ("image",), size, stride, padding, ceil, include_padding=draw(st.booleans()))
    return node, (low, draw(st.integers(1, 14)), draw(st.integers(1, 14)))


@settings(max_examples=150, deadline=None)
@given(windows())
def test_every_window_is_the_twins(case):
    node, shape = case
    try:
        wanted = node.shape((1, *shape))
    except ShapeError:
        assume(False)
    x = image(*shape)
    # A window with gaps may see padding alone; exporters write none such.
    assume(np.isfinite(twin.value(node, x)).all())
    missing = np.where(x > 2.0, np.nan, x)
    assert np.array_equal(np.isnan(evaluate(pool.steps, node, missing)), np.isnan(twin.value(node, missing)))
    found = evaluate(pool.steps, node, x)
    assert found.shape == wanted and found.dtype == np.float32
    assert (abs(found - twin.value(node, x)) <= twin.bounds(node, x)).all()


@pytest.mark.parametrize("shape", [(3, 1, 1), (5, 13, 13), (6, 80, 70), (2, 1, 5000), (1, 5000, 1), (1, 300, 300)])
def test_the_mean_of_a_whole_map_is_the_twins(shape):
    node, x = Reduce("pool", ("image",), "mean", (2, 3)), image(*shape)
    found = evaluate(pool.steps, node, x)
    assert found.shape == (1, shape[0], 1, 1)
    assert (abs(found - twin.value(node, x)) <= twin.bounds(node, x)).all()
    # Positive numbers, so that none is missing. Rows are exact in sixteenths; a column of their means is summed.
    whole = np.round(16 * abs(x)) / 16
    assert (abs(evaluate(pool.steps, node, whole) / twin.value(node, whole) - 1) <= (shape[1] + 4) * 2.0**-23).all()


def test_the_largest_of_a_whole_map_is_exact():
    x = image(6, 80, 70)
    node = Reduce("pool", ("image",), "max", (2, 3))
    assert np.array_equal(evaluate(pool.steps, node, x), x.max(axis=(2, 3), keepdims=True))


# More numbers than one loop takes: rows and columns are gone through one after the other.
@pytest.mark.parametrize(
    "node",
    [
        MaxPool("pool", ("image",), (70, 60), (7, 5), (9, 11, 60, 40), ceil=True),
        AveragePool("pool", ("image",), (70, 60), (7, 5), (9, 11, 60, 40), ceil=True),
        AveragePool("pool", ("image",), (70, 60), (7, 5), (9, 11, 60, 40), ceil=True, include_padding=True),
    ],
    ids=["largest", "mean", "mean with padding"],
)
def test_a_window_of_very_many_numbers_is_the_twins(node):
    x = image(3, 75, 66)
    found = evaluate(pool.steps, node, x)
    assert (abs(found - twin.value(node, x)) <= twin.bounds(node, x)).all()


def test_padding_is_less_than_any_number():
    least = np.full((1, 4, 3, 3), np.finfo(np.float32).min, np.float32)
    found = evaluate(pool.steps, MaxPool("pool", ("image",), (3, 3), (1, 1), (2, 2, 2, 2)), least)
    assert found.shape == (1, 4, 5, 5) and (found == least[0, 0, 0, 0]).all()


@pytest.mark.parametrize("include, corner", [(False, 1.0), (True, 4 / 9)])
def test_the_mean_of_ones_tells_how_much_counted(include, corner):
    # A corner of a 3 x 3 window, padded by one, sees four numbers of nine.
    node = AveragePool("pool", ("image",), (3, 3), (1, 1), (1, 1, 1, 1), include_padding=include)
    found = evaluate(pool.steps, node, np.ones((1, 1, 4, 4)))[0]
    assert found[0, 1, 1] == 1.0 and abs(found[0, 0, 0] - corner) <= 2.0**-23


def test_the_last_group_of_four_stays_zero():
    source = ChannelMap((5, 2, 2))
    source.write(np.ones((5, 2, 2)))
    for node in (MaxPool("p", ("i",), (2, 2), (1, 1)), Reduce("p", ("i",), "mean", (2, 3))):
        kept = ChannelMap((5, 1, 1))
        kept.array.write(np.full(kept.array.count, 9.0))
        with device().recording() as encoder:
            for step in pool.steps(node, [source], kept):
                step.record(encoder)
        assert kept.array.read().tolist() == [1, 1, 1, 1, 1, 0, 0, 0]


def test_a_side_of_more_numbers_than_a_loop_has_iterations_is_refused():
    with pytest.raises(NetworkError, match=r"`pool` pools over \(1, 65536\); at most 65535 a side"):
        evaluate(pool.steps, Reduce("pool", ("image",), "mean", (2, 3)), np.zeros((1, 1, 1, 65536)))
