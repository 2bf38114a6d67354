"""The kernel `reduce` against its float64 twin."""

import numpy as np
import pytest

from engine.gpu.layout.stored import evaluate
from engine.kernels import reduce
from engine.network.graph.nodes import Reduce
from engine.reference import reduce as twin


@pytest.mark.parametrize("function", reduce.FUNCTIONS)
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(
    "shape, axes",
    [
        ((3, 5, 7), (1,)),
        ((3, 5, 7), (0, -1)),
        ((2, 3, 4), (0, 1, 2)),
        ((2, 33, 31), (1, 2)),
        ((40, 3), (0,)),
        ((3,), (0,)),
    ],
)
def test_every_function_along_any_axes_is_the_twins(function, keep, shape, axes):
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    node = Reduce("r", ("a",), function, axes, keep)
    found, exact = evaluate(reduce.steps, node, x, maps=False), twin.value(node, x)
    assert found.shape == exact.shape and (abs(found - exact) <= twin.bounds(node, x)).all()
    x.flat[-1] = np.nan
    assert np.array_equal(np.isnan(evaluate(reduce.steps, node, x, maps=False)), np.isnan(twin.value(node, x)))
