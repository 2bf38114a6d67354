"""The kernel `elementwise` against its float64 twin: activations, sums and products of two maps."""

import numpy as np
import pytest

from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.gpu.layout.stored import evaluate
from engine.kernels import elementwise
from engine.network.activations import Activation
from engine.network.graph.nodes import Add, Elementwise, Multiply
from engine.reference import elementwise as twin
from tests.network.every_activation import EVERY, SOME

SUM = Add("sum", ("a", "b"))
PRODUCT = Multiply("product", ("a", "b"))


def image(*shape, seed=1, spread=1.0):
    return (spread * np.random.default_rng(seed).normal(size=(1, *shape))).astype(np.float32)


@pytest.mark.parametrize("activation", EVERY, ids=str)
def test_every_activation_is_the_twins(activation):
    node, x = Elementwise("act", ("a",), activation), image(6, 9, 11, spread=3.0)
    found, exact = evaluate(elementwise.steps, node, x), twin.value(node, x)
    # Where it has no value neither does the kernel give one.
    none = np.isnan(exact)
    assert np.array_equal(np.isnan(found), none)
    assert (abs(found - exact) <= twin.bounds(node, x))[~none].all()


@pytest.mark.parametrize("activation", EVERY, ids=str)
def test_what_is_no_number_stays_none(activation):
    node, x = Elementwise("act", ("a",), activation), image(6, 1, 2)
    x[0, ::2, 0, 1] = np.nan
    found, exact = evaluate(elementwise.steps, node, x), twin.value(node, x)
    assert np.isnan(exact[np.isnan(x)]).all() and np.isnan(found[np.isnan(x)]).all()


@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 9, 11), (67, 1, 1)], ids=str)
def test_an_activation_of_a_map_of_any_shape_is_the_twins(shape):
    node, x = Elementwise("act", ("a",), "gelu"), image(*shape, spread=3.0)
    found = evaluate(elementwise.steps, node, x)
    assert found.shape == (1, *shape) and found.dtype == np.float32
    assert (abs(found - twin.value(node, x)) <= twin.bounds(node, x)).all()


@pytest.mark.parametrize("activation", [None, *SOME], ids=str)
def test_every_activation_of_a_sum_is_the_twins(activation):
    a, b = image(6, 5, 7), image(6, 5, 7, seed=2)
    found = evaluate(elementwise.steps, SUM, a, b, activation=activation)
    exact = twin.value(SUM, a, b, activation=activation)
    assert (abs(found - exact) <= twin.bounds(SUM, a, b, activation=activation)).all()


def test_a_sum_is_one_rounding_of_float32():
    a, b = image(7, 4, 4), image(7, 4, 4, seed=2, spread=1e4)
    assert np.array_equal(evaluate(elementwise.steps, SUM, a, b), a + b)


@pytest.mark.parametrize("activation", [None, *SOME], ids=str)
@pytest.mark.parametrize("other", [(6, 5, 7), (6, 1, 1)], ids=["a map", "a vector"])
def test_every_activation_of_a_product_is_the_twins(other, activation):
    a, b = image(6, 5, 7), image(*other, seed=2)
    found = evaluate(elementwise.steps, PRODUCT, a, b, activation=activation)
    exact = twin.value(PRODUCT, a, b, activation=activation)
    assert (abs(found - exact) <= twin.bounds(PRODUCT, a, b, activation=activation)).all()


@pytest.mark.parametrize("shape", [(1, 1, 2), (3, 9, 11), (8, 1, 65), (67, 3, 2)], ids=str)
def test_each_channel_is_scaled_by_its_number_of_a_vector_in_any_order(shape):
    x, gate = image(*shape, spread=9.0), image(shape[0], 1, 1, seed=2)
    # A product is one rounding of float32.
    for values in ((x, gate), (gate, x)):
        assert np.array_equal(evaluate(elementwise.steps, PRODUCT, *values), x * gate)


def test_a_number_for_each_channel_is_added_too():
    x, vector = image(6, 5, 7), image(6, 1, 1, seed=2)
    assert np.array_equal(evaluate(elementwise.steps, SUM, x, vector), x + vector)


def test_products_of_equal_shapes_are_one_rounding_of_float32():
    for shape in ((7, 4, 4), (9, 1, 1)):
        a, b = image(*shape), image(*shape, seed=2, spread=1e4)
        assert np.array_equal(evaluate(elementwise.steps, PRODUCT, a, b), a * b)


def test_a_gate_and_its_map_can_be_parts_of_larger_arrays():
    whole, gates, kept = ChannelMap((12, 3, 4)), ChannelMap((12, 1, 1)), ChannelMap((12, 3, 4))
    x, gate = image(12, 3, 4), image(12, 1, 1, seed=2)
    whole.write(x[0])
    gates.write(gate[0])
    parts = [whole.part(4, 4), gates.part(8, 4)]
    with device().recording() as encoder:
        for step in elementwise.steps(PRODUCT, parts, kept.part(4, 4)):
            step.record(encoder)
    assert np.array_equal(kept.read()[4:8], x[0, 4:8] * gate[0, 8:])


def test_a_map_can_be_added_to_itself():
    x = ChannelMap((5, 3, 3))
    kept = ChannelMap(x.shape)
    x.write(image(5, 3, 3)[0])
    with device().recording() as encoder:
        for step in elementwise.steps(SUM, [x, x], kept):
            step.record(encoder)
    assert np.array_equal(kept.read(), 2 * x.read())


def test_the_last_group_of_four_does_not_become_the_activation_of_zero():
    source, kept = ChannelMap((5, 1, 2)), ChannelMap((5, 1, 2))
    kept.array.write(np.full(kept.array.count, 9.0))
    with device().recording() as encoder:
        for step in elementwise.steps(Elementwise("act", ("a",), Activation("sigmoid")), [source], kept):
            step.record(encoder)
    assert (kept.array.read().reshape(2, 2, 4)[1] == [0.5, 0, 0, 0]).all()
