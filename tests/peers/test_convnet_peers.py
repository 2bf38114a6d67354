"""Convolutional networks as PyTorch computes them, and as its exporters write them. `make test-peers` installs it."""

import contextlib
import io
import warnings

import numpy as np
import pytest

from engine.kernels.forward import Forward
from engine.network.architectures import load_convnet
from engine.network.convnet import Convolution, Softmax
from engine.reference.convnet import forward

torch = pytest.importorskip("torch", reason="PyTorch is installed by `make test-peers`")
pytestmark = pytest.mark.peers

from peers import architectures  # noqa: E402 - needs PyTorch

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
    truth = np.exp(truth) if isinstance(net.output, Softmax) else truth
    assert far(forward(net, image)[net.output.name], truth) < 1e-5
    if exporter == "dynamo":
        assert far(Forward(net).run(image)[net.output.name], truth) < 1e-5
    # Nothing is left of batch norms that stand behind a convolution.
    kept = sum(isinstance(node, Convolution) for node in net.nodes)
    written = sum(isinstance(layer, torch.nn.Conv2d) for layer in model.modules())
    # Of "mixed" one remains, of what another branch sees too, and the pad where the exporter did not fold it.
    assert kept - written in ((1, 2) if name == "mixed" else (0,))
