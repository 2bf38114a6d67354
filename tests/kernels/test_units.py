"""Networks whose layers have an activation per unit, by each way of computing them, against float64."""

import numpy as np
import pytest

from engine.codegen.matmul.product import blocks_of
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.kernels import field, product
from engine.kernels.grid import Plane, evaluate_grid
from engine.network.graph.lowering.layers import as_mlp
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference import field as reference
from engine.reference import grid as grid_reference
from engine.reference import product as product_reference
from tests.network.graph.forms import FORMS, made

POINTS = np.random.default_rng(0).uniform(-1, 1, (70, 3)).astype(np.float32)


def net_of(sizes, *activations, seed=0):
    plain = random_mlp(sizes, seed=seed)
    return Mlp(plain.weights, [b + np.float32(0.1) for b in plain.biases], list(activations))


def residual(width, seed=0):
    """h + v relu(w h), twice, whose units pass h on."""
    rng = np.random.default_rng(seed)
    w = [rng.normal(size=(width, n)) / np.sqrt(n) for n in (3, width, width, width, width)]
    one = np.eye(width)
    weights = [w[0]]
    for k in (1, 3):
        weights += [np.concatenate([w[k], one]), np.concatenate([w[k + 1], one], axis=1)]
    block = [f"{width} relu + {width} identity", "identity"]
    return Mlp([*weights, np.ones((1, width))], activations=["tanh", *block, *block, "identity"])


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
    "residual": residual(130),
    "one group": net_of([3, 70, 2], "tanh", "1 relu + 1 identity"),
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


@pytest.mark.parametrize("form", FORMS)
def test_what_graphs_become_is_computed_as_by_float64(form):
    net = as_mlp(made(form))
    points = np.random.default_rng(1).uniform(-1, 1, (20, net.inputs)).astype(np.float32)
    errors = reference.bounds(net, points)[0]
    close(field.evaluate(net, points), net(points), errors)
    close(product.evaluate(net, points), net(points), errors)


@pytest.mark.parametrize("gradient", [False, True])
def test_a_grid_is_that_of_float64(net, gradient):
    plane, size = Plane(np.array([0.1, 0.2, -0.3]), np.array([0.2, 0.0, 0.1]), np.array([0.0, 0.25, 0.05])), (9, 7)
    found = evaluate_grid(net, plane, size, gradient=gradient)
    args = (net, plane.centre, plane.across, plane.down, size)
    wanted, errors = grid_reference.grid(*args), grid_reference.bounds(*args)
    close(found[0] if gradient else found, wanted[0], errors[0])
    if gradient:
        assert (np.abs(found[1] - wanted[1]) <= errors[1]).all()


@pytest.mark.parametrize("name", ["loops", "wide"])
def test_a_grid_in_float16_is_that_of_float64(name):
    if "shader-f16" not in device().features:
        pytest.skip("this adapter has no float16")
    net, size = NETS[name], (9, 7)
    plane = Plane(np.array([0.1, 0.2, -0.3]), np.array([0.2, 0.0, 0.1]), np.array([0.0, 0.25, 0.05]))
    args = (net, plane.centre, plane.across, plane.down, size)
    found = evaluate_grid(net, plane, size, precision="f16")
    close(found, grid_reference.grid(*args)[0], grid_reference.half_bounds(*args))


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


@pytest.mark.parametrize("variant", ["lanes", "slabs", "plain", "gradient"])
def test_units_that_fill_a_group_up_stay_finite(variant):
    # 1 / 0 and log 0 in the fill would make 0 weights not a number; sums are from 1 to 3.
    net = Mlp([np.ones((70, 3)) / 3, np.ones((70, 70)) / 70, np.ones((1, 70))], [np.full(70, 2.0), None, None])
    net = net.changed(activations=["69 reciprocal + 1 log", "log", "identity"])
    if variant in ("lanes", "slabs"):
        found = product.evaluate(net, POINTS, variant=variant)
    elif variant == "plain":
        found = field.evaluate(net, POINTS)
    else:
        found = field.evaluate(net, POINTS, gradient=True)[0]
    assert np.abs(found - net(POINTS)).max() < 1e-3  # 70 sums in float32 of logarithms near 1


def test_blocks_of_weights_that_are_0_are_left_out_and_come_back_with_their_weights():
    net = residual(130)
    blocks = blocks_of(net.layers[1], 40, 4)
    # The lower half of the rows has one weight each: a tile of 40 rows meets some 10 blocks of inputs of 33.
    assert (blocks[:3, 0] == 33).all() and (blocks[4:, 0] <= 11).all()
    for variant in ("lanes", "slabs"):
        wide = product.Wide(net, variant=variant)
        assert wide._layers.blocks[1].are_few
        full = net.changed(weights=[np.where(w == 0, 0.01, w) for w in net.weights])
        for shown in (net, full, net):
            wide.show(shown)
            points = product.padded_points(shown, POINTS)
            values = Array(np.dtype(("f4", 4)), len(points))
            with device().recording() as encoder:
                wide.record(encoder, Array.of(points.reshape(-1, 4)), values, len(points))
            found = values.read().reshape(len(points), 4)[:, :1]
            close(found, shown(POINTS), product_reference.bounds(shown, POINTS))
