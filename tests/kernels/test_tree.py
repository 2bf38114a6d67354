"""Boxes of space whose values are bounded by planes: nothing the real network does may lie outside."""

import numpy as np
import pytest

from engine.errors import NetworkError, ShapeError
from engine.kernels.tree.boxes import planes
from engine.kernels.tree.layers import MOST_UNITS, bounded_net
from engine.network.activations import Activation
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.rules.extrema import extrema
from engine.network.units.mixed import mixed
from engine.reference import tree as twin
from tests.network.every_activation import BOUNDED, SOME

SAMPLES = 200
TANH = Activation("tanh")
CORNERS = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
# The others, four in a layer: less to compile.
REST = [a for a in BOUNDED if a not in SOME and not a.rule.beside and extrema(a, "slope").most < np.inf]
# Runs that share a group of four, units that are carried on, products; more than a tile of columns.
UNITS = {
    "carried": ((3, 11, 9, 1), "8 gelu + 3 identity", "3 leaky_relu(0.2) + 6 tanh", "identity"),
    "products": ((3, 8, 6, 2), "8 product", "2 tanh + 4 product", "1 sigmoid + 1 identity"),
    "wide": ((3, 70, 70, 1), "67 relu + 3 identity", "10 product + 60 sine(2)", "identity"),
}


def units(name):
    sizes, *activations = UNITS[name]
    return random_mlp(sizes, scale=2.0, seed=8).changed(activations=activations)


def boxes(count, seed=0, longest=1.0):
    """Random boxes with half sides from a hundred-thousandth to `longest`: centres and sides."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-1, 1, (count, 3)).astype("f4")
    sides = longest * 10 ** rng.uniform(-5, 0, (count, 1)) * rng.uniform(0.3, 1, (count, 3))
    return centres, sides.astype("f4")


def inside(centres, sides, count=SAMPLES, seed=1):
    """(N, count, 3) points of each box, first its corners."""
    places = np.random.default_rng(seed).uniform(-1, 1, (len(centres), count, 3))
    places[:, :8] = CORNERS
    return centres[:, None].astype(float) + places * sides[:, None].astype(float)


def outside(net, count=64, seed=0, output=0, longest=1.0):
    """How many of the real network's values are outside their planes and ranges; and the share of boxes bounded."""
    centres, sides = boxes(count, seed, longest)
    found = planes(net, centres, sides, output=output)
    points = inside(centres, sides)
    real = net(points.reshape(-1, 3))[:, output].reshape(points.shape[:2])
    below = np.einsum("nij,nj->ni", points, found["slopes"].astype(float))
    low, high = (below + found[name][:, None] for name in ("low", "high"))
    least, most = (found[name][:, None].astype(float) for name in ("least", "most"))
    wrong = (real < low) | (real > high) | (real < least) | (real > most)
    sure = found["sure"] > 0
    return int(wrong[sure].sum()), sure.mean()


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_planes_of_every_activation_hold(activation):
    net = random_mlp((3, 6, 7, 2), activation, last=activation, scale=1.5, seed=4)
    assert outside(net, output=1) == (0, 1.0)


@pytest.mark.parametrize("at", range(0, len(REST), 4))
def test_planes_of_layers_of_several_activations_hold(at):
    layer = mixed((a, 3) for a in (REST[at : at + 4] * 4)[:4])
    net = random_mlp((3, 12, 12, 1), seed=5).changed(activations=[layer, layer, "identity"])
    assert outside(net) == (0, 1.0)


@pytest.mark.parametrize("name", UNITS)
def test_planes_of_layers_with_an_activation_per_unit_hold(name):
    assert outside(units(name)) == (0, 1.0)


@pytest.mark.parametrize("scale", [1e-6, 0.1, 1.0, 10.0])
def test_planes_of_deep_relu_networks_of_any_scale_hold(scale):
    net = random_mlp((3, *[16] * 6, 1), "relu", seed=6)
    net = net.changed(weights=[w * np.float32(scale) for w in net.weights])
    assert outside(net) == (0, 1.0)


def test_what_grows_past_float32_is_not_bounded_and_says_so():
    net = random_mlp((3, 8, 8, 8, 8, 1), "exp", scale=5.0, seed=2)
    centres, sides = boxes(16)
    found = planes(net, centres, sides + np.float32(1))
    assert not found["sure"].any() and (found["least"] < -1e38).all() and (found["most"] > 1e38).all()


