"""An attribution is weight times response, along every way back."""

import numpy as np
import pytest

from engine.analysis.vision.attribution import attributions
from engine.errors import NetworkError
from engine.network.convnet import MOVING, ConvNet
from engine.network.graph import nodes
from engine.reference.forward import value as responses

RNG = np.random.default_rng(5)


def conv(name, source, out, into, size=3, **more):
    return nodes.Convolution(name, (source,), RNG.normal(size=(out, into, size, size)), RNG.normal(size=out), **more)


@pytest.mark.parametrize(
    "more", [{}, {"stride": (2, 1), "padding": (1, 0, 1, 2)}, {"dilation": (2, 2)}, {"groups": 2, "stride": (1, 2)}]
)
def test_a_convolution_shares_out_by_weight_times_response(more):
    into = 4 // more.get("groups", 1)
    net = ConvNet(
        [nodes.Input("x", (), (1, 4, 7, 8)), conv("c", "x", 6, into, **more), nodes.Elementwise("r", ("c",), "relu")]
    )
    image = RNG.normal(size=(4, 7, 8))
    values = responses(net, image)
    place = (5, 1, 1)
    found = attributions(net, values, "c", place, {"x"}, most=10_000)
    # Without one input the sum is less by its weight times its response.
    whole = sum(abs(values["c"][place] - responses(net, _without(image, i))["c"][place]) for i in found[:5])
    ratios = [(values["c"][place] - responses(net, _without(image, i))["c"][place]) / i.share for i in found[:5]]
    assert ratios == pytest.approx([ratios[0]] * 5, rel=1e-6) and whole > 0
    assert sum(abs(i.share) for i in found) == pytest.approx(1.0)
    assert [abs(i.share) for i in found] == sorted((abs(i.share) for i in found), reverse=True)


def _without(image, influence):
    image = image.copy()
    image[influence.channel, influence.row, influence.column] = 0.0
    return image


def test_a_maximum_is_its_largest_inputs_and_a_concat_is_its_parts():
    net = ConvNet(
        [
            nodes.Input("x", (), (1, 2, 6, 6)),
            conv("a", "x", 3, 2, 1),
            conv("b", "x", 2, 2, 1),
            nodes.Concat("both", ("a", "b")),
            nodes.MaxPool("pool", ("both",), (2, 2), (2, 2)),
        ]
    )
    values = responses(net, RNG.normal(size=(2, 6, 6)))
    (only,) = attributions(net, values, "pool", (4, 1, 2), {"a", "b"})
    window = values["b"][1, 2:4, 4:6]
    row, column = np.unravel_index(window.argmax(), (2, 2))
    assert (only.node, only.channel, only.row, only.column, only.share) == ("b", 1, 2 + row, 4 + column, 1.0)


def test_each_way_back_ends_at_the_first_node_that_is_shown():
    net = ConvNet(
        [
            nodes.Input("x", (), (1, 2, 5, 5)),
            conv("a", "x", 3, 2),
            nodes.Elementwise("ra", ("a",), "relu"),
            conv("b", "ra", 2, 3, 1),
            nodes.Add("sum", ("b", "b")),
            nodes.Reduce("mean", ("sum",), "mean", (2, 3), False),
            nodes.Dense("d", ("mean",), RNG.normal(size=(4, 2))),
        ]
    )
    values = responses(net, abs(RNG.normal(size=(2, 5, 5))))
    found = attributions(net, values, "d", (1, 0, 0), {"ra", "x"}, most=999)
    assert {i.node for i in found} == {"ra"}
    # What a relu stops has moved nothing.
    assert all(values["ra"][i.channel, i.row, i.column] > 0 for i in found)
    through = attributions(net, values, "ra", (found[0].channel, found[0].row, found[0].column), {"x"}, most=999)
    assert {i.node for i in through} == {"x"} and sum(abs(i.share) for i in through) == pytest.approx(1.0)


@pytest.mark.parametrize("order", [("a", "gate"), ("gate", "a")])
def test_a_gated_map_has_all_of_what_its_signal_has_and_the_gate_nothing(order):
    parts = [
        nodes.Input("x", (), (1, 2, 5, 5)),
        conv("a", "x", 3, 2),
        nodes.Reduce("mean", ("a",), "mean", (2, 3)),
        conv("fc", "mean", 3, 3, 1),
        nodes.Elementwise("gate", ("fc",), "sigmoid"),
        nodes.Multiply("scaled", order),
    ]
    net = ConvNet(parts)
    values = responses(net, RNG.normal(size=(2, 5, 5)))
    (only,) = attributions(net, values, "scaled", (2, 1, 0), {"a", "gate"})
    assert (only.node, only.channel, only.row, only.column, only.share) == ("a", 2, 1, 0, 1.0)
    assert attributions(net, values, "scaled", (2, 1, 0), {"x"}) == attributions(net, values, "a", (2, 1, 0), {"x"})
    # A gate's own neurons are moved as others are.
    assert {i.node for i in attributions(net, values, "gate", (1, 0, 0), {"a"})} == {"a"}


