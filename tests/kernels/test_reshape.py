"""The kernel `reshape` against its twin: numbers are moved, so every one is exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.gpu.channel_map import ChannelMap, evaluate
from engine.gpu.device import device
from engine.kernels import reshape
from engine.network.nodes import Concat, Flatten
from engine.reference import reshape as twin


def image(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 9), st.integers(1, 12))
def test_maps_of_any_channels_are_joined(channels, rows, columns):
    maps = [image(c, rows, columns, seed=i) for i, c in enumerate(channels)]
    node = Concat("join", [str(i) for i in range(len(maps))])
    assert np.array_equal(evaluate(reshape.steps, node, *maps), twin.value(node, *maps))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_maps_of_any_shape_are_made_one_vector(channels, rows, columns):
    node, x = Flatten("flat", ("image",)), image(channels, rows, columns)
    assert np.array_equal(evaluate(reshape.steps, node, x), twin.value(node, x))


def test_a_vector_of_more_groups_than_a_dispatch_has_workgroups():
    # 65,664 groups of four.
    node, x = Flatten("flat", ("image",)), image(1, 513, 512)
    assert np.array_equal(evaluate(reshape.steps, node, x), twin.value(node, x))


@pytest.mark.parametrize("channel, channels", [(0, 4), (2, 3), (5, 6)])
def test_channels_before_stay_and_the_last_group_is_filled_with_zeros(channel, channels):
    source, kept = ChannelMap((channels, 2, 2)), ChannelMap((12, 2, 2))
    x = image(channels, 2, 2)
    source.write(x)
    kept.write(np.full((12, 2, 2), 9.0))
    with device().recording() as encoder:
        for step in reshape.moved(source, kept, channel):
            step.record(encoder)
    expected = np.full((12, 2, 2), 9.0, np.float32)
    end = channel + channels
    expected[channel:end] = x
    expected[end : -(-end // 4) * 4] = 0
    assert np.array_equal(kept.read(), expected)
