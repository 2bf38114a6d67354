"""Graphs: the order of nodes, shapes against values of every operator, builders that compute constants at once."""

import numpy as np
import pytest

from engine.errors import NetworkError, ShapeError
from engine.network.graph import nodes
from engine.network.graph.builder import Builder
from engine.network.graph.graph import Graph

RNG = np.random.default_rng(5)


def rand(*shape):
    return RNG.normal(size=shape)


# A node of every operator, and the shapes of its inputs.
SAMPLES = [
    (nodes.Elementwise("n", ("a",), "tanh"), [(1, 3)]),
    (nodes.Prelu("n", ("a",), rand(3, 1, 1)), [(1, 3, 2, 2)]),
    (nodes.Affine("n", ("a",), rand(3, 1), rand(2)), [(4, 3, 2)]),
    *[
        (kind("n", ("a", "b")), [(2, 1, 3), (4, 1)])
        for kind in (nodes.Add, nodes.Subtract, nodes.Multiply, nodes.Divide, nodes.Maximum, nodes.Minimum, nodes.Power)
    ],
    (nodes.Compare("n", ("a", "b"), "<="), [(2, 1), (3,)]),
    (nodes.Where("n", ("a", "b", "c")), [(3, 1), (2,), (1, 1, 1)]),
    (nodes.Cast("n", ("a",), "int"), [(3,)]),
    (nodes.Dense("n", ("a",), rand(4, 3), rand(4)), [(2, 5, 3)]),
    (nodes.MatMul("n", ("a", "b")), [(2, 1, 4, 3), (5, 3, 2)]),
    (nodes.MatMul("n", ("a", "b")), [(4, 3), (3,)]),
    (nodes.MatMul("n", ("a", "b")), [(3,), (2, 3, 4)]),
    (nodes.Softmax("n", ("a",), -1), [(2, 3)]),
    (nodes.Softmax("n", ("a",), 1, True), [(2, 3, 2)]),
    (nodes.Normalise("n", ("a",), rand(3), rand(3), (-1,)), [(2, 4, 3)]),
    (nodes.Normalise("n", ("a",), rand(6, 1, 1), rand(6, 1, 1), groups=3), [(1, 6, 2, 2)]),
    (nodes.Normalise("n", ("a",), rand(3), rand(3), (-1,), centred=False), [(2, 3)]),
    *[(nodes.Reduce("n", ("a",), f, (1, -1), keep), [(2, 3, 4)]) for f, keep in (("mean", True), ("max", False))],
    (nodes.Reshape("n", ("a",), (3, 4)), [(1, 2, 6)]),
    (nodes.Transpose("n", ("a",), (2, 0, 1)), [(1, 2, 6)]),
    (nodes.Slice("n", ("a",), (0, 4), (2, 3), (1, -2)), [(2, 6)]),
    (nodes.Concat("n", ("a", "b"), -1), [(2, 6), (2, 1)]),
    (nodes.Expand("n", ("a",), (3, 1, 6)), [(2, 6)]),
    (nodes.Gather("n", ("a",), np.array([[0, -1], [1, 1]]), 1), [(2, 3, 4)]),
    (nodes.Pad("n", ("a",), (1, -1), (0, 2), 3.0), [(2, 4)]),
    (nodes.Pad("n", ("a",), (0, 2), (0, -1), mode="reflect"), [(2, 4)]),
    (nodes.Convolution("n", ("a",), rand(4, 2, 3, 2), None, (2, 1), (1, 0, 2, 1), (1, 2), 2), [(1, 4, 7, 6)]),
    (nodes.TransposedConvolution("n", ("a",), rand(4, 3, 3, 2), None, (2, 3), (1, 0, -1, 1), groups=2), [(1, 4, 3, 2)]),
    (nodes.MaxPool("n", ("a",), (3, 2), (2, 2), (1, 0, 1, 1), True), [(1, 2, 6, 5)]),
    (nodes.MaxPool("n", ("a",), (2, 2), (1, 1), dilation=(2, 1)), [(1, 2, 6, 5)]),
    (nodes.AveragePool("n", ("a",), (3, 2), (2, 2), (1, 0, 1, 1), True, include_padding=True), [(1, 2, 6, 5)]),
    (nodes.Resize("n", ("a",), rand(4, 2), rand(1, 3)), [(1, 2, 2, 3)]),
    (nodes.LocalNormalise("n", ("a",), 3), [(1, 5, 2, 2)]),
]


def _subclasses(kind):
    return {kind}.union(*map(_subclasses, kind.__subclasses__()))


def test_every_operator_has_a_sample():
    known = {k for k in _subclasses(nodes.GraphNode) if k.__module__.startswith("engine.network.graph") and k.kind}
    assert {type(node) for node, _ in SAMPLES} == known - {nodes.Input, nodes.Constant}


