"""Networks made of a network keep its values where they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NetworkError
from engine.network.mlp import Mlp
from engine.network.parts import chosen, mixed, shortened, sliced, sums
from engine.network.random import random_mlp

# Weights are stored in float32: values of a few layers differ by some of its roundings.
CLOSE = 1e-5


@given(st.integers(1, 7), st.integers(1, 3), st.integers(0, 10))
@settings(max_examples=30, deadline=None)
def test_a_slice_has_the_networks_value_at_the_point_it_stands_for(inputs, dimensions, seed):
    rng = np.random.default_rng(seed)
    net = random_mlp([inputs, 9, 2], "tanh", seed=seed)
    origin, directions = rng.normal(size=inputs), rng.normal(size=(dimensions, inputs))
    at = rng.normal(size=(20, dimensions))
    assert np.allclose(sliced(net, origin, directions)(at), net(origin + at @ directions), atol=CLOSE)


def test_slices_of_one_network_have_one_shape():
    net = random_mlp([5, 8, 8, 3], "tanh", seed=1)
    shapes = {sliced(net, np.full(5, k), np.eye(5)[:2]).shape for k in range(3)}
    assert len(shapes) == 1


def test_a_slice_relays_no_more_than_its_coordinates():
    """A skip connection past two layers, as of a latent code and a point."""
    rng = np.random.default_rng(0)
    sizes, relay = (9, 15, 13, 12, 2), np.eye(9)
    weights = [rng.normal(size=(m, n)) for n, m in zip(sizes, sizes[1:], strict=False)]
    weights[0][6:], weights[1][4:, :6], weights[1][4:, 6:] = relay, 0.0, relay
    net = Mlp(weights, None, ["6 tanh + 9 identity", "4 tanh + 9 identity", "tanh", "identity"])
    origin, directions = rng.normal(size=9), np.eye(9)[6:]
    part = sliced(net, origin, directions)
    assert part.shape.sizes == (3, 9, 7, 12, 2)
    at = rng.normal(size=(20, 3))
    assert np.allclose(part(at), net(origin + at @ directions), atol=CLOSE)


def test_the_first_layers_are_what_the_network_computes_on_the_way():
    net = random_mlp([2, 6, 5, 3], "tanh", last="sigmoid", seed=2)
    x = np.random.default_rng(0).normal(size=(10, 2))
    h = x
    for layers, layer in enumerate(net.layers, 1):
        h = layer.activation.value(h @ layer.weights.T.astype(float) + layer.bias)
        assert np.allclose(shortened(net, layers)(x), h, atol=1e-12)


def test_chosen_outputs_are_those_in_that_order():
    net = random_mlp([3, 8, 6], "tanh", seed=3)
    x = np.random.default_rng(0).normal(size=(10, 3))
    assert np.array_equal(chosen(net, [4, 0, 4])(x), net(x)[:, [4, 0, 4]])


def test_a_softmax_keeps_all_its_outputs():
    net = random_mlp([3, 8, 6], "tanh", last="softmax", seed=3)
    assert chosen(net, range(6)).equals(net)
    with pytest.raises(NetworkError, match="needs all outputs"):
        chosen(net, [0])


def test_the_sums_become_the_outputs_by_the_last_activation():
    net = random_mlp([2, 7, 4], "tanh", last="sigmoid", seed=5)
    x = np.random.default_rng(0).normal(size=(10, 2))
    assert np.allclose(1 / (1 + np.exp(-sums(net)(x))), net(x), atol=1e-12)


def test_a_mixture_has_the_mixed_weights_and_only_one_shape_mixes():
    a, b = (random_mlp([2, 7, 4], "tanh", seed=s) for s in (0, 1))
    assert mixed(a, b, 1.0, 0.0).equals(a) and mixed(a, b, 0.0, 1.0).equals(b)
    half = mixed(a, b, 0.25, -2.0)
    for x, y, z in zip(a.layers, b.layers, half.layers, strict=True):
        assert np.allclose(z.weights, 0.25 * x.weights - 2.0 * y.weights, atol=1e-6)
        assert np.allclose(z.bias, 0.25 * x.bias - 2.0 * y.bias, atol=1e-6)
    with pytest.raises(NetworkError, match="cannot be mixed"):
        mixed(a, random_mlp([2, 8, 4], "tanh"), 0.5, 0.5)


@pytest.mark.parametrize(
    "work",
    [
        lambda net: sliced(net, [0.0], np.eye(3)),
        lambda net: sliced(net, np.zeros(3), np.eye(2)),
        lambda net: shortened(net, 0),
        lambda net: shortened(net, 3),
        lambda net: chosen(net, [2]),
        lambda net: chosen(net, []),
        lambda net: chosen(net, [-1]),
    ],
)
def test_what_a_network_does_not_have_is_refused(work):
    with pytest.raises(NetworkError):
        work(Mlp([np.ones((4, 3)), np.ones((2, 4))]))
