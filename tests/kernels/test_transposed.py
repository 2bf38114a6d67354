"""The kernel `transposed` against its float64 twin."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.errors import ShapeError
from engine.gpu.layout.stored import evaluate
from engine.kernels import convolve, transposed
from engine.network.graph.nodes import Convolution, TransposedConvolution
from engine.reference import transposed as twin

few = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(max_examples=80, deadline=None)
@given(few, few, few, st.lists(st.integers(-3, 4), min_size=4, max_size=4), st.sampled_from([1, 2, 3]), few, few)
def test_any_window_is_the_twins(window, stride, dilation, padding, groups, share, size):
    rng = np.random.default_rng(2)
    weights, bias = rng.normal(size=(groups * share[0], share[1], *window)), rng.normal(size=groups * share[1])
    node = TransposedConvolution("t", ("a",), weights, bias, stride, padding, dilation, groups)
    x = rng.normal(size=(1, len(weights), *size)).astype(np.float32)
    try:
        node.shape(x.shape)
    except ShapeError:
        assume(False)
    found, exact = evaluate(transposed.steps, node, x), twin.value(node, x)
    assert found.shape == exact.shape and (abs(found - exact) <= twin.bounds(node, x)).all()


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_it_is_the_adjoint_of_a_convolution(stride):
    # <conv(x), y> = <x, transposed(y)>, in whole numbers that float32 holds exactly.
    rng = np.random.default_rng(stride)
    weights = rng.integers(-4, 5, (5, 3, 3, 2)).astype(np.float32)
    x = rng.integers(-9, 10, (1, 3, 3 + 4 * stride, 2 + 3 * stride)).astype(np.float32)
    forward = Convolution("c", ("a",), weights, stride=(stride, stride))
    y = rng.integers(-9, 10, forward.shape(x.shape)).astype(np.float32)
    back = TransposedConvolution("t", ("a",), weights, stride=(stride, stride))
    along, against = evaluate(convolve.steps, forward, x), evaluate(transposed.steps, back, y)
    assert (along * y).sum() == (x * against).sum()
