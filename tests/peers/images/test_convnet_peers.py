"""Convolutional networks as PyTorch computes them, and as its exporters write them. `make test-peers` installs it."""

import argparse
import contextlib
import io
import sys
import warnings

import numpy as np
import pytest

from engine.errors import FileError
from engine.formats.load_convnet import load_convnet
from engine.kernels.forward import Forward
from engine.network.graph.nodes import Affine
from engine.reference.forward import value as forward

torch = pytest.importorskip("torch", reason="PyTorch is installed by `make test-peers`")
pytestmark = pytest.mark.peers

import architectures  # noqa: E402 - needs PyTorch

EXPORTERS = ("dynamo", "dynamo, any batch", "torchscript", "torchscript, any batch")


def exported(model, size, path, exporter):
    """Writes the model as PyTorch's exporter of that name does."""
    # A batch of two where it is to be free: the exporters take a one as fixed.
    free = exporter.endswith("any batch")
    x = (torch.zeros(2 if free else 1, *size),)
    told = contextlib.redirect_stdout(io.StringIO())
    with told, contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if exporter.startswith("torchscript"):
            axes = {"dynamic_axes": {"x": {0: "batch"}}} if free else {}
            torch.onnx.export(model, x, str(path), dynamo=False, input_names=["x"], **axes)
        else:
            shapes = ({0: torch.export.Dim.DYNAMIC},) if free else None
            torch.onnx.export(
                model, x, str(path), dynamo=True, external_data=False, verbose=False, dynamic_shapes=shapes
            )
    return path


def far(found, truth):
    return np.abs(np.ravel(found) - truth).max() / np.abs(truth).max()


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_what_pytorch_exports_computes_what_pytorch_computes(name, exporter, tmp_path):
    """Of the largest value: folded weights are rounded to float32, 6e-8 each, through up to twenty layers."""
    model, size = architectures.made(name)
    net = load_convnet(exported(model, size, tmp_path / "net.onnx", exporter))
    image = np.random.default_rng(1).normal(size=size).astype(np.float32)
    with torch.no_grad():
        truth = model.double()(torch.from_numpy(image.astype(float))[None]).numpy()[0]
    assert far(forward(net, image)[net.output.name], truth) < 1e-5
    if exporter == "dynamo":
        assert far(Forward(net).run(image)[net.output.name], truth) < 1e-5
    # Nothing is left of batch norms that stand behind a convolution.
    kept = sum(isinstance(node, Affine) for node in net.nodes)
    # Of "mixed" one remains, of what another branch sees too, and the pad where the exporter did not fold it. In
    # "densenet" they stand before convolutions: one in each of six layers, one between the blocks, one at the end.
    assert kept in {"mixed": (1, 2), "densenet": (8,)}.get(name, (0,))


def test_weights_in_a_file_beside_it_are_read_as_the_exporter_writes_them_unless_told(tmp_path):
    model, size = architectures.made("squeezenet 1.1")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (torch.zeros(1, *size),), str(tmp_path / "net.onnx"), dynamo=True)
    assert (tmp_path / "net.onnx.data").exists()
    image = np.random.default_rng(0).normal(size=size).astype("f4")
    with torch.no_grad():
        truth = model(torch.from_numpy(image)[None]).numpy().ravel()
    net = load_convnet(tmp_path / "net.onnx")
    assert far(forward(net, image)[net.output.name].ravel(), truth) < 1e-5
    (tmp_path / "net.onnx.data").unlink()
    with pytest.raises(FileError, match=r"net.onnx.data, which is not beside it"):
        load_convnet(tmp_path / "net.onnx")


@pytest.fixture
def script(request, monkeypatch):
    monkeypatch.syspath_prepend(str(request.config.rootpath / "tools"))
    import example_convnets

    yield example_convnets
    for name in ("example_convnets", "small_squeezenet"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["vgg_like", "residual"])
def test_the_examples_say_their_classes_and_nothing_of_the_machine(script, name, tmp_path, request):
    torch.manual_seed(0)
    model = script.NETWORKS[name][0]()
    model.prob = torch.nn.Softmax(1)
    script.exported(model.eval(), tmp_path / "net.onnx", script.shown(script.SIZE))
    data = (tmp_path / "net.onnx").read_bytes()
    assert b"site-packages" not in data and str(request.config.rootpath).encode() not in data
    net = load_convnet(tmp_path / "net.onnx")
    assert net.classes == script.KINDS and net.preprocess.std == (0.25,) * 3
    assert {n.name for n in net.nodes} >= {"prob"} and not any("node_" in n.name for n in net.nodes)
    image = np.random.default_rng(2).normal(size=net.input_shape).astype(np.float32)
    with torch.no_grad():
        truth = model.double()(torch.from_numpy(image.astype(float))[None]).numpy()[0]
    # Probabilities of logits up to 10, which folded weights move by 1e-6 of that.
    assert np.abs(forward(net, image)[net.output.name].ravel() - truth).max() < 1e-5


@pytest.mark.parametrize(("name", "weights"), [("MobileNetV2", 3_504_872), ("ResNet50", 25_557_032)])
def test_networks_of_published_shapes_have_their_published_number_of_weights(script, name, weights):
    import vision_networks

    model = getattr(vision_networks, name)()
    assert sum(x.numel() for x in model.parameters()) == weights
    # As batch norms have measured it, every layer has responses of about unit size, and none goes out.
    model, about = vision_networks.measured(model, argparse.Namespace(threads=2))
    assert "random weights" in about["training"] and not model.training
    norms = [m.running_var for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all(float(v.max()) > 0.0 and bool(torch.isfinite(v).all()) for v in norms)
    sys.modules.pop("vision_networks")
