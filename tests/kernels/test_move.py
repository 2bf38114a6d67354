"""The kernel `move` against its twin: numbers are moved, so every one is exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NetworkError
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.gpu.layout.stored import Stored, evaluate
from engine.kernels import move
from engine.network.graph import nodes
from engine.network.graph.views import viewed
from engine.reference import move as twin


def image(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def run(steps):
    with device().recording() as encoder:
        for step in steps:
            step.record(encoder)


def is_exact(node, *arrays):
    return np.array_equal(evaluate(move.steps, node, *arrays, maps=False), twin.value(node, *arrays).astype("f4"))


shapes = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(shapes, st.randoms(use_true_random=False))
def test_axes_in_any_order(shape, random):
    axes = list(range(len(shape)))
    random.shuffle(axes)
    assert is_exact(nodes.Transpose("n", ("a",), axes), image(*shape))


@settings(max_examples=60, deadline=None)
@given(shapes, st.data())
def test_any_part_of_every_axis(shape, data):
    starts, counts, steps = [], [], []
    for n in shape:
        start, step = data.draw(st.integers(0, n - 1)), data.draw(st.sampled_from([-2, -1, 1, 3]))
        most = (start // -step if step < 0 else (n - 1 - start) // step) + 1
        starts.append(start), steps.append(step), counts.append(data.draw(st.integers(1, most)))
    assert is_exact(nodes.Slice("n", ("a",), starts, counts, steps), image(*shape))


@settings(max_examples=60, deadline=None)
@given(shapes, st.data())
def test_arrays_joined_along_any_axis(shape, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    arrays = [image(*shape[:axis], n, *shape[axis + 1 :], seed=i) for i, n in enumerate(lengths)]
    assert is_exact(nodes.Concat("n", [str(i) for i in range(len(arrays))], axis), *arrays)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_padding_of_every_mode(mode):
    x = image(2, 3, 5, 4)
    assert is_exact(nodes.Pad("n", ("a",), (0, 2, -1, 1), (1 if mode != "reflect" else 0, 0, 2, -2), 0.5, mode), x)


@pytest.mark.parametrize("indices", [3, [0, 2, -1], [[1, 1], [0, -2], [3, 0]], []])
def test_places_that_are_picked(indices):
    assert is_exact(nodes.Gather("n", ("a",), np.array(indices, int), 1), image(2, 4, 3))


def test_numbers_that_are_repeated_and_more_of_them_than_a_row_of_workgroups_takes():
    assert is_exact(nodes.Expand("n", ("a",), (3, 2, 4)), image(2, 1))
    assert is_exact(nodes.Transpose("n", ("a",), (1, 0)), image(2050, 2049))


def test_more_axes_than_the_kernel_has_are_refused():
    shape = (65, 64) * 5
    with pytest.raises(NetworkError, match="of 10 axes are to be moved; at most 8"):
        source = Stored(shape, Stored.new((1,)).array)
        list(move.moved(source, source.offsets(), source, source.offsets()))


# As maps.


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 9), st.integers(1, 12))
def test_maps_of_any_channels_are_joined_and_filled_up_with_zeros(channels, rows, columns):
    arrays = [image(1, c, rows, columns, seed=i) for i, c in enumerate(channels)]
    node = nodes.Concat("join", [str(i) for i in range(len(arrays))])
    sources = [Stored.mapped(a.shape, ChannelMap.of(a[0]), False) for a in arrays]
    output = ChannelMap((sum(channels), rows, columns))
    output.array.write(np.full(output.array.count, 9.0))
    run(move.steps(node, sources, Stored.mapped((1, *output.shape), output, False)))
    assert np.array_equal(output.read(), np.concatenate(arrays, axis=1)[0])
    raw = output.array.read().reshape(output.groups, -1, 4).transpose(0, 2, 1).reshape(4 * output.groups, -1)
    assert (raw[sum(channels) :] == 0).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_an_array_is_copied_between_all_layouts(shape, first, then):
    x = image(*shape)
    flat = Stored.of(x)
    maps = [Stored.mapped(x.shape, ChannelMap(viewed(x, last).shape), last) for last in (first, then)]
    back = Stored.new(x.shape)
    for source, output in ((flat, maps[0]), (maps[0], maps[1]), (maps[1], back)):
        # Maps whose channels are several axes are copied by way of numpy's order.
        if (source.separable and output.separable) or None in (source.map, output.map):
            run(move.copied(source, output))
        else:
            run(move.copied(source, back))
            run(move.copied(back, output))
        assert np.array_equal(output.read(), x)
    assert np.array_equal(maps[0].map.read(), viewed(x, first))


def test_a_vector_of_more_groups_than_a_dispatch_has_workgroups():
    # 65,664 groups of four.
    x, vector = image(1, 1, 513, 512), Stored.new((1, 513 * 512))
    run(move.copied(Stored.mapped(x.shape, ChannelMap.of(x[0]), False), vector.seen(x.shape)))
    assert np.array_equal(vector.read(), x.reshape(1, -1))
