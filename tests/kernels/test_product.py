"""The kernel `product` against its float64 twin, each way it has on any adapter."""

import numpy as np
import pytest

from engine.errors import NetworkError, SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.gpu.kernel import subgroup_size
from engine.kernels import product
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference import product as twin
from tests.network.every_activation import SOME

VARIANTS = ["slabs", *(["lanes"] if subgroup_size() in product.LANES else [])]


def points(net, count=77, spread=2.0):
    return np.random.default_rng(0).uniform(-spread, spread, (count, net.inputs)).astype(np.float32)


def glorot(sizes, activation="tanh", **more):
    return random_mlp(sizes, activation, distribution="glorot", **{"seed": 1, **more})


# More inputs than a row of the image of weights holds blocks; more outputs than a tile; neither a multiple of four;
# one input and output; a softmax over many and over few; layers of all widths in a row.
SHAPES = [
    ([1, 1], "identity"),
    ([2, 100, 7], "identity"),
    ([1100, 3], "identity"),
    ([3, 1, 66, 1], "sine(2)"),
    ([7, 100, 20, 1000, 3], "sigmoid"),
    ([2, 70, 1000], "softmax"),
    ([784, 130, 10], "softmax"),
    ([784, 130, 10], "log_softmax"),
]


@pytest.mark.parametrize("precision", product.PRECISIONS)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sizes, last", SHAPES, ids=str)
def test_values_of_every_shape_are_the_twins(sizes, last, variant, precision):
    net = glorot(sizes, last=last)
    x = points(net)
    found = product.evaluate(net, x, precision=precision, variant=variant)
    error = abs(found - twin.value(net, x))
    assert found.shape == error.shape and found.dtype == np.float32
    assert (error <= twin.bounds(net, x, precision)).all()
    # The bound takes all roundings to conspire. In fact they add up as their square root: of a response each 2^-12 in
    # f16, where a layer of Glorot weights passes them on about as large as they are.
    if precision == "f16":
        assert error.max() < len(sizes) * 8 * 2.0**-12


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_every_activation_is_the_twins(activation):
    net = glorot([3, 70, 5], activation, last=activation)
    x = points(net)
    assert (abs(product.evaluate(net, x) - twin.value(net, x)) <= twin.bounds(net, x)).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_sums_of_small_whole_numbers_are_exact(variant):
    # Every product and sum is a whole number below 2^24, so that no order of summing and no fusing rounds.
    rng = np.random.default_rng(3)
    sizes = [90, 150, 77, 65]
    weights = [rng.integers(-2, 3, (b, a)) for a, b in zip(sizes, sizes[1:], strict=False)]
    biases = [rng.integers(-9, 10, len(w)) for w in weights]
    net = Mlp(weights, biases, ["relu", "relu", "identity"])
    x = rng.integers(-3, 4, (200, 90)).astype(np.float32)
    assert np.array_equal(product.evaluate(net, x, variant=variant), net(x))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("last", ["identity", "softmax", "log_softmax"])
def test_any_split_into_chunks_gives_the_same_bytes(variant, last, monkeypatch):
    net = glorot([5, 80, 67, 9], last=last)
    x = points(net, 999)
    whole = product.evaluate(net, x, variant=variant)
    for name in ("WORK", "GPU_WORK"):
        monkeypatch.setattr(product, name, 130 * 80 * 67)
    assert product.Wide(net, variant=variant)._layers.chunk < 200
    assert np.array_equal(product.evaluate(net, x, variant=variant), whole)
    assert np.array_equal(product.evaluate(net, x[:7], variant=variant), whole[:7])


@pytest.mark.parametrize("precision", product.PRECISIONS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_other_weights_are_shown_without_compiling(variant, precision):
    a, b = glorot([3, 70, 5]), glorot([3, 70, 5], seed=9)
    x = points(a, 50)
    wide = product.Wide(a, precision, variant=variant)
    inputs = Array.of(np.pad(x, [(0, 0), (0, 1)]))
    values = Array(product.VEC4, 100)

    def run():
        encoder = device().encoder()
        wide.record(encoder, inputs, values, 50)
        device().submit(encoder)
        return values.read().reshape(50, 8)[:, :5]

    first = run()
    compiled = product._lanes_kernel.made + product._slabs_kernel.made
    wide.show(b)
    assert np.array_equal(run(), product.evaluate(b, x, precision=precision, variant=variant))
    wide.show(a)
    assert np.array_equal(run(), first)
    assert product._lanes_kernel.made + product._slabs_kernel.made == compiled


@pytest.mark.parametrize("variant", VARIANTS)
def test_f16_saturates_where_responses_are_past_its_largest_number(variant):
    # 100000 becomes 65504, not infinity, which times 0 would not be a number.
    net = Mlp([np.full((70, 1), 1e5), np.full((1, 70), 1 / 64)], activations=["relu", "identity"])
    assert product.evaluate(net, [[1.0]], precision="f16", variant=variant) == 70 * 65504 / 64


def test_weights_that_float16_cannot_hold_are_refused():
    net = Mlp([np.ones((70, 1)), np.full((1, 70), 1e5)], activations="relu", name="steep")
    assert product.evaluate(net, [[1.0]]) == 70e5
    with pytest.raises(NetworkError, match=r"Layer 1 of steep .* holds 100000; float16 ends at 65504"):
        product.evaluate(net, [[1.0]], precision="f16")


def test_another_precision_is_refused():
    with pytest.raises(SettingError, match="f32 and f16"):
        product.Wide(glorot([3, 70, 1]), "f64")


@pytest.mark.parametrize("shape", [(3,), (4, 2), (2, 3, 3)])
def test_points_of_another_width_are_refused(shape):
    with pytest.raises(ShapeError, match=r"needs \(N, 3\)"):
        product.evaluate(glorot([3, 70, 1]), np.zeros(shape))


def test_no_points_give_no_values():
    assert product.evaluate(glorot([3, 70, 2]), np.zeros((0, 3))).shape == (0, 2)


def test_layers_too_wide_for_an_image_go_by_slabs():
    # A texture of 8192 holds 2048 blocks of four inputs at four points, the least that lanes take.
    wide = Mlp([np.ones((2, 8300))])
    assert product.best_variant(wide) == "slabs"
    assert product.evaluate(wide, np.ones((3, 8300))).tolist() == [[8300, 8300]] * 3
