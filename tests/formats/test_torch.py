"""Modules as PyTorch has them, played by classes of the same names: what is recognised by name must work without torch.

The real ones are compared in tests/peers.
"""

import math
import sys

import numpy as np
import pytest

from engine.errors import FileError, NetworkError, NeurosceneError
from engine.formats.load_mlp import load
from engine.network.activations import Activation
from engine.network.random import random_mlp


class Module:
    def __init__(self, **attributes):
        self._modules = {}
        self.__dict__.update(attributes)


class Tensor:
    """What of torch.Tensor is used: a tensor that can only be read after detach, cpu and double."""

    def __init__(self, array, ready=0):
        self.array, self.ready = np.asarray(array), ready
        self.shape = self.array.shape

    def detach(self):
        return Tensor(self.array, 1)

    def cpu(self):
        assert self.ready == 1
        return Tensor(self.array, 2)

    def double(self):
        assert self.ready == 2
        return Tensor(self.array.astype(float), 3)

    def numpy(self):
        assert self.ready == 3
        return self.array


class Linear(Module):
    def __init__(self, layer):
        super().__init__(weight=Tensor(layer.weights), bias=Tensor(layer.bias))

    def forward(self, x):
        raise NotImplementedError


class Sequential(Module):
    def __init__(self, *children):
        super().__init__()
        self._modules = {str(i): child for i, child in enumerate(children)}

    def forward(self, x):
        raise NotImplementedError


def module(name, **attributes):
    return type(name, (Module,), {})(**attributes)


NET = random_mlp([3, 6, 4, 2], seed=9)
A, B, C = (Linear(layer) for layer in NET.layers)
POINTS = np.random.default_rng(1).uniform(-2, 2, (40, 3))


def between(*steps):
    return load(Sequential(A, *steps, B, *steps, C))


ACTIVATIONS = {
    "relu": module("ReLU"),
    "leaky_relu(0.2)": module("LeakyReLU", negative_slope=0.2),
    "elu(0.5)": module("ELU", alpha=0.5),
    "softplus": module("Softplus", beta=1.0, threshold=20.0),
    "gelu": module("GELU", approximate="none"),
    "silu": module("SiLU"),
    "tanh": module("Tanh"),
    "sigmoid": module("Sigmoid"),
    "sine(30)": module("Sine", w0=30.0),
    "sine(2)": module("Sine", omega=np.float32(2)),
    "sine(3)": module("Sine", omega_0=3),
    "sine(4)": module("Sine", frequency=4.0),
    "identity": module("Identity"),
}


@pytest.mark.parametrize("text", ACTIVATIONS)
def test_each_activation_module_is_read_with_its_parameter(text):
    net = between(ACTIVATIONS[text])
    assert [float(f"{x.activation.argument:.6g}") for x in net.layers[:2]] == [
        float(text.partition("(")[2].rstrip(")") or (text == "softplus"))
    ] * 2
    assert str(net.layers[0].activation).startswith(text.partition("(")[0])
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(net.layers, NET.layers, strict=True))


