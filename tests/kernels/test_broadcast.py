"""The kernel `broadcast` against its float64 twin: functions of numbers at one place of several arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.gpu.layout.stored import evaluate
from engine.kernels import broadcast
from engine.network.activations import Activation
from engine.network.graph import nodes
from engine.reference import broadcast as twin

BINARY = (nodes.Add, nodes.Subtract, nodes.Multiply, nodes.Divide, nodes.Maximum, nodes.Minimum)


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def is_the_twins(node, *arrays, **more):
    found = evaluate(broadcast.steps, node, *arrays, maps=False, **more)
    more.pop("exponent", None)
    exact, bound = twin.value(node, *arrays, **more), twin.bounds(node, *arrays, **more)
    nothing = ~np.isfinite(exact)
    assert found.shape == exact.shape and np.array_equal(found[nothing], exact[nothing], equal_nan=True)
    return (abs(found[~nothing] - exact[~nothing]) <= bound[~nothing]).all()


@pytest.mark.parametrize("kind", BINARY, ids=lambda kind: kind.kind)
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.booleans()), min_size=1, max_size=6), st.integers(0, 3))
def test_every_function_of_arrays_of_any_shape(kind, axes, fewer):
    a, b = ([1 if repeated[i] else n for n, *repeated in axes] for i in (0, 1))
    assert is_the_twins(kind("n", ("a", "b")), numbers(*a), numbers(*b[min(fewer, len(b)) :], seed=2))


@pytest.mark.parametrize("kind", BINARY, ids=lambda kind: kind.kind)
def test_a_function_of_no_number_is_none(kind):
    a, b = numbers(3, 5), numbers(3, 5, seed=2)
    a[0, 1] = b[1, 2] = a[2, 2] = b[2, 2] = np.nan
    assert is_the_twins(kind("n", ("a", "b")), a, b) and np.isnan(kind("n", ("a", "b")).value(a, b)).sum() == 3


@pytest.mark.parametrize("relation", nodes.arithmetic.COMPARISONS)
def test_every_relation_gives_0_or_1(relation):
    a, b = (np.random.default_rng(i).integers(0, 2, (3, 40)).astype(np.float32) for i in (1, 2))
    node = nodes.Compare("n", ("a", "b"), relation)
    assert np.array_equal(evaluate(broadcast.steps, node, a, b, maps=False), node.value(a, b))


@pytest.mark.parametrize("exponent", [*broadcast.POWERS, 0.0, 1.0, 2.5, -3.0])
@pytest.mark.parametrize("constant", [False, True])
def test_powers_of_numbers_of_either_sign(exponent, constant):
    x = numbers(3, 50)
    x[0, :2] = 0
    more = {"exponent": exponent} if constant else {}
    assert is_the_twins(nodes.Power("n", ("a", "b")), x, np.array([exponent], np.float32), **more)


def test_what_holds_constants_or_takes_three():
    x = numbers(2, 3, 5)
    assert is_the_twins(nodes.Affine("n", ("a",), numbers(3, 1, seed=2), numbers(5, seed=3)), x)
    assert is_the_twins(nodes.Prelu("n", ("a",), numbers(3, 1, seed=2)), x)
    assert is_the_twins(nodes.Where("n", ("a", "b", "c")), (x > 0).astype("f4"), numbers(5, seed=2), numbers(1, seed=3))
    for to in ("int", "float", "bool"):
        assert is_the_twins(nodes.Cast("n", ("a",), to), np.round(3 * x) / 2)


@pytest.mark.parametrize("activation", ["tanh", "leaky_relu(0.2)", "gelu"])
def test_an_activation_by_itself_and_of_a_sum(activation):
    a, b = numbers(4, 7), numbers(7, seed=2)
    assert is_the_twins(nodes.Elementwise("n", ("a",), activation), a)
    assert is_the_twins(nodes.Add("n", ("a", "b")), a, b, activation=Activation.parse(activation))
