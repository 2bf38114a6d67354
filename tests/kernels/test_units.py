"""Networks whose layers have an activation per unit, by each way of computing them, against float64."""

import numpy as np
import pytest

from engine.kernels import field, product
from engine.kernels.grid import Plane, evaluate_grid
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference import field as reference
from engine.reference import grid as grid_reference
from engine.reference import product as product_reference

POINTS = np.random.default_rng(0).uniform(-1, 1, (70, 3)).astype(np.float32)


def net_of(sizes, *activations, seed=0):
    plain = random_mlp(sizes, seed=seed)
    return Mlp(plain.weights, [b + np.float32(0.1) for b in plain.biases], list(activations))


# Runs that end at every place in a group of four, pairs, layers alike in a loop, and last layers of several kinds.
HIDDEN = "9 tanh + 4 relu + 9 identity"
NETS = {
    "written out": net_of(
        [3, 9, 6, 3], "5 sine(2) + 1 relu + 3 identity", "4 product + 2 tanh", "2 sigmoid + 1 identity"
    ),
    "loops": net_of([3, 26, 22, 22, 22, 2], "3 relu + 21 sine(2) + 2 identity", HIDDEN, HIDDEN, HIDDEN, "identity"),
    "pairs": net_of([3, 30, 30, 5], "30 product", "2 relu + 24 product + 4 softplus", "identity"),
    "wide": net_of([3, 45, 45, 1], "33 relu + 12 identity", "1 identity + 44 sine", "sigmoid"),
}
WIDE = {
    "skip": net_of([3, 103, 70, 2], "100 relu + 3 identity", "67 tanh + 3 identity", "identity"),
    "pairs": net_of([3, 90, 40], "50 sine(2) + 40 product", "13 identity + 3 relu + 24 softplus"),
}


@pytest.fixture(params=NETS)
def net(request):
    return NETS[request.param]


def close(found, wanted, error):
    assert np.isfinite(found).all()
    assert (np.abs(found - wanted) <= error).all()


def test_values_are_those_of_float64(net):
    close(field.evaluate(net, POINTS), net(POINTS), reference.bounds(net, POINTS)[0])


def test_gradients_are_those_of_float64(net):
    values, gradients = field.evaluate(net, POINTS, gradient=True)
    wanted, errors = reference.value_and_gradient(net, POINTS), reference.bounds(net, POINTS)
    close(values, wanted[0], errors[0])
    assert (np.abs(gradients - wanted[1]) <= errors[1]).all()


@pytest.mark.parametrize("gradient", [False, True])
def test_a_grid_is_that_of_float64(net, gradient):
    plane, size = Plane(np.array([0.1, 0.2, -0.3]), np.array([0.2, 0.0, 0.1]), np.array([0.0, 0.25, 0.05])), (9, 7)
    found = evaluate_grid(net, plane, size, gradient=gradient)
    args = (net, plane.centre, plane.across, plane.down, size)
    wanted, errors = grid_reference.grid(*args), grid_reference.bounds(*args)
    close(found[0] if gradient else found, wanted[0], errors[0])
    if gradient:
        assert (np.abs(found[1] - wanted[1]) <= errors[1]).all()


@pytest.mark.parametrize("variant", ["lanes", "slabs"])
@pytest.mark.parametrize("precision", ["f32", "f16"])
@pytest.mark.parametrize("name", WIDE)
def test_products_are_those_of_float64(name, precision, variant):
    found = product.evaluate(WIDE[name], POINTS, precision=precision, variant=variant)
    close(found, WIDE[name](POINTS), product_reference.bounds(WIDE[name], POINTS, precision))


@pytest.mark.parametrize("name", WIDE)
def test_wide_layers_cut_into_slices_are_those_of_float64(name):
    values, gradients = field.evaluate(WIDE[name], POINTS, gradient=True)
    wanted, errors = reference.value_and_gradient(WIDE[name], POINTS), reference.bounds(WIDE[name], POINTS)
    close(values, wanted[0], errors[0])
    assert (np.abs(gradients - wanted[1]) <= errors[1]).all()
