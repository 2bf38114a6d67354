"""The loss over all data: the twin's, of either task, for many networks at once."""

import numpy as np
import pytest

from engine.kernels.train_loss import STRIDE, TOGETHER, Losses
from engine.network.history import flat
from engine.network.random import random_mlp
from engine.reference.train_loss import mean_loss


def data(task, count, inputs, outputs, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-2, 2, (count, inputs)).astype(np.float32)
    return points, rng.integers(0, outputs, count) if task == "classes" else rng.normal(size=(count, outputs))


# More points than there are partial sums, fewer, and one.
@pytest.mark.parametrize("count", [1, 37, STRIDE + 5])
@pytest.mark.parametrize(("task", "sizes"), [("classes", [2, 5, 3]), ("values", [3, 4, 2]), ("values", [1, 6, 1])])
def test_the_loss_is_the_twins(task, sizes, count):
    points, targets = data(task, count, sizes[0], sizes[-1])
    nets = [random_mlp(sizes, "tanh", seed=seed) for seed in range(3)]
    found = Losses(nets[0].shape, task, points, targets)([flat(net) for net in nets])
    exact = [mean_loss(net(points), targets, task) for net in nets]
    # Outputs in float32, up to 20 additions of them in float32: some tens of ulps of the mean.
    np.testing.assert_allclose(found, exact, rtol=2e-5, atol=1e-6)


def test_more_networks_than_are_read_at_once_are_those_one_by_one():
    points, targets = data("classes", 50, 2, 2)
    flats = np.stack([flat(random_mlp([2, 3, 2], "relu", seed=seed)) for seed in range(TOGETHER + 3)])
    losses = Losses(random_mlp([2, 3, 2], "relu").shape, "classes", points, targets)
    assert np.array_equal(losses(flats), [losses(row[None])[0] for row in flats])


def test_weights_that_are_not_finite_have_no_loss_and_spoil_no_other():
    points, targets = data("values", 20, 2, 1)
    flats = np.stack([flat(random_mlp([2, 3, 1], seed=seed)) for seed in range(3)])
    losses = Losses(random_mlp([2, 3, 1]).shape, "values", points, targets)
    alone = losses(flats[[0, 2]])
    flats[1, 0] = np.nan
    found = losses(flats)
    assert np.isnan(found[1]) and np.array_equal(found[[0, 2]], alone)
