"""The network at several points an invocation: where its weights lie, and how long its code is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.codegen.mlp import batched_layout
from engine.codegen.mlp.batched import Variant, batched_module, weights_bindings
from engine.codegen.mlp.batched_layout import pack, plan, together
from engine.codegen.mlp.layout import UNIFORM_BYTES
from engine.codegen.mlp.units import IDENTITY
from engine.network.activations import Activation
from engine.network.mlp import Shape
from engine.network.random import random_mlp
from engine.network.units.mixed import mixed

VARIANT, GPUS = Variant(4, broadcast=True), Variant(2)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 64), min_size=2, max_size=6), st.integers(1, 12), st.integers(0, 99), st.booleans())
def test_every_weight_lies_where_the_plan_says_and_the_rest_is_zero(sizes, repeated, seed, image):
    # Some equal layers in the middle, which a loop takes.
    net = random_mlp([sizes[0], *[sizes[1]] * repeated, *sizes[1:]], seed=seed)
    cut = plan(net.shape, 4800, image)
    buffers, found = pack(cut, net.layers), 0.0
    counts = buffers[0][: cut.head].reshape(-1)
    assert counts.tolist() == [s.count for s in cut.segments] + [0] * (len(counts) - len(cut.segments))
    assert all(s.room >= s.count for s in cut.segments)
    buffers[0][: cut.head] = 0
    for segment in cut.segments:
        for k in range(segment.count):
            layer = net.layers[segment.layer + k]
            for part in segment.parts:
                for number in range(segment.passes):
                    at = 4 * (part.at + (k * segment.passes + number) * part.size)
                    numbers = iter(buffers[part.buffer].reshape(-1)[at:])
                    for rows in together(part):
                        rows = [number * segment.rows + r for r in rows]
                        for i in range(-1, segment.inputs):
                            for row in rows:
                                value = next(numbers)
                                if row < segment.outputs:
                                    assert value == (layer.bias[row] if i < 0 else layer.weights[row, i])
                                else:
                                    assert value == 0
            found += abs(layer.weights.astype(float)).sum() + abs(layer.bias.astype(float)).sum()
    assert np.isclose(sum(abs(b.astype(float)).sum() for b in buffers), found, rtol=1e-12)


@pytest.mark.parametrize("depth, width", [(1, 8), (27, 30), (39, 30), (10, 64), (20, 64), (100, 30)])
def test_weights_are_uniforms_of_64_kib_in_no_more_bindings_than_there_are(depth, width):
    cut = GPUS.plan(random_mlp([2, *[width] * depth, 3]).shape)
    assert cut.kind == "uniform" and len(cut.counts) <= 11
    assert max(cut.counts) * 16 <= UNIFORM_BYTES
    assert [b.kind for b in weights_bindings(cut)] == ["uniform"] * len(cut.counts)


def test_weights_past_all_uniforms_are_one_storage_buffer():
    cut = GPUS.plan(random_mlp([2, *[64] * 100, 3]).shape)
    assert cut.kind == "read" and len(cut.counts) == 1


@pytest.mark.parametrize("depth, width", [(1, 8), (27, 30), (100, 64)])
def test_lanes_that_share_loads_read_one_image_in_which_every_segment_begins_a_row(depth, width):
    cut = VARIANT.plan(random_mlp([2, *[width] * depth, 3]).shape)
    assert cut.kind == "image" and [b.kind for b in weights_bindings(cut)] == ["storage_texture"]
    assert all(part.at % batched_layout.IMAGE_WIDTH == 0 for segment in cut.segments for part in segment.parts)
    assert cut.counts[0] <= batched_layout.IMAGE_WIDTH * batched_layout.IMAGE_ROWS


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 64), min_size=2, max_size=40), st.booleans())
def test_code_stays_short_for_every_shape_or_there_is_no_plan(sizes, gradient):
    variant = Variant(1 if gradient else 4, gradient, broadcast=True)
    shape = random_mlp(sizes).shape
    if variant.plan(shape) is None:
        # Only many different layers are too many.
        assert len({pair for pair in zip(sizes, sizes[1:], strict=False)}) > 4
    else:
        assert batched_module(shape, variant).count("fma(") <= batched_layout.WRITTEN


@pytest.mark.parametrize("width", range(1, 65))
def test_no_narrow_layer_is_filled_up_by_much(width):
    cut = VARIANT.plan(random_mlp([2, *[width] * 9, 3]).shape)
    for segment in cut.segments:
        # Below 33 wide, past the first layer, not a row; else at most one for each pass but one.
        assert segment.passes * segment.rows - segment.outputs < max(1, segment.passes)
    assert width > 32 or max(s.passes for s in cut.segments if s.layer) == 1


def test_layers_wider_than_64_have_no_plan():
    assert VARIANT.plan(random_mlp([2, 65, 1]).shape) is None
    assert VARIANT.plan(random_mlp([65, 2]).shape) is None


def test_only_sizes_and_activations_change_the_text():
    a, b = (random_mlp([2, 30, 30, 3], seed=s) for s in (1, 2))
    assert batched_module(a.shape, VARIANT) == batched_module(b.shape, VARIANT)
    assert batched_module(a.shape, VARIANT) != batched_module(random_mlp([2, 30, 30, 3], "sine(3)").shape, VARIANT)


def test_networks_that_differ_in_depth_alone_share_their_code():
    def text(depth, last):
        net = random_mlp([2, *[30] * depth, 3], "tanh", last=last)
        cut = VARIANT.plan(net.shape)
        return batched_module(net.shape, VARIANT), tuple(b.type_text for b in weights_bindings(cut))

    assert text(18, "sigmoid") == text(27, "sigmoid") == text(33, "sigmoid")
    assert text(27, "sigmoid") != text(27, "tanh")
    # From the second equal layer on: how many there are is a number in the buffer.
    assert len({text(depth, "tanh") for depth in range(2, 41)}) == 4


@pytest.mark.parametrize("name, most", [("gelu", 20), ("tanh", 32), ("mixed", 72)])
def test_an_activation_is_written_for_few_units_of_any_width_and_depth(name, most):
    """A call for four units of gelu compiles as slowly as a hundred products."""
    parts = [Activation.parse(a) for a in ("relu", "tanh", "sine(30)", "gelu", "silu")]
    variant = Variant(3, broadcast=True)
    for width in (5, 30, 33, 55, 64):
        for depth in (1, 16):
            sizes = [2, *[width] * depth, 2]
            hidden = mixed([(a, width // 5 + width % 5 * (a == parts[-1])) for a in parts])
            shape = Shape(tuple(sizes), (*[hidden if name == "mixed" else Activation.parse(name)] * depth, IDENTITY))
            assert batched_module(shape, variant).count("_value(") <= most
