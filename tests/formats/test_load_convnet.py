"""SqueezeNet from weights alone, and which order of channels its weights were made for."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from engine.errors import FileError, NetworkError, NeurosceneError, ShapeError
from engine.formats.load_convnet import ARCHITECTURES, load_convnet, order_of
from engine.network.preprocess import CAFFE_MEAN, IMAGENET_MEAN
from engine.reference.forward import value as forward

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "squeezenet" / "squeezenet1_0.safetensors"
real = pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL.name} is not beside this project, in shared/squeezenet")

# torchvision's modules: (number in `features`, squeeze, expand), and the window of the first convolution.
FIRES = {
    "squeezenet1_0": ((3, 4, 5, 7, 8, 9, 10, 12), 7),
    "squeezenet1_1": ((3, 4, 6, 7, 9, 10, 11, 12), 3),
}


def arrays(architecture, thin=8, seed=0):
    """Weights under torchvision's keys, narrower than the published ones."""
    rng = np.random.default_rng(seed)
    places, window = FIRES[architecture]
    found, into = {}, 96 // thin

    def conv(key, out, source, size):
        found[f"{key}.weight"] = (rng.normal(size=(out, source, size, size)) / np.sqrt(source) / size).astype("f4")
        found[f"{key}.bias"] = rng.normal(size=out).astype("f4")

    conv("features.0", into, 3, window)
    for place, squeeze in zip(places, (16, 16, 32, 32, 48, 48, 64, 64), strict=True):
        squeeze, expand = squeeze // thin, 4 * squeeze // thin
        conv(f"features.{place}.squeeze", squeeze, into, 1)
        conv(f"features.{place}.expand1x1", expand, squeeze, 1)
        conv(f"features.{place}.expand3x3", expand, squeeze, 3)
        into = 2 * expand
    conv("classifier.1", 10, into, 1)
    return found


@pytest.fixture
def saved(tmp_path):
    def function(tensors, metadata=None, name="net.safetensors"):
        save_file(tensors, tmp_path / name, metadata)
        return tmp_path / name

    return function


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_architecture_is_found_by_its_keys(saved, architecture):
    net = load_convnet(saved(arrays(architecture)))
    assert net.input_shape == (3, 224, 224) and net.shapes["conv10"][0] == 10 and net.shapes["prob"] == (10, 1, 1)
    # 1.1 halves its maps earlier.
    assert net.shapes["fire4/concat"][1] == (54 if architecture == "squeezenet1_0" else 27)
    kinds = [node.kind for node in net.nodes]
    assert kinds.count("convolution") == 26 and kinds.count("max pool") == 3 and kinds.count("concat") == 8
    assert net.preprocess.mean == IMAGENET_MEAN
    again = load_convnet(saved(arrays(architecture)), architecture, size=(80, 96), classes=list("abcdefghij"))
    assert again.input_shape == (3, 80, 96) and again.classes[9] == "j"


def test_a_fire_module_is_its_formula(saved):
    """Iandola et al. 2016, figure 2, with 1 x 1 convolutions as products of matrices."""
    given = arrays("squeezenet1_1")
    net = load_convnet(saved(given), size=(33, 33))
    found = forward(net, np.random.default_rng(1).normal(size=(3, 33, 33)))
    squeezed = np.einsum("oi,ihw->ohw", given["features.3.squeeze.weight"][:, :, 0, 0].astype(float), found["pool1"])
    squeezed = np.maximum(squeezed + given["features.3.squeeze.bias"][:, None, None], 0)
    narrow = np.einsum("oi,ihw->ohw", given["features.3.expand1x1.weight"][:, :, 0, 0].astype(float), squeezed)
    narrow = np.maximum(narrow + given["features.3.expand1x1.bias"][:, None, None], 0)
    assert np.allclose(found["fire2/concat"][: len(narrow)], narrow, atol=1e-12)


def test_the_authors_padding_and_mean_are_found_by_the_metadata(saved):
    metadata = {"input": "RGB 0..255 minus mean", "conv10": "kernel 1, padding=1"}
    net = load_convnet(saved(arrays("squeezenet1_0"), metadata))
    assert net.input_shape == (3, 227, 227) and net.shapes["conv10"][1:] == (15, 15)
    assert net.preprocess.scale == 255 and net.preprocess.mean == CAFFE_MEAN
    assert load_convnet(saved(arrays("squeezenet1_0"), metadata), classifier_padding=0).shapes["conv10"][1:] == (13, 13)


