import numpy as np
import pytest

from engine.errors import NetworkError, ShapeError
from engine.network.activations import ACTIVATIONS
from engine.network.mlp import Mlp, sizes_text, weight_array
from engine.network.random import random_mlp

POINTS = np.random.default_rng(0).uniform(-2, 2, (50, 3))

# float64 sums in another order: a few roundings of values of size 1 to 10.
SUMS = dict(rtol=1e-13, atol=1e-13)


def rebuilt(net, weights, biases):
    return Mlp(weights, biases, [x.activation for x in net.layers])


def arrays(net):
    return [x.weights.copy() for x in net.layers], [x.bias.copy() for x in net.layers]


def test_it_computes_what_its_formula_says():
    w, b, v = np.float32([[1, -2], [0.5, 3]]), np.float32([0.25, -1]), np.float32([[2, -1]])
    x = np.array([0.3, -0.7])
    by_hand = 2 * np.tanh(0.3 + 1.4 + 0.25) - np.tanh(0.15 - 2.1 - 1)
    assert Mlp([w, v], [b, None])(x) == pytest.approx(by_hand, rel=1e-15)


@pytest.mark.parametrize("name", [name for name, rule in ACTIVATIONS.items() if rule.tame])
def test_permuting_hidden_neurons_changes_nothing(name):
    net = random_mlp([3, 8, 2], name if ACTIVATIONS[name].elementwise else "tanh", last=name, seed=4)
    (w, v), (b, c) = arrays(net)
    order = np.random.default_rng(1).permutation(8)
    assert np.allclose(rebuilt(net, [w[order], v[:, order]], [b[order], c])(POINTS), net(POINTS), **SUMS)


def test_flipping_the_signs_of_a_tanh_neuron_changes_nothing():
    net = random_mlp([3, 8, 2], "tanh", seed=4)
    (w, v), (b, c) = arrays(net)
    w[3], b[3], v[:, 3] = -w[3], -b[3], -v[:, 3]
    assert np.array_equal(rebuilt(net, [w, v], [b, c])(POINTS), net(POINTS))


def test_doubling_then_halving_a_relu_changes_nothing():
    net = random_mlp([3, 8, 2], "relu", seed=4)
    (w, v), (b, c) = arrays(net)
    w[3], b[3], v[:, 3] = 2 * w[3], 2 * b[3], v[:, 3] / 2
    assert np.array_equal(rebuilt(net, [w, v], [b, c])(POINTS), net(POINTS))


def test_one_point_gives_what_it_gives_among_others():
    net = random_mlp([3, 8, 2], seed=4)
    assert np.allclose(net(POINTS[7]), net(POINTS)[7], **SUMS)


def test_the_callers_arrays_stay_apart_from_the_network():
    w = np.ones((2, 3), np.float32)
    net = Mlp([w])
    w[0, 0] = 5
    assert net.layers[0].weights[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        net.layers[0].weights[0, 0] = 5


def test_editing_changes_one_weight_and_not_the_network_it_came_from():
    net = random_mlp([3, 8, 1], seed=1)
    one, two = net.edited(0, 2, 1, 0.75), net.edited(1, 0, -1, -0.5)
    assert one.layers[0].weights[2, 1] == np.float32(0.75)
    assert two.layers[1].bias[0] == np.float32(-0.5)
    assert (one.layers[0].weights != net.layers[0].weights).sum() == 1
    assert not one.equals(net)
    assert one.edited(0, 2, 1, net.layers[0].weights[2, 1]).equals(net)
    assert one.shape == net.shape and hash(one.shape) == hash(net.shape)


def test_one_activation_is_the_hidden_layers_with_identity_last():
    assert str(random_mlp([3, 4, 4, 1], "relu").shape) == "3-4-4-1 relu,identity"
    assert [str(x.activation) for x in Mlp([np.ones((2, 3)), np.ones((1, 2))], activations="sine(30)").layers] == [
        "sine(30)",
        "identity",
    ]


def test_sizes_and_counts_are_those_of_the_arrays():
    net = random_mlp([3, 8, 5, 2])
    assert (net.inputs, net.outputs, net.shape.sizes) == (3, 2, (3, 8, 5, 2))
    assert net.weight_count == 8 * 4 + 5 * 9 + 2 * 6


@pytest.mark.parametrize(
    ("weights", "biases", "says"),
    [
        ([np.ones((8, 3)), np.ones((8, 1))], None, "Are rows and columns swapped"),
        ([np.ones((8, 3)), np.ones((1, 7))], None, r"layer 0 gives 8"),
        ([np.ones((8, 3))], [np.ones(3)], r"biases .*\(3,\).*need \(8,\)"),
        ([np.ones(3)], None, r"\(out, in\)"),
        ([np.ones((0, 3))], None, "none of them 0"),
        ([np.ones((8, 3))], [None, None], "2 biases"),
        ([[[1, 2], [3]]], None, "rows of one length"),
        ([[["a"]]], None, "real numbers"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(weights, biases, says):
    with pytest.raises(ShapeError, match=says):
        Mlp(weights, biases)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e39])
def test_a_weight_that_is_not_finite_is_named(bad):
    w = np.ones((2, 3))
    w[1, 2] = bad
    with pytest.raises(NetworkError, match=r"Layer 0 weights .* at \(1, 2\)"):
        Mlp([w])


def test_softmax_before_the_last_layer_is_refused():
    with pytest.raises(NetworkError, match="last layer"):
        Mlp([np.ones((2, 2))] * 2, activations=["softmax", "identity"])


def test_no_layers_are_refused():
    with pytest.raises(NetworkError, match="no layers"):
        Mlp([])


def test_points_of_another_width_are_refused():
    with pytest.raises(ShapeError, match=r"\(N, 3\)"):
        random_mlp([3, 2])(np.zeros((5, 2)))


@pytest.mark.parametrize(
    ("sizes", "text"),
    [([3, 8, 1], "3-8-1"), ([2, 30, 30, 30, 3], "2-30-30-30-3"), ([2, *[30] * 27, 3], "2-30x27-3"), ([5], "5")],
)
def test_long_runs_of_equal_layers_are_counted(sizes, text):
    assert sizes_text(sizes) == text


def test_weights_are_copied_unless_nobody_can_change_them():
    """A network of a hundred million weights is not copied for each form its layers take."""
    own = np.ones((2, 3), np.float32)
    seen = own.view()
    seen.setflags(write=False)
    made = weight_array(seen, "its weights", ("O", "I"))
    own[0, 0] = 5.0
    assert made[0, 0] == 1.0
    assert np.shares_memory(weight_array(made[:, :, None], "its weights", ("O", "I", "1")), made)
