"""Passes over graphs: each gives the same function; what exporters write becomes what was meant."""

import numpy as np
import pytest

from engine.network.activations import Activation
from engine.network.graph import nodes
from engine.network.graph.builder import Builder
from engine.network.graph.graph import Graph
from engine.network.graph.passes.affine import folded, named
from engine.network.graph.passes.layout import arranged
from engine.network.graph.passes.recognise import recognised
from engine.network.graph.passes.simplify import simplified
from tests.network.graph.forms import FORMS, Net, made, rand

RNG = np.random.default_rng(7)


def _normed_image(net):
    (x,) = net.x
    h = net.op(nodes.Divide, net.op(nodes.Subtract, x, rand(1, 3, 1, 1)), abs(rand(1, 3, 1, 1)) + 0.5)
    h = net.op(nodes.Convolution, h, weights=rand(4, 3, 3, 3))
    h = net.op(nodes.Add, net.op(nodes.Multiply, h, rand(4, 1, 1)), rand(4, 1, 1))
    h = net.op(nodes.Convolution, net.act(h, "relu"), weights=rand(4, 2, 3, 3), padding=(1, 1, 1, 1), groups=2)
    h = net.op(nodes.Affine, h, scale=rand(4, 1, 1), shift=rand(4, 1, 1))
    h = net.op(nodes.TransposedConvolution, h, weights=rand(4, 3, 2, 2), stride=(2, 2), groups=2)
    h = net.op(nodes.Affine, h, scale=rand(6, 1, 1), shift=rand(6, 1, 1))
    return net.op(nodes.Reduce, h, function="mean", axes=(2, 3))


def _keras(net):
    (x,) = net.x  # (1, H, W, C)
    to_first, to_last = (0, 3, 1, 2), (0, 2, 3, 1)
    for out in (4, 5):
        first = net.op(nodes.Transpose, x, axes=to_first)
        h = net.op(nodes.Convolution, first, weights=rand(out, first.dims[1], 3, 3))
        h = net.act(net.op(nodes.Add, net.op(nodes.Transpose, h, axes=to_last), rand(out)), "relu")
        h = net.op(nodes.Multiply, h, rand(out))
        pooled = net.op(nodes.MaxPool, net.op(nodes.Transpose, h, axes=to_first), size=(2, 2), stride=(1, 1))
        x = net.op(nodes.Pad, net.op(nodes.Transpose, pooled, axes=to_last), before=(0, 1, 0, 0), after=(0, 0, 1, 0))
    flat = net.op(nodes.Reshape, x, dims=(1, x.dims[1] * x.dims[2] * x.dims[3]))
    return net.dense(net.op(nodes.Add, flat, rand(1, flat.dims[1])), 3)


def _next_block(net):
    (x,) = net.x
    h = net.op(nodes.Transpose, x, axes=(0, 2, 3, 1))
    h = net.op(nodes.Normalise, h, gain=rand(3), bias=rand(3), axes=(-1,))
    h = net.dense(net.act(net.dense(h, 6), "relu"), 3)
    return net.op(nodes.Add, x, net.op(nodes.Transpose, net.op(nodes.Multiply, h, rand(3)), axes=(0, 3, 1, 2)))


def _shifted_after_reshape(net):
    (x,) = net.x
    h = net.op(nodes.Reshape, net.dense(x, 12), dims=(1, 3, 2, 2))
    return net.op(nodes.Add, net.op(nodes.Multiply, h, rand(3, 1, 1)), rand(1))


IMAGES = {
    "normed_image": (_normed_image, {"x": (1, 3, 9, 8)}),
    "keras": (_keras, {"x": (1, 9, 8, 3)}),
    "next_block": (_next_block, {"x": (1, 3, 4, 5)}),
    "shifted_after_reshape": (_shifted_after_reshape, {"x": (1, 5)}),
}
ALL = FORMS | IMAGES
CHANGES = {"named": named, "recognised": recognised, "arranged": arranged, "folded": folded, "simplified": simplified}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("form", ALL)
def test_the_function_stays(form, change):
    graph = made(form, ALL)
    after = CHANGES[change](named(graph) if change in ("recognised", "folded") else graph)
    arrays = [RNG.normal(size=node.size) for node in graph.inputs]
    assert np.allclose(after(*arrays), graph(*arrays), rtol=1e-5, atol=1e-5)
    assert after.dims[after.outputs[0]] == graph.dims[graph.outputs[0]]


def kinds(graph):
    return [node.kind for node in graph.nodes if not isinstance(node, nodes.Constant)]


def test_scales_and_norms_go_into_the_layers():
    graph = simplified(made("normed_image", ALL))
    assert kinds(graph) == ["input", "convolution", "elementwise", "convolution", "transposed convolution", "reduce"]


def test_a_network_with_its_channels_last_needs_one_move():
    graph = simplified(made("keras", ALL))
    assert kinds(graph).count("transpose") == 1 and kinds(graph)[1] == "transpose"
    assert "affine" not in kinds(graph)[-3:]


def test_dense_layers_over_channels_become_convolutions():
    graph = simplified(made("next_block", ALL))
    assert kinds(graph) == ["input", "normalise", "convolution", "elementwise", "convolution", "add"]