def without(key):
    given = arrays("squeezenet1_0")
    del given[key]
    return given


WRONG = {
    "an array gone": (lambda: without("features.7.squeeze.bias"), FileError,
                      "looks like squeezenet1_0, but has no `features.7.squeeze.bias`"),
    "another network": (lambda: {"layer.weight": np.ones((2, 2), "f4")}, NetworkError, "known by its keys.*as ONNX"),
    "whole numbers": (lambda: arrays("squeezenet1_0") | {"features.0.bias": np.zeros(12, "i4")}, NetworkError,
                      "`features.0.bias` .*is I32"),
    "another window": (lambda: arrays("squeezenet1_0") | {"features.0.weight": np.zeros((12, 3, 5, 5), "f4")},
                       ShapeError, r"layer `conv1` needs \(any, any, 7, 7\)"),
    "two axes": (lambda: arrays("squeezenet1_0") | {"classifier.1.weight": np.zeros((10, 64), "f4")}, ShapeError,
                 r"is \(10, 64\), but layer `conv10` needs \(any, any, 1, 1\)"),
    "channels that do not follow": (
        lambda: arrays("squeezenet1_0") | {"classifier.1.weight": np.zeros((10, 7, 1, 1), "f4")}, ShapeError,
        "Node `conv10` .*need 7 channels, but 64 come"),
    "not finite": (lambda: arrays("squeezenet1_0") | {"features.0.bias": np.full(12, np.inf, "f4")}, NetworkError,
                   "Node `conv1` .*finite"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "says"), WRONG.values(), ids=WRONG)
def test_weights_that_do_not_fit_are_refused_in_a_line(saved, make, kind, says):
    with pytest.raises(kind, match=says) as caught:
        load_convnet(saved(make()))
    assert "net.safetensors" in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_asked_for_must_be_there(saved, tmp_path):
    path = saved(arrays("squeezenet1_0"))
    with pytest.raises(NetworkError, match=r"no architecture `squeezenet`. .*Near: squeezenet1_"):
        load_convnet(path, "squeezenet")
    with pytest.raises(NeurosceneError, match="does not fit"):
        load_convnet(path, size=(9, 9))
    with pytest.raises(FileError, match=r"no convolutional network.*\.onnx"):
        load_convnet(tmp_path / "net.pt")
    with pytest.raises(FileError, match="There is no file"):
        load_convnet(tmp_path / "net.onnx")


def test_other_networks_filters_tell_no_order():
    rng = np.random.default_rng(0)
    assert order_of(rng.normal(size=(64, 3, 7, 7))) is None
    assert order_of(np.zeros((96, 3, 7, 7))) is None
    assert all(order_of(rng.normal(size=(96, 3, 7, 7))) is None for _ in range(50))


@real
def test_the_authors_filters_tell_their_order_whatever_their_scale():
    weights = load_file(REAL)["features.0.weight"]
    noise = np.random.default_rng(1).normal(size=weights.shape) * 0.1 * weights.std()
    for given in (weights, weights * 58.0, weights + noise):
        assert order_of(given) == "rgb" and order_of(given[:, ::-1]) == "bgr"


@real
def test_the_real_network_is_as_its_authors_have_it():
    net = load_convnet(REAL)
    assert net.input_shape == (3, 227, 227) and net.shapes["conv10"] == (1000, 15, 15)
    assert net.weight_count == 1_248_424 and sum(net.work(node) for node in net.nodes) == pytest.approx(861e6, rel=0.01)
    assert net.preprocess.mean == CAFFE_MEAN and net.preprocess.order == "rgb"
    turned = load_file(REAL)
    assert net.changed(preprocess="caffe-rgb").preprocess == net.preprocess and len(turned) == 52


@real
def test_the_same_weights_turned_round_take_blue_first(saved):
    turned = load_file(REAL)
    turned["features.0.weight"] = np.ascontiguousarray(turned["features.0.weight"][:, ::-1])
    net = load_convnet(saved(turned, {"input": "BGR 0..255"}))
    assert net.preprocess.order == "bgr" and net.preprocess.mean == CAFFE_MEAN[::-1]
