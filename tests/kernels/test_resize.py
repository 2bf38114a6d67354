"""The kernel `resize` against its float64 twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.gpu.layout.stored import evaluate
from engine.kernels import resize
from engine.network.graph.nodes import Resize
from engine.reference import resize as twin


@st.composite
def weights(draw):
    """(new, old) weights of up to three neighbours."""
    new, old = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    found, count = np.zeros((new, old)), draw(st.integers(1, min(3, old)))
    for row in found:
        first = draw(st.integers(0, old - count))
        row[first : first + count] = np.random.default_rng(first).normal(size=count)
    return found


@settings(max_examples=60, deadline=None)
@given(weights(), weights(), st.integers(1, 9))
def test_any_sums_of_neighbours_are_the_twins(rows, columns, channels):
    node = Resize("r", ("a",), rows, columns)
    x = np.random.default_rng(1).normal(size=(1, channels, rows.shape[1], columns.shape[1])).astype(np.float32)
    found = evaluate(resize.steps, node, x)
    assert (abs(found - twin.value(node, x)) <= twin.bounds(node, x)).all()


@pytest.mark.parametrize(
    "weights", [np.eye(4)[[0, 0, 3]], np.array([[0, 0.5, 0.5, 0], [0, 0, 0, 0], [0.1, 0, 0, 0.2]])]
)
def test_taps_are_the_weights_that_are_not_zero(weights):
    found = resize.taps(weights)
    again = np.zeros_like(weights)
    for row, (first, *own) in zip(again, found, strict=True):
        row[int(first) : int(first) + len(own)] = own
    assert np.allclose(again, weights, atol=1e-7)
