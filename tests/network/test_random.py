import numpy as np
import pytest

from engine.errors import NetworkError
from engine.network.random import DISTRIBUTIONS, random_mlp


def drawn(distribution, n_out=400, n_in=100):
    layer = random_mlp([n_in, n_out], distribution=distribution, seed=3).layers[0]
    return np.append(layer.weights, layer.bias)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_seed_gives_one_network_and_another_seed_another(distribution):
    one, again, other = (random_mlp([3, 8, 1], distribution=distribution, seed=s) for s in (5, 5, 6))
    assert one.equals(again) and not one.equals(other)


# 40,400 draws: a mean is off by 0.005 deviations, a deviation by 0.35%; five of either are allowed.
@pytest.mark.parametrize(
    ("distribution", "deviation", "bound"),
    [
        ("uniform", 1 / np.sqrt(3), 1),
        ("normal", 1, None),
        ("glorot", np.sqrt(2 / 500), np.sqrt(6 / 500)),
        ("he", np.sqrt(2 / 100), None),
    ],
)
def test_weights_have_the_deviation_of_their_distribution(distribution, deviation, bound):
    w = drawn(distribution)
    assert abs(w.mean()) < 0.025 * deviation
    assert w.std() == pytest.approx(deviation, rel=0.018)
    if bound:
        assert np.abs(w).max() <= np.float32(bound) and np.abs(w).max() > 0.99 * bound


def test_scale_multiplies_and_the_output_bias_can_be_left_out():
    plain, wide = random_mlp([3, 8, 1], seed=2), random_mlp([3, 8, 1], seed=2, scale=4, output_bias=False)
    assert np.array_equal(wide.layers[0].weights, 4 * plain.layers[0].weights)
    assert np.array_equal(wide.layers[1].bias, [0]) and plain.layers[1].bias[0] != 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"sizes": [3]}, "at least inputs and outputs"),
        ({"sizes": [3, 0, 1]}, "1 or more"),
        ({"sizes": [3, 1], "distribution": "norml"}, "Near: normal"),
        ({"sizes": [3, 1], "seed": -1}, "negative"),
        ({"sizes": [3, 2, 1], "activation": "reul"}, "Near: .*relu"),
    ],
)
def test_arguments_that_make_no_network_are_refused(arguments, says):
    with pytest.raises(NetworkError, match=says):
        random_mlp(**arguments)