@pytest.mark.parametrize("node, dims", SAMPLES, ids=lambda x: x.kind if hasattr(x, "kind") else "")
def test_the_shape_is_that_of_the_value(node, dims):
    value = node.value(*(abs(rand(*d)) for d in dims))
    assert value.shape == node.shape(*dims)
    assert all(w is None or len(w) == 2 for w in node.windows(*dims)) and len(node.windows(*dims)) == len(dims)
    assert node.work(*dims) >= 0


@pytest.mark.parametrize("node, dims", SAMPLES, ids=lambda x: x.kind if hasattr(x, "kind") else "")
def test_a_graph_evaluates_it_and_a_builder_computes_it_of_constants(node, dims):
    arrays = [abs(rand(*d)) for d in dims]
    keys = [node.inputs[i] for i in range(len(dims))]
    graph = Graph([*(nodes.Input(k, (), d) for k, d in zip(keys, dims, strict=True)), node], ["n"])
    exact = node.value(*arrays)
    assert np.array_equal(graph(*arrays), exact)
    builder = Builder("test")
    fields = {k: v for k, v in vars(node).items() if k not in ("name", "inputs")}
    found = builder.add(type(node), "n", [builder.constant(a) for a in arrays], **fields)
    assert found.is_constant and np.array_equal(found.array, exact)


def _chain(order):
    made = {
        "x": nodes.Input("x", (), (1, 3)),
        "a": nodes.Dense("a", ("x",), np.eye(3)),
        "b": nodes.Elementwise("b", ("a",), "relu"),
        "c": nodes.Add("c", ("a", "b")),
        "dead": nodes.Dense("dead", ("b",), np.eye(3)),
    }
    return Graph([made[key] for key in order], ["c"])


def test_nodes_come_in_any_order_and_dead_ones_go():
    names = [node.name for node in _chain(["x", "a", "b", "c"]).nodes]
    assert names == ["x", "a", "b", "c"]
    assert [node.name for node in _chain(["dead", "c", "b", "a", "x"]).nodes] == ["x", "a", "b", "c"]


def test_wrong_graphs_are_refused_by_name():
    x, a = nodes.Input("x", (), (1, 3)), nodes.Add("a", ("x", "b"))
    with pytest.raises(NetworkError, match="Node `a` of network takes `b`, which no node computes"):
        Graph([x, a], ["a"])
    with pytest.raises(NetworkError, match="depends on itself"):
        Graph([x, a, nodes.Add("b", ("a", "x"))], ["b"])
    with pytest.raises(NetworkError, match="two nodes called `x`"):
        Graph([x, x], ["x"])
    with pytest.raises(ShapeError, match=r"Node `d` \(dense\) of network: its weights \(2, 4\) need"):
        Graph([x, nodes.Dense("d", ("x",), np.ones((2, 4)))], ["d"])
    graph = Graph([x, nodes.Add("y", ("x", "x"))], ["y"])
    with pytest.raises(ShapeError, match=r"Input `x` of network is \(1, 3\), but an array is \(3,\)"):
        graph(np.ones(3))
    with pytest.raises(ShapeError, match="network takes x; 0 arrays were given"):
        graph()


def test_a_deep_graph_needs_no_recursion():
    deep = [
        nodes.Input("x", (), (1,)),
        *(nodes.Elementwise(f"{i}", (f"{i - 1}" if i else "x",), "relu") for i in range(5000)),
    ]
    assert Graph(reversed(deep), ["4999"]).nodes[-1].name == "4999"


def test_integers_are_exact_and_constants_are_nodes_only_where_used():
    b = Builder("test")
    x = b.input("x", (1, 4))
    sizes = b.add(nodes.Divide, "", [b.constant(np.array([7, -7])), b.constant(np.array([2]))])
    assert sizes.numbers() == [3, -3]
    token = b.constant(np.ones((1, 4), np.float32), "token")
    y = b.add(nodes.Add, "sum", [b.add(nodes.Add, "sum", [x, token]), token])
    graph = b.graph([y])
    assert [node.name for node in graph.nodes] == ["x", "token", "sum", "sum 2"]
    assert np.array_equal(graph(np.zeros((1, 4))), np.full((1, 4), 2.0))
    with pytest.raises(NetworkError, match="does not depend on its input"):
        b.graph([token])


def test_huge_constants_are_refused_before_they_are_made():
    b = Builder("test")
    with pytest.raises(NetworkError, match="takes too much memory"):
        b.add(nodes.Expand, "big", [b.constant(np.ones(1))], dims=(1 << 20, 1 << 20))
