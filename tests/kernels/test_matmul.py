"""The kernel `matmul` against its float64 twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NetworkError
from engine.gpu.layout.stored import evaluate
from engine.kernels import matmul
from engine.network.graph.nodes import MatMul
from engine.reference import matmul as twin

NODE = MatMul("product", ("a", "b"))


def matrix(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def is_the_twins(a, b):
    exact, bound = twin.value(NODE, a, b), twin.bounds(NODE, a, b)
    found = [evaluate(matmul.steps, NODE, a, b, maps=False, variant=variant) for variant in matmul.VARIANTS]
    return all(x.shape == exact.shape and (abs(x - exact) <= bound).all() for x in found)


# One number; a tile and one more; many factors; more matrices than one.
@pytest.mark.parametrize(
    "a, b",
    [
        ((1, 1), (1, 1)),
        ((33, 17), (17, 65)),
        ((5, 700), (700, 3)),
        ((3, 70, 40), (3, 40, 33)),
        ((2, 1, 4, 3), (5, 3, 2)),
    ],
)
def test_matrices_of_every_size(a, b):
    assert is_the_twins(matrix(*a), matrix(*b, seed=2))


@pytest.mark.parametrize("a, b", [((3,), (3,)), ((4, 3), (3,)), ((3,), (2, 3, 4))])
def test_vectors_are_rows_and_columns(a, b):
    assert is_the_twins(matrix(*a), matrix(*b, seed=2))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.booleans()), max_size=3), st.integers(1, 5))
def test_batches_are_broadcast(axes, size):
    a, b = ([1 if repeated[i] else n for n, *repeated in axes] for i in (0, 1))
    assert is_the_twins(matrix(*a, 4, size), matrix(*b, size, 3, seed=2))


def test_sums_of_small_whole_numbers_are_exact():
    rng = np.random.default_rng(3)
    a, b = rng.integers(-9, 10, (2, 40, 100)), rng.integers(-9, 10, (2, 100, 37))
    for variant in matmul.VARIANTS:
        assert np.array_equal(evaluate(matmul.steps, NODE, a, b, maps=False, variant=variant), a @ b)


def test_more_factors_than_a_loop_takes_are_refused():
    with pytest.raises(NetworkError, match=r"`product` multiplies .* more than the kernel takes"):
        evaluate(matmul.steps, NODE, np.zeros((1, 30000)), np.zeros((30000, 1)), maps=False)