ELEMENTWISE = {
    "ReLU6": ({}, "clipped_relu(6)"), "CELU": ({"alpha": 0.5}, "celu(0.5)"), "SELU": ({}, "selu"), "Mish": ({}, "mish"),
    "LogSigmoid": ({}, "log_sigmoid"), "Softsign": ({}, "softsign"), "Tanhshrink": ({}, "tanhshrink"),
    "Hardsigmoid": ({}, "hard_sigmoid"), "Hardswish": ({}, "hard_swish"),
    "Hardtanh": ({"min_val": -2.0, "max_val": 0.5}, "hardtanh(-2,0.5)"),
    "Hardshrink": ({"lambd": 0.25}, "hardshrink(0.25)"),
    "Softshrink": ({"lambd": 0.25}, "softshrink(0.25)"),
    "Threshold": ({"threshold": 0.5, "value": -1.0}, "threshold(0.5,-1)"),
    "RReLU": ({"lower": 0.25, "upper": 0.75}, "leaky_relu(0.5)"), "GELU": ({"approximate": "tanh"}, "gelu_tanh"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ELEMENTWISE)
def test_every_elementwise_module_of_pytorch_is_read(kind):
    attributes, text = ELEMENTWISE[kind]
    net = between(module(kind, **attributes))
    assert [x.activation for x in net.layers[:2]] == [Activation.parse(text)] * 2


def test_slopes_for_each_unit_and_norms_of_a_layer_are_read():
    slopes = np.float32([0.5, -1, 0, 2, 0.25, 1])
    net = load(Sequential(A, module("PReLU", weight=Tensor(slopes)), B))
    z = POINTS @ NET.weights[0].T.astype(float) + NET.biases[0]
    truth = np.where(z > 0, z, slopes * z) @ NET.weights[1].T.astype(float) + NET.biases[1]
    # Weights times slopes are rounded to float32.
    assert np.abs(net(POINTS) - truth).max() < 2e-6
    net = load(Sequential(A, module("LayerNorm", weight=None, bias=None, eps=1e-5), B))
    z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
    assert np.abs(net(POINTS) - (z @ NET.weights[1].T.astype(float) + NET.biases[1])).max() < 5e-6


def test_what_does_nothing_in_eval_is_left_out_and_nesting_is_no_matter():
    flat = load(Sequential(A, ACTIVATIONS["tanh"], B, ACTIVATIONS["tanh"], C))
    inner = Sequential(module("Dropout", p=0.5), Sequential(A, module("Identity")), ACTIVATIONS["tanh"])
    nested = load(
        Sequential(module("Flatten", start_dim=1, end_dim=-1), inner, Sequential(), B, ACTIVATIONS["tanh"], C)
    )
    assert nested.equals(flat)


def test_softmax_is_read_last_and_between_but_not_over_the_batch():
    assert str(load(Sequential(A, module("Softmax", dim=-1))).layers[0].activation) == "softmax"
    powers = np.exp(load(Sequential(A))(POINTS))
    between = load(Sequential(A, module("Softmax", dim=-1), B))(POINTS)
    assert np.abs(between - load(Sequential(B))(powers / powers.sum(-1, keepdims=True))).max() < 1e-6
    with pytest.raises(NetworkError, match="axis 0"):
        load(Sequential(A, module("Softmax", dim=0)))


def test_softplus_of_another_sharpness_is_folded_into_the_weights():
    net = between(module("Softplus", beta=8.0, threshold=20.0))
    h = POINTS
    for layer in NET.layers[:2]:
        h = np.log1p(np.exp(8 * (h @ layer.weights.T.astype(float) + layer.bias))) / 8
    truth = h @ NET.layers[2].weights.T.astype(float) + NET.layers[2].bias
    # Powers of two fold without rounding; what is left is float64's.
    assert np.allclose(net(POINTS), truth, rtol=1e-12)


NORM = dict(
    running_mean=Tensor([0.5, -1, 2, 0, 1, -2]),
    running_var=Tensor([1, 4, 0.25, 2, 1, 3]),
    weight=Tensor([1, -2, 0.5, 1, 3, 1]),
    bias=Tensor([0, 1, -1, 0.5, 2, 0]),
    eps=1e-5,
)


@pytest.mark.parametrize("before", [True, False])
def test_batch_norm_is_folded_on_either_side_of_the_activation(before):
    norm, tanh = module("BatchNorm1d", **NORM), ACTIVATIONS["tanh"]
    net = load(Sequential(A, norm, tanh, B) if before else Sequential(A, tanh, norm, B))
    mean, var, gain, shift = (NORM[k].array for k in ("running_mean", "running_var", "weight", "bias"))

    def normal(x):
        return (x - mean) / np.sqrt(var + 1e-5) * gain + shift

    z = POINTS @ NET.layers[0].weights.T.astype(float) + NET.layers[0].bias
    h = np.tanh(normal(z)) if before else normal(np.tanh(z))
    truth = h @ NET.layers[1].weights.T.astype(float) + NET.layers[1].bias
    assert net.shape.sizes == (3, 6, 4)
    # Each folded weight is rounded to float32 once, 6e-8 of sums of at most 20.
    assert np.abs(net(POINTS) - truth).max() < 2e-6


def test_sine_layers_are_a_linear_layer_with_its_sine():
    siren = [module("SineLayer", linear=x, omega_0=w) for x, w in ((A, 30), (B, 2.0))]
    assert str(load(Sequential(*siren, C)).shape) == "3-6-4-2 sine(30),sine(2),identity"


def test_a_backward_sine_is_folded_into_the_weights():
    net = load(Sequential(A, module("Sine", w0=-2.0), B))
    z = POINTS @ NET.layers[0].weights.T.astype(float) + NET.layers[0].bias
    truth = np.sin(-2 * z) @ NET.layers[1].weights.T.astype(float) + NET.layers[1].bias
    assert np.allclose(net(POINTS), truth, rtol=1e-12)


class Custom(Sequential):
    def forward(self, x):
        return x + 1


class Wrapper(Module):
    def __init__(self):
        super().__init__()
        self._modules = {"net": Sequential(A)}

    def state_dict(self):
        return {}


BAD = {
    "an unknown module": (
        Sequential(A, module("LSTM")),
        r"module 1 \(LSTM\) cannot be shown.*Accepted: Sequential, Linear",
    ),
    "its place when nested": (Sequential(A, Sequential(B, module("GRU"))), r"module 1\.1 \(GRU\)"),
    "a sine without frequency": (Sequential(A, module("Sine"), B), "does not say its frequency"),
    "a sine of frequency 0": (Sequential(A, module("Sine", w0=0.0), B), r"module 1 \(Sine\).*above 0"),
    "a sine of a word": (Sequential(A, module("Sine", w0="fast"), B), "not a number"),
    "a soft softplus cut early": (Sequential(A, module("Softplus", beta=1.0, threshold=5.0)), "threshold"),
    "batch norm without means": (Sequential(A, module("BatchNorm1d", running_mean=None, running_var=None)), "batch"),
    "batch norm of another width": (
        Sequential(B, module("BatchNorm1d", **NORM)),
        r"`1` \(affine\).*\(1, 4\) and \(6,\)",
    ),
    "a flatten of all axes": (Sequential(module("Flatten", start_dim=0, end_dim=-1), A), "flattens"),
    "layers that do not follow": (Sequential(A, C), r"`1` \(dense\).*\(2, 4\).*\(1, 6\)"),
    "nothing in it": (Sequential(), "no linear layer"),
    "activations alone": (Sequential(module("Tanh")), "no linear layer"),
    "a forward of its own": (Custom(A), "Custom"),
    "a forward of its own inside": (Sequential(A, Custom(B)), "Custom"),
    "a wrapper": (Wrapper(), "computes in its own way"),
    "a lazy layer": (Sequential(module("LazyLinear")), "LazyLinear"),
    "a weight without shape": (
        Sequential(type("Linear", (Module,), {"forward": None})(weight=None)),
        "without a shape",
    ),
}


@pytest.mark.parametrize(("source", "says"), BAD.values(), ids=BAD)
def test_what_cannot_be_shown_is_named_with_its_place(source, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        load(source)
    assert str(caught.value).isprintable()


def test_a_sequential_in_itself_is_refused():
    loop = Sequential(A)
    loop._modules["1"] = loop
    with pytest.raises(NetworkError, match="nested deeper"):
        load(loop)


def test_activations_beside_a_module_are_refused():
    with pytest.raises(NetworkError, match="its own activations"):
        load(Sequential(A), activations="tanh")


def test_tensors_are_read_without_torch():
    state = {
        f"{2 * i}.{k}": Tensor(getattr(x, a))
        for i, x in enumerate(NET.layers)
        for k, a in (("weight", "weights"), ("bias", "bias"))
    }
    assert load(state, activations="tanh").equals(NET)


def test_torch_is_never_imported_for_objects(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert load(Sequential(A)).inputs == 3
    assert math.isfinite(load({"weight": Tensor([[1.0]])}, activations="tanh")([0.5])[0])


@pytest.mark.parametrize("extension", [".pt", ".pth", ".ckpt", ".bin"])
def test_a_pt_file_without_torch_says_what_to_do(tmp_path, monkeypatch, extension):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / f"net{extension}").write_bytes(b"\x80\x02anything")
    with pytest.raises(FileError, match=r"pip install torch.*safetensors"):
        load(tmp_path / f"net{extension}", activations="tanh")
