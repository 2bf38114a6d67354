"""What an output is taken to be follows from the graph and the shape; what is not evident is values."""

import numpy as np
import pytest

from engine.analysis.vision.outputs import KINDS, between, output_kind, takes_code, with_probabilities
from engine.errors import NetworkError
from engine.network.convnet import ConvNet
from engine.network.graph import nodes
from engine.reference.forward import value as responses


def conv(out, into=3, source="x"):
    return nodes.Convolution("c", (source,), np.ones((out, into, 1, 1)))


def act(name, source="c"):
    return nodes.Elementwise("end", (source,), name)


def image(*steps, size=(1, 3, 8, 8), **more):
    return ConvNet([nodes.Input("x", (), size), *steps], **more)


def vector(*steps, out=4, **more):
    flat = nodes.Reshape("flat", ("x",), (1, 192)), nodes.Dense("d", ("flat",), np.ones((out, 192)))
    return image(*flat, *steps, **more)


def code(*steps):
    return ConvNet([nodes.Input("x", (), (1, 5, 1, 1)), *steps])


SPREAD = nodes.TransposedConvolution("c", ("x",), np.ones((5, 3, 4, 4)))
KNOWN = {
    "a softmax": (vector(nodes.Softmax("p", ("d",))), "classes"),
    "named scores": (vector(classes=("a", "b", "c", "d")), "classes"),
    "scores of nobody knows what": (vector(), "values"),
    "one number": (vector(out=1), "values"),
    "an embedding of named channels that a relu ends": (vector(act("relu", "d"), classes=tuple("abcd")), "values"),
    "an autoencoder": (image(conv(3), act("sigmoid")), "picture"),
    "a linear one": (image(conv(3)), "picture"),
    "a larger picture": (image(nodes.Resize("c", ("x",), np.ones((16, 8)), np.ones((16, 8)))), "picture"),
    "a generator": (code(SPREAD, act("tanh")), "picture"),
    "a segmenter": (image(conv(4)), "labels"),
    "one of probabilities": (image(conv(3), nodes.Softmax("p", ("c",), 1)), "labels"),
    "a softmax of one channel over places": (image(conv(1), nodes.Softmax("p", ("c",), 3)), "map"),
    "a mask": (image(conv(1), act("sigmoid")), "map"),
    "features": (image(conv(4), act("relu")), "values"),
    "many features": (image(conv(200)), "values"),
    "a coarse map of features": (
        image(nodes.Convolution("c", ("x",), np.ones((4, 3, 8, 8)), stride=(8, 8)), size=(1, 3, 80, 80)), "labels"),
    "a coarser one": (
        image(nodes.AveragePool("p", ("x",), (16, 16), (16, 16)), nodes.Convolution("c", ("p",), np.ones((4, 3, 1, 1))),
              size=(1, 3, 64, 64)), "values"),
    "tokens": (ConvNet([nodes.Input("x", (), (1, 5, 3)), nodes.Dense("d", ("x",), np.ones((4, 3)))]), "values"),
}  # fmt: skip


@pytest.mark.parametrize(("net", "wanted"), KNOWN.values(), ids=KNOWN)
def test_an_output_is_what_its_graph_and_shape_tell(net, wanted):
    found = output_kind(net)
    assert found.kind == wanted and found.why


def test_what_a_person_says_counts_where_the_shape_allows_it():
    assert output_kind(vector(), "classes").kind == "classes"
    assert output_kind(image(conv(4)), "values").kind == "values"
    with pytest.raises(NetworkError, match="it takes a vector of two or more numbers; network gives 4 x 8 x 8"):
        output_kind(image(conv(4)), "classes")
    shapes = {"classes": (4, 1, 1), "picture": (3, 2, 2), "labels": (2, 2, 2), "map": (1, 2, 2), "values": (1, 1, 1)}
    assert set(shapes) == set(KINDS) and all(KINDS[kind][1](*shape) for kind, shape in shapes.items())


def test_the_range_is_that_of_the_last_node_which_computes():
    assert between(code(SPREAD, act("tanh"), nodes.Reshape("r", ("end",), (1, 3, 16)))) == (-1.0, 1.0)
    assert between(image(conv(3), act("sigmoid"))) == (0.0, 1.0) and between(image(conv(3))) is None
    assert takes_code(code(SPREAD)) and not takes_code(image(conv(1)))


SCORES = [
    nodes.Reshape("flat", ("x",), (1, 192)),
    nodes.Dense("d", ("flat",), np.random.default_rng(2).normal(size=(4, 192)) / 9),
]
ENDS = {
    "scores": [],
    "a softmax": [nodes.Softmax("s", ("d",))],
    "a log softmax": [nodes.Softmax("s", ("d",), log=True)],
    "a softmax in another shape": [nodes.Softmax("s", ("d",)), nodes.Reshape("y", ("s",), (1, 4, 1, 1))],
    "a log softmax in another shape": [nodes.Softmax("s", ("d",), log=True), nodes.Reshape("y", ("s",), (4,))],
    "scores of a node called as the softmax is": [nodes.Elementwise("prob", ("d",), "identity")],
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_probabilities_are_the_softmax_of_the_scores_once(end):
    net = with_probabilities(image(*SCORES, *end))
    found = responses(net, np.random.default_rng(0).normal(size=(3, 8, 8)))
    e = np.exp(found["d"] - found["d"].max())
    assert found[net.output.name].ravel() == pytest.approx((e / e.sum()).ravel())
    assert with_probabilities(net) is net and output_kind(net).kind == "classes"


def test_one_number_is_no_class():
    assert with_probabilities(vector(out=1)).output.name == "d"
