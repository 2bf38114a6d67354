import numpy as np
import pytest

from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.regions.local import local

DOMAIN = Domain([0.2, 0.9, -0.3], [[1.0, 0.5, 0.0], [0.0, -1.0, 2.0]], [0.0, 0.0], [1.0, 1.0])


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "leaky_relu"])
def test_values_are_the_networks_and_slopes_are_their_differences(activation):
    net = random_mlp([3, 7, 5, 2], activation, seed=4)
    point, step = np.array([0.31, 0.62]), 1e-6
    found = local(net, DOMAIN, point)
    assert found.outputs == pytest.approx(net(DOMAIN.inputs([point]))[0], abs=1e-12)
    for axis in range(2):
        ends = [point + sign * step * np.eye(2)[axis] for sign in (1, -1)]
        ahead, behind = (local(net, DOMAIN, end) for end in ends)
        # Central differences of smooth pieces err by step^2 and by rounding over the step.
        assert found.jacobian[:, axis] == pytest.approx((ahead.logits - behind.logits) / (2 * step), abs=1e-8)
        for layer in range(2):
            wanted = (ahead.sums[layer] - behind.sums[layer]) / (2 * step)
            assert found.slopes[layer][:, axis] == pytest.approx(wanted, abs=1e-8)


def test_slopes_of_units_that_differ_are_their_differences():
    net = random_mlp([3, 8, 6, 2], seed=4)
    net = net.changed(activations=["4 product + 2 sine + 2 identity", "tanh", "identity"])
    point, step = np.array([0.31, 0.62]), 1e-6
    found = local(net, DOMAIN, point)
    for axis in range(2):
        ahead, behind = (local(net, DOMAIN, point + sign * step * np.eye(2)[axis]) for sign in (1, -1))
        assert found.jacobian[:, axis] == pytest.approx((ahead.logits - behind.logits) / (2 * step), abs=1e-8)


def test_a_unit_that_passes_its_sum_on_has_no_boundary():
    net = Mlp([[[1, 0], [0, 1]], [[1, 1]]], [[-0.5, 0], [0]], ["1 relu + 1 identity", "identity"])
    assert local(net, Domain.plane(2, [0, 0], [1, 1]), [0.7, 0.01]).nearest() == (pytest.approx(0.2), (0, 0))


def test_the_nearest_boundary_is_the_line_a_formula_gives():
    # Two lines: x = 0.5, and x + y = 1.
    net = Mlp([[[1, 0], [1, 1]], [[1, 1]]], [[-0.5, -1], [0]], "relu")
    plane = Domain.plane(2, [0, 0], [1, 1])
    assert local(net, plane, [0.7, 0.1]).nearest() == (pytest.approx(0.2 / np.sqrt(2)), (0, 1))
    assert local(net, plane, [0.55, 0.9]).nearest() == (pytest.approx(0.05), (0, 0))
    assert [list(layer) for layer in local(net, plane, [0.7, 0.1]).active] == [[True, False]]


def test_a_network_without_slope_has_no_boundary():
    net = Mlp([np.zeros((3, 2)), np.zeros((1, 3))], [np.ones(3), [0]], "relu")
    assert local(net, Domain.plane(2, [0, 0], [1, 1]), [0.5, 0.5]).nearest() == (np.inf, None)