def test_a_layer_alone_keeps_every_bit():
    b = Builder("net")
    x = b.input("x", (1, 3))
    w = rand(3, 4)
    y = b.add(nodes.Elementwise, "act", [b.add(nodes.MatMul, "mul", [x, b.constant(w)])], activation="relu")
    graph = simplified(b.graph([y]))
    assert np.array_equal(graph.node("mul").weights, w.T)


def unary(steps):
    """A graph of one input and the steps, a function of (net, x)."""
    net = Net(x=(1, 5))
    return net.b.graph([steps(net, net.x[0])])


def _sigmoid(net, x):
    return net.act(x, "sigmoid")


def _softplus(net, x):
    straight = net.op(nodes.Compare, x, 20.0, relation=">")
    return net.op(nodes.Where, straight, x, net.act(x, "softplus"))


def _tanh(net, x):
    gate = _sigmoid(net, net.op(nodes.Multiply, x, 2.0))
    return net.op(nodes.Subtract, net.op(nodes.Multiply, gate, 2.0), 1.0)


def _gelu_by_tanh(net, x):
    cube = net.op(nodes.Multiply, net.op(nodes.Power, x, 3.0), 0.044715)
    inner = net.op(nodes.Multiply, net.op(nodes.Add, x, cube), np.sqrt(2 / np.pi))
    return net.op(nodes.Multiply, net.op(nodes.Multiply, x, 0.5), net.op(nodes.Add, net.act(inner, "tanh"), 1.0))


def _gelu(net, x):
    inner = net.act(net.op(nodes.Divide, x, np.sqrt(2)), "erf")
    return net.op(nodes.Multiply, net.op(nodes.Multiply, x, net.op(nodes.Add, inner, 1.0)), 0.5)


def _mish(net, x):
    soft = net.act(net.op(nodes.Add, net.act(x, "exp"), 1.0), "log")
    return net.op(nodes.Multiply, x, net.act(soft, "tanh"))


WRITTEN = {
    "hard_swish": lambda net, x: net.op(nodes.Multiply, x, net.act(x, "hard_sigmoid")),
    "clipped_relu(6)": lambda net, x: net.op(nodes.Minimum, net.op(nodes.Maximum, x, 0.0), 6.0),
    "gelu": _gelu,
    "gelu_tanh": _gelu_by_tanh,
    "mish": _mish,
    "gaussian": lambda net, x: net.act(net.op(nodes.Multiply, net.op(nodes.Multiply, x, x), -1.0), "exp"),
    "hardtanh(-2,3)": lambda net, x: net.op(nodes.Maximum, net.op(nodes.Minimum, x, 3.0), -2.0),
    "celu(2)": lambda net, x: net.op(nodes.Where, net.op(nodes.Compare, x, 0.0, relation=">"), x, net.op(
        nodes.Multiply, net.op(nodes.Subtract, net.act(net.op(nodes.Divide, x, 2.0), "exp"), 1.0), 2.0)),

    "silu": lambda net, x: net.op(nodes.Multiply, x, _sigmoid(net, x)),
    "softplus": _softplus,
    "leaky_relu(0.2)": lambda net, x: net.op(nodes.Maximum, x, net.op(nodes.Multiply, x, 0.2)),
    "tanh": _tanh,
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_activations_are_known_from_their_arithmetic(name):
    graph = simplified(unary(WRITTEN[name]))
    assert [str(node.activation) for node in graph.nodes if isinstance(node, nodes.Elementwise)] == [
        str(Activation.parse(name))
    ]
    assert kinds(graph) == ["input", "elementwise"]


def test_a_function_that_is_near_to_an_activation_is_not_it():
    net = Net(x=(1, 5))
    (x,) = net.x
    y = net.op(nodes.Multiply, x, net.act(net.op(nodes.Multiply, x, 1.001), "sigmoid"))
    names = [str(n.activation) for n in simplified(net.b.graph([y])).nodes if isinstance(n, nodes.Elementwise)]
    assert names != ["silu"]


def test_the_frequency_of_a_sine_stays_out_of_the_weights():
    net = Net(x=(1, 3))
    h = net.dense(net.x[0], 4)
    graph = simplified(net.b.graph([net.act(net.op(nodes.Multiply, h, 30.0), "sine")]))
    dense, sine = graph.nodes[1:]
    assert str(sine.activation) == "sine(30)"
    raw = net.b.graph([h])
    assert np.array_equal(dense.weights, raw.node("dense").weights)


def test_norms_are_known_from_their_arithmetic():
    net = Net(x=(2, 4))
    (x,) = net.x
    centred = net.op(nodes.Subtract, x, net.op(nodes.Reduce, x, function="mean", axes=(-1,)))
    square = net.op(nodes.Multiply, centred, centred)
    variance = net.op(nodes.Reduce, square, function="mean", axes=(1,))
    root = net.op(nodes.Power, net.op(nodes.Add, variance, 1e-5), 0.5)
    y = net.op(nodes.Add, net.op(nodes.Multiply, net.op(nodes.Divide, centred, root), rand(4)), rand(4))
    graph = net.b.graph([y])
    after = simplified(graph)
    assert kinds(after) == ["input", "normalise"] and after.nodes[1].centred
    array = RNG.normal(size=(2, 4))
    assert np.allclose(after(array), graph(array), atol=1e-6)


def test_a_graph_without_anything_to_do_stays():
    graph = Graph([nodes.Input("x", (), (1, 3)), nodes.Dense("d", ("x",), rand(2, 3))], ["d"])
    assert simplified(graph).nodes == graph.nodes
