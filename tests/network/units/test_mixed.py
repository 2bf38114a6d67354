import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NetworkError
from engine.formats.load_mlp import load, save
from engine.network.activations import ACTIVATIONS, Activation
from engine.network.mlp import Mlp
from engine.network.parts import chosen, observed
from engine.network.random import random_mlp
from engine.network.units.mixed import Mixed, mixed, parse, runs
from engine.reference import field

SINE, RELU = Activation.parse("sine(2)"), Activation("relu")
EACH = [name for name, rule in ACTIVATIONS.items() if rule.elementwise]
POINTS = np.random.default_rng(0).uniform(-1, 1, (40, 3))
TEXT = "5 sine(2) + 3 relu + 4 product + 1 identity"


def net_of(*activations, sizes, seed=0):
    plain = random_mlp(sizes, seed=seed)
    return Mlp(plain.weights, [b + 0.1 for b in plain.biases], list(activations))


def permuted(net, layer, order):
    """The network with a hidden layer's units in another order."""
    weights, biases = net.weights, net.biases
    weights[layer], biases[layer] = weights[layer][order], biases[layer][order]
    weights[layer + 1] = weights[layer + 1][:, order]
    activations = net.activations
    activations[layer] = activations[layer].of(list(order))
    return net.changed(weights=weights, biases=biases, activations=activations)


@given(st.lists(st.tuples(st.sampled_from(EACH).map(Activation.parse), st.integers(0, 9)), min_size=1))
def test_text_and_runs_of_a_layer_say_the_same(given_runs):
    if not any(count for _, count in given_runs):
        return
    activation = mixed(given_runs)
    assert parse(str(activation)) == activation
    each = [a for a, count in given_runs for _ in range(count)]
    assert [a for a, _, count in runs(activation, len(each)) for _ in range(count)] == each
    assert isinstance(activation, Activation) == (len(set(each)) == 1)


def test_permuting_units_with_their_activations_changes_nothing():
    net = net_of("6 sine(2) + 3 relu + 4 tanh + 2 identity", "tanh", "identity", sizes=[3, 15, 5, 2])
    order = np.random.default_rng(1).permutation(15)
    other = permuted(net, 0, order)
    assert other.shape != net.shape
    # float64 sums in another order.
    assert np.allclose(other(POINTS), net(POINTS), rtol=1e-12, atol=1e-13)


def test_two_networks_side_by_side_are_one_with_an_activation_per_unit():
    a, b = (random_mlp([3, 6, 4, 2], name, last=last, seed=3) for name, last in (("tanh", "sigmoid"), ("relu", "sine")))
    weights = [np.concatenate([a.weights[0], b.weights[0]])]
    for w, v in zip(a.weights[1:], b.weights[1:], strict=True):
        weights.append(np.block([[w, np.zeros((len(w), v.shape[1]))], [np.zeros((len(v), w.shape[1])), v]]))
    biases = [np.concatenate(pair) for pair in zip(a.biases, b.biases, strict=True)]
    kinds = [
        mixed([(x, len(b) // 2), (y, len(b) // 2)])
        for x, y, b in zip(a.activations, b.activations, biases, strict=True)
    ]
    both = Mlp(weights, biases, kinds)
    assert np.allclose(both(POINTS), np.concatenate([a(POINTS), b(POINTS)], axis=1), rtol=1e-12, atol=1e-13)


def test_a_product_is_that_of_the_units_of_its_pair():
    net = Mlp([np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)], activations=["4 product", "identity"])
    x = np.random.default_rng(2).normal(size=(20, 4))
    assert np.array_equal(net(x), np.stack([x[:, 0] * x[:, 1], x[:, 1], x[:, 2] * x[:, 3], x[:, 3]], axis=1))


def test_the_tangent_is_the_derivative_of_the_value():
    activation, rng = parse(TEXT), np.random.default_rng(3)
    z, dz = rng.normal(size=(2, 50, activation.count))
    h = 1e-6
    difference = (activation.value(z + h * dz) - activation.value(z - h * dz)) / (2 * h)
    # Rounding eps / h and h^2 s''' / 6; a few z lie within h of relu's kink, which random ones do not.
    assert np.abs(difference - activation.tangent(z, dz)).max() < 1e-8


def test_a_gradient_of_mixed_layers_is_that_of_differences():
    net = net_of(TEXT, "2 product + 3 tanh", "identity", sizes=[3, 13, 5, 2])
    _, gradient = field.value_and_gradient(net, POINTS)
    h = 1e-6
    for k, step in enumerate(h * np.eye(3)):
        assert np.allclose(gradient[:, :, k], (net(POINTS + step) - net(POINTS - step)) / (2 * h), atol=1e-7)


@pytest.mark.parametrize("extension", ["safetensors", "npz"])
def test_a_file_gives_the_same_network_to_the_bit(tmp_path, extension):
    net = net_of(TEXT, "2 product + 3 leaky_relu(0.2)", "1 sigmoid + 1 identity", sizes=[3, 13, 5, 2])
    save(net, tmp_path / f"a.{extension}")
    assert load(tmp_path / f"a.{extension}").equals(net)


def test_outputs_are_chosen_with_their_activations():
    net = net_of("tanh", "3 sigmoid + 2 sine(3)", sizes=[3, 4, 5])
    assert np.array_equal(chosen(net, [4, 0])(POINTS), net(POINTS)[:, [4, 0]])
    paired = net_of("tanh", "4 product + 1 relu", sizes=[3, 4, 5])
    for k in range(5):
        assert np.allclose(observed(paired, k)(POINTS)[:, 0], paired(POINTS)[:, k], rtol=1e-14)
    assert np.allclose(chosen(paired, [2, 1])(POINTS), paired(POINTS)[:, [2, 1]], rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3 relu + 3 tanh", "6"),
        ("3 relu + 2 softmax", "softmax takes all units"),
        ("1 relu + 4 product", "begins at an even unit"),
        ("product", "two by two"),
        ("4 relu + 1 tnah", "tanh"),
        ("4 relu + 1 tanh(3)", "no parameter"),
    ],
)
def test_runs_that_do_not_fit_are_refused(text, message):
    with pytest.raises(NetworkError, match=message):
        Mlp([np.ones((5, 3)), np.ones((1, 5))], activations=[text, "identity"])


def test_a_run_takes_at_least_one_unit():
    with pytest.raises(NetworkError, match="at least one"):
        Mixed(((RELU, 2), (SINE, 0)))