@pytest.mark.parametrize("name", ["rsqrt(0.001)", "reciprocal", "log", "sqrt"])
def test_beside_a_gap_planes_hold_and_over_one_there_are_none(name):
    # z is x: the boxes lie beside 0, or over it.
    net = Mlp([np.eye(3), np.ones((1, 3))], activations=[mixed([(Activation.parse(name), 1), (TANH, 2)]), "identity"])
    centres = np.array([[0.5, 0, 0], [0.5, 0.1, 0], [0.1, 0, 0], [-0.02, 0, 0]], "f4")
    found = planes(net, centres, np.full((4, 3), 0.1, "f4") * np.array([[1], [4], [2], [1]], "f4"))
    real = net(inside(centres[:2], np.array([[0.1] * 3, [0.4] * 3])).reshape(-1, 3)).reshape(2, -1)
    assert list(found["sure"]) == [1, 1, 0, 0]
    assert (real > found["least"][:2, None]).all() and (real < found["most"][:2, None]).all()


def test_a_linear_network_is_bounded_by_itself():
    net = Mlp([[[1.0, -2.0, 0.5]]], [[0.25]])
    found = planes(net, *boxes(20))
    np.testing.assert_allclose(found["slopes"], np.tile([1.0, -2.0, 0.5], (20, 1)), rtol=1e-6)
    # Two planes a few ulp apart.
    np.testing.assert_allclose(found["low"], 0.25, atol=1e-4)
    np.testing.assert_allclose(found["high"], 0.25, atol=1e-4)


def relative_difference(net, longest=1.0):
    """The largest difference of ranges to the twin's, relative to their widths, over boxes of middle size."""
    centres, sides = boxes(64, 3, longest)
    sides = np.maximum(sides, np.float32(0.05))
    found, exact = (
        planes(net, centres, sides),
        twin.planes(bounded_net(net), centres.astype(float), sides.astype(float)),
    )
    width = exact.most - exact.least
    return max((abs(found[name] - getattr(exact, name)) / width).max() for name in ("least", "most"))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sine(3)", "hard_swish", "leaky_relu(0.2)"])
def test_the_kernels_agree_with_the_twin(activation):
    # Where two relaxations are as narrow, each may choose another: so not to rounding alone.
    assert relative_difference(random_mlp((3, 12, 40, 12, 1), activation, seed=1), 0.1) < 0.02


def test_products_agree_with_the_twin():
    net = random_mlp((3, 8, 6, 1), seed=8).changed(activations=["8 product", "2 tanh + 4 product", "identity"])
    assert relative_difference(net, 0.1) < 0.02


def test_planes_do_not_depend_on_the_boxes_beside():
    net = random_mlp((3, 20, 40, 20, 1), "tanh", seed=9)
    centres, sides = boxes(40)
    order = np.random.default_rng(2).permutation(40)
    found = planes(net, centres, sides)
    assert found[order].tobytes() == planes(net, centres[order], sides[order]).tobytes()
    assert found[:3].tobytes() == planes(net, centres[:3], sides[:3]).tobytes()


def test_what_cannot_be_bounded_is_refused():
    with pytest.raises(ShapeError, match="2 inputs"):
        bounded_net(random_mlp((2, 4, 1)))
    with pytest.raises(NetworkError, match="softmax"):
        bounded_net(random_mlp((3, 4, 3), last="softmax"))
    with pytest.raises(NetworkError, match="jumps"):
        bounded_net(random_mlp((3, 4, 1)).changed(activations=["sign", "identity"]))
    with pytest.raises(NetworkError, match=f"{MOST_UNITS + 8} units"):
        bounded_net(random_mlp((3, MOST_UNITS + 8, 1)))


def test_the_twin_holds_against_samples_and_is_narrow_in_small_boxes():
    net = random_mlp((3, 16, 16, 16, 1), "tanh", seed=3)
    centres, sides = boxes(64, longest=0.03)
    found = twin.planes(net, centres.astype(float), sides.astype(float))
    real = net(inside(centres, sides).reshape(-1, 3)).reshape(64, SAMPLES)
    assert (real >= found.least[:, None]).all() and (real <= found.most[:, None]).all()
    assert np.median((found.most - found.least) / np.ptp(real, axis=1)) < 1.1


def test_pieces_that_are_straight_are_relaxed_to_themselves():
    for name in ("relu", "abs"):
        lines = twin.lines(Activation(name), np.array([1.0, 2.0]), np.array([3.0, 2.5]))
        np.testing.assert_array_equal(lines.slope, [1.0, 1.0])
        np.testing.assert_allclose([lines.low, lines.high], 0.0, atol=1e-13)
