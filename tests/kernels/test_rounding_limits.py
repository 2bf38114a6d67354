"""The bounds of float32's rounding by norms of layers: what is computed lies within them, and they are of use."""

import numpy as np
import pytest

from engine.codegen.bounds.rounding import NONE, largest_value, rounding_limits, spectral_norm
from engine.kernels.enclosure import enclose
from engine.kernels.field import evaluate
from engine.network.activations import Activation
from engine.network.graph.lowering.layers import as_mlp
from engine.network.mlp import Mlp
from engine.network.parts import observed
from engine.network.random import random_mlp
from tests.network.every_activation import BOUNDED
from tests.network.graph.forms import made

RNG = np.random.default_rng(5)


def points(count, reach):
    p = RNG.normal(size=(count, 3))
    return (p / np.linalg.norm(p, axis=1, keepdims=True) * RNG.uniform(0, reach, (count, 1))).astype("f4")


@pytest.mark.parametrize("activation", ["tanh", "relu", "sine(3)", "gaussian", "gelu"])
def test_what_float32_computes_is_within_the_limit(activation):
    net = random_mlp((3, *[20] * 6, 1), activation, distribution="glorot", seed=2)
    p = points(2000, 2.0)
    assert abs(evaluate(net, p) - net(p)).max() <= rounding_limits(net, 2.0)[-1]


@pytest.mark.parametrize("form", ["normed", "residual", "gated", "classes"])
def test_layers_of_which_nothing_is_known_have_no_limit_that_is_wrong(form):
    net = observed(as_mlp(made(form)), 0)
    p = points(500, 1.0)
    limit = rounding_limits(net, 1.0)[-1]
    if not net.activations[-1].is_whole:
        assert abs(evaluate(net, p) - net(p)).max() <= limit


def test_deep_bounded_networks_are_known_a_hundred_times_better():
    """By units the bound grows with |W| in each of ten layers."""
    net = random_mlp((3, *[32] * 9, 1), "tanh", distribution="glorot", seed=1)
    p = points(200, 1.0)
    along = np.tile(np.float32([[1, 0, 0]]), (200, 1))
    bounds = enclose(net, p, along, 0.0, 0.0).astype(float)
    spread, exact = np.ptp(bounds[:, 0], axis=1), net(p)[:, 0]
    assert (bounds[:, 0, 0] <= exact).all() and (exact <= bounds[:, 0, 1]).all()
    assert np.median(spread) < 0.02
    unlimited = np.full(len(net.layers), 1e-7)
    for i, layer in enumerate(net.layers):
        unlimited[i] = abs(layer.weights).sum(axis=1).mean() * (unlimited[i - 1] if i else 1e-7)
    assert np.median(spread) < unlimited[-1] / 3


def test_points_may_be_far_away():
    net = random_mlp((3, *[16] * 5, 1), "tanh", distribution="glorot", seed=3)
    p = points(500, 3000.0)
    along = np.tile(np.float32([[0, 1, 0]]), (500, 1))
    bounds, exact = enclose(net, p, along, 0.0, 0.0).astype(float), net(p)[:, 0]
    assert (bounds[:, 0, 0] <= exact).all() and (exact <= bounds[:, 0, 1]).all()


def test_a_sine_past_where_its_argument_is_known_has_no_limit():
    net = Mlp([np.eye(3) * 1e6, np.eye(3), np.ones((1, 3))], None, ["sine", "tanh", "identity"])
    assert rounding_limits(net, 1.0)[0] < 10 and min(rounding_limits(net, 1.0)[1:]) == NONE


@pytest.mark.parametrize("activation", BOUNDED, ids=str)
def test_no_value_is_larger_than_the_largest(activation):
    z = np.concatenate([np.linspace(-300, 300, 60001), np.geomspace(300, 1e20, 200), -np.geomspace(300, 1e20, 200)])
    with np.errstate(all="ignore"):
        assert np.nanmax(abs(activation.value(z))) <= largest_value(activation)


def test_bounded_activations_have_a_largest_value():
    for name, most in (("tanh", 1), ("sigmoid", 1), ("gaussian", 1), ("sine(3)", 1), ("hardtanh(-2,0.5)", 2)):
        assert most <= largest_value(Activation.parse(name)) < 1.05 * most


@pytest.mark.parametrize("shape", [(3, 5), (64, 64), (129, 40), (200, 200)])
def test_norms_are_bounds(shape):
    weights = RNG.normal(size=shape)
    exact = np.linalg.norm(weights, 2)
    assert exact <= spectral_norm(weights) <= max(shape) ** 0.5 * exact
