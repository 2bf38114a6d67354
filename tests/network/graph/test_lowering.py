"""Graphs as multilayer perceptrons: the same function, and the plain chain without a changed bit."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import NetworkError
from engine.network.graph import nodes
from engine.network.graph.lowering.layers import as_mlp
from tests.network.graph.forms import FORMS, Net, made

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("form", FORMS)
def test_the_layers_compute_what_the_graph_computes(form):
    graph = made(form)
    net = as_mlp(graph)
    for _ in range(5):
        arrays = [RNG.normal(size=node.size) for node in graph.inputs]
        vector = np.concatenate([a.reshape(-1) for a in arrays])
        exact = graph(*arrays).reshape(-1)
        assert np.allclose(net(vector), exact, rtol=1e-6, atol=1e-6)


def test_a_chain_keeps_every_bit_and_its_layers():
    graph = made("chain")
    net = as_mlp(graph)
    assert net.shape.sizes == (3, 8, 6, 2) and [str(a) for a in net.activations] == ["relu", "tanh", "identity"]
    dense = [node for node in graph.nodes if isinstance(node, nodes.Dense)]
    for layer, node in zip(net.layers, dense, strict=True):
        assert np.array_equal(layer.weights, node.weights) and np.array_equal(layer.bias, node.bias)


def test_layers_without_an_activation_between_stay_two():
    net = Net(x=(1, 3))
    graph = net.b.graph([net.dense(net.dense(net.x[0], 2), 4)])
    assert as_mlp(graph).shape.sizes == (3, 2, 4)


def test_skips_carry_as_few_units_as_there_are():
    assert as_mlp(made("deep_sdf")).shape.sizes == (7, 19, 14, 12, 1)
    assert as_mlp(made("residual")).shape.sizes == (3, *[8, 16] * 4, 8, 3)
    assert as_mlp(made("pre_residual")).shape.sizes == (3, 9, 12, 12, 6, 2)
    assert as_mlp(made("features")).shape.sizes == (3, 13, 8, 1)


def test_the_shape_does_not_depend_on_the_weights():
    """Residual branches that begin at zero, scales of 0: every snapshot of a training has one shape."""
    for form in ("residual", "pre_residual", "deep_sdf", "sloped", "normed", "attention"):
        graph = made(form)
        zeros = {}
        for node in graph.nodes:
            if isinstance(node, nodes.Dense):
                zeros[node.name] = replace(node, weights=0 * node.weights)
            if isinstance(node, nodes.Normalise):
                zeros[node.name] = replace(node, gain=0 * node.gain)
            if isinstance(node, nodes.Prelu):
                zeros[node.name] = replace(node, slopes=np.append(np.zeros(node.slopes.size - 1), 0.5))
        assert as_mlp(graph.changed(zeros)).shape == as_mlp(graph).shape, form


def test_what_is_no_function_of_a_vector_is_refused_by_its_node():
    net = Net(x=(1, 3))
    pooled = net.op(nodes.MaxPool, net.op(nodes.Reshape, net.x[0], dims=(1, 1, 1, 3)), size=(1, 2), stride=(1, 1))
    with pytest.raises(NetworkError, match=r"Node `max pool` \(max pool\) of net: it has no place in a function of a"):
        as_mlp(net.b.graph([pooled]))
    net = Net(x=(1, 3))
    half = net.op(nodes.Where, net.op(nodes.Compare, net.x[0], 0.0, relation=">"), net.act(net.x[0], "log"), 0.0)
    with pytest.raises(NetworkError, match="it chooses between values of which one is made by log, which can be infin"):
        as_mlp(net.b.graph([half]))


def _chosen(net, relation):
    """A choice by a relation, which some of the samples fulfil and others do not."""
    h = net.dense(net.act(net.dense(net.x[0], 6), "tanh"), 4)
    condition = net.op(
        nodes.Compare, h, net.op(nodes.Slice, h, starts=(0, 0), counts=(1, 1), steps=(1, 1)), relation=relation
    )
    return net.op(nodes.Where, condition, net.act(h, "sine(3)"), net.op(nodes.Multiply, h, h))


CHOICES = {
    **{
        f"maximum of {n}": (
            lambda net, n=n: net.op(
                nodes.Reduce,
                net.op(nodes.Reshape, net.dense(net.x[0], 2 * n), dims=(1, 2, n)),
                function="max",
                axes=(2,),
            )
        )
        for n in (1, 2, 5, 8)
    },
    "minimum": lambda net: net.op(nodes.Reduce, net.act(net.dense(net.x[0], 7), "tanh"), function="min", axes=(0, 1)),
    "product": lambda net: net.op(nodes.Reduce, net.act(net.dense(net.x[0], 7), "tanh"), function="product", axes=(1,)),
    "softmax between layers": lambda net: net.dense(net.op(nodes.Softmax, net.dense(net.x[0], 5), axis=1), 2),
    "softmax of groups": lambda net: net.op(
        nodes.Softmax, net.op(nodes.Reshape, net.dense(net.x[0], 6), dims=(1, 3, 2)), axis=1
    ),
    "log softmax": lambda net: net.dense(net.op(nodes.Softmax, net.dense(net.x[0], 5), axis=-1, log=True), 2),
    "great softmax": lambda net: net.dense(
        net.op(nodes.Softmax, net.op(nodes.Multiply, net.dense(net.x[0], 5), 1e4), axis=1), 2
    ),
    **{
        relation: (lambda net, relation=relation: _chosen(net, relation))
        for relation in (">", ">=", "<", "<=", "==", "!=")
    },
    "and, or": lambda net: net.op(
        nodes.Cast,
        net.op(
            nodes.Compare,
            net.op(nodes.Compare, net.x[0], 0.3, relation=">"),
            net.op(
                nodes.Compare,
                net.op(nodes.Compare, net.x[0], -0.5, relation="<"),
                net.op(nodes.Compare, net.x[0], 0.6, relation=">"),
                relation="or",
            ),
            relation="xor",
        ),
        to="float",
    ),
    "power of a constant": lambda net: net.op(nodes.Power, 2.0, net.dense(net.x[0], 3)),
    "power below 0": lambda net: net.op(
        nodes.Power, net.op(nodes.Add, net.op(nodes.Multiply, net.x[0], net.x[0]), 1.0), -1.5
    ),
}


@pytest.mark.parametrize("name", CHOICES)
def test_extrema_choices_and_softmax_are_layers(name):
    net = Net(x=(1, 3))
    graph = net.b.graph([CHOICES[name](net)])
    layers = as_mlp(graph)
    points = RNG.normal(size=(40, 3))
    exact = np.stack([graph(point[None]).reshape(-1) for point in points])
    assert np.isfinite(exact).all() and np.allclose(layers(points), exact, rtol=1e-6, atol=1e-6)


def test_slopes_of_one_for_each_channel_that_are_equal_are_one_activation():
    net = Net(x=(1, 3))
    graph = net.b.graph([net.dense(net.op(nodes.Prelu, net.dense(net.x[0], 4), slopes=np.full((1, 4), 0.1)), 1)])
    assert str(as_mlp(graph).activations[0]).startswith("leaky_relu(0.1")