def test_of_factors_that_are_no_gates_each_has_half():
    net = ConvNet(
        [
            nodes.Input("x", (), (1, 2, 4, 4)),
            conv("a", "x", 3, 2),
            conv("b", "x", 3, 2),
            nodes.Multiply("product", ("a", "b")),
            nodes.Multiply("square", ("product", "product")),
        ]
    )
    values = responses(net, RNG.normal(size=(2, 4, 4)))
    found = attributions(net, values, "square", (1, 0, 1), {"a", "b"})
    assert [(i.node, i.channel, i.row, i.column, i.share) for i in found] == [("a", 1, 0, 1, 0.5), ("b", 1, 0, 1, 0.5)]
    (whole,) = attributions(net, values, "square", (1, 0, 1), {"product"})
    assert whole.share == 1.0


def test_a_vector_knows_the_map_it_was_made_of():
    net = ConvNet(
        [
            nodes.Input("x", (), (1, 2, 4, 4)),
            nodes.AveragePool("p", ("x",), (2, 2), (2, 2)),
            nodes.Reshape("f", ("p",), (1, 8)),
            nodes.Dense("d", ("f",), RNG.normal(size=(3, 8))),
        ]
    )
    values = responses(net, RNG.normal(size=(2, 4, 4)))
    found = attributions(net, values, "d", (2, 0, 0), {"p"}, most=8)
    terms = net.node("d").weights[2] * values["f"][:, 0, 0]
    wanted = (terms / abs(terms).sum()).reshape(2, 2, 2)
    for i in found:
        assert i.share == pytest.approx(wanted[i.channel, i.row, i.column])


def test_a_neuron_there_is_not_is_reported():
    net = ConvNet([nodes.Input("x", (), (1, 2, 4, 4)), conv("c", "x", 3, 2)])
    with pytest.raises(NetworkError, match=r"\(3, 2, 2\)"):
        attributions(net, {}, "c", (3, 0, 0), {"x"})


# Through any linear node the shares are weight times response: weights found by pushing each input by itself.
def linear(net, name, place):
    """(the shares of the input's numbers) of a node that is linear in it, without bias."""
    x = RNG.normal(size=net.input_shape)
    values = responses(net, x)
    weights = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        one = np.zeros(x.shape)
        one[at] = 1
        weights[at] = responses(net, one)[name][place]
    found = np.zeros(x.shape)
    for i in attributions(net, values, name, place, {net.input.name}, most=x.size):
        found[i.channel, i.row, i.column] = i.share
    terms = weights * x
    return found, terms / abs(terms).sum()


LINEAR = {
    "resized": (nodes.Resize("y", ("x",), np.abs(RNG.normal(size=(5, 3))), np.eye(4)), (1, 2, 3, 4), (1, 4, 2)),
    "spread": (nodes.TransposedConvolution("y", ("x",), RNG.normal(size=(2, 3, 3, 2)), None, (2, 1), (1, 0, 0, 0)),
               (1, 2, 3, 4), (2, 3, 1)),
    "spread in groups": (
        nodes.TransposedConvolution("y", ("x",), RNG.normal(size=(4, 2, 2, 2)), None, (2, 2), groups=2),
        (1, 4, 2, 2), (3, 1, 2)),
    "turned": (nodes.Transpose("y", ("x",), (0, 2, 1)), (1, 5, 3), (4, 2, 0)),
    "cut": (nodes.Slice("y", ("x",), (0, 3), (1, 2), (1, -2)), (1, 5), (1, 0, 0)),
    "padded": (nodes.Pad("y", ("x",), (0, 0, 1, 1), (0, 0, 0, 2), 0.0, "edge"), (1, 2, 3, 4), (1, 0, 0)),
    "tokens": (nodes.Dense("y", ("x",), RNG.normal(size=(4, 3))), (1, 5, 3), (2, 4, 0)),
    "the mean of tokens": (nodes.Reduce("y", ("x",), "mean", (1,), False), (1, 5, 3), (2, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize(("node", "shape", "place"), LINEAR.values(), ids=LINEAR)
def test_through_a_linear_node_shares_are_weight_times_response(node, shape, place):
    net = ConvNet([nodes.Input("x", (), shape), node], preprocess=False)
    found, wanted = linear(net, "y", place)
    # What only moves is the number itself, of either sign.
    assert found == pytest.approx(abs(wanted) if isinstance(node, MOVING) else wanted)


def test_attention_gives_all_to_what_is_looked_at():
    net = ConvNet(
        [
            nodes.Input("x", (), (1, 5, 3)),
            nodes.Dense("k", ("x",), RNG.normal(size=(5, 3))),
            nodes.Softmax("look", ("k",), -1),
            nodes.Dense("v", ("x",), RNG.normal(size=(4, 3))),
            nodes.MatMul("seen", ("look", "v")),
        ],
        preprocess=False,
    )
    values = responses(net, RNG.normal(size=(3, 5, 1)))
    found = attributions(net, values, "seen", (1, 2, 0), {"look", "v"})
    terms = values["look"][:, 2, 0] * values["v"][1, :, 0]
    assert {i.node for i in found} == {"v"} and {i.channel for i in found} == {1}
    for i in found:
        assert i.share == pytest.approx(terms[i.row] / abs(terms).sum())


def test_what_cannot_be_followed_is_said():
    net = ConvNet(
        [nodes.Input("x", (), (1, 3, 4)), nodes.Reduce("largest", ("x",), "max", (1,), False)], preprocess=False
    )
    values = responses(net, RNG.normal(size=(4, 3, 1)))
    with pytest.raises(NetworkError, match=r"cannot be followed through `largest` \(reduce\)"):
        attributions(net, values, "largest", (0, 0, 0), {"x"})
