"""An attribution is weight times response, along every way back."""

import numpy as np
import pytest

from engine.analysis.vision.attribution import contributions
from engine.errors import NetworkError
from engine.network.convnet import ConvNet
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
    found = contributions(net, values, "c", place, {"x"}, most=10_000).found
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
    (only,) = contributions(net, values, "pool", (4, 1, 2), {"a", "b"}).found
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
    found = contributions(net, values, "d", (1, 0, 0), {"ra", "x"}, most=999).found
    assert {i.node for i in found} == {"ra"}
    # What a relu stops has moved nothing.
    assert all(values["ra"][i.channel, i.row, i.column] > 0 for i in found)
    through = contributions(net, values, "ra", (found[0].channel, found[0].row, found[0].column), {"x"}, most=999).found
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
    (only,) = contributions(net, values, "scaled", (2, 1, 0), {"a", "gate"}).found
    assert (only.node, only.channel, only.row, only.column, abs(only.share)) == ("a", 2, 1, 0, 1.0)
    assert only.amount == pytest.approx(values["scaled"][2, 1, 0])
    of_it, of_signal = (contributions(net, values, name, (2, 1, 0), {"x"}).found for name in ("scaled", "a"))
    assert [(i.channel, i.row, i.column) for i in of_it] == [(i.channel, i.row, i.column) for i in of_signal]
    assert [i.share for i in of_it] == pytest.approx([i.share for i in of_signal])
    # A gate's own neurons are moved as others are.
    assert {i.node for i in contributions(net, values, "gate", (1, 0, 0), {"a"}).found} == {"a"}


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
    found = contributions(net, values, "square", (1, 0, 1), {"a", "b"}).found
    assert {(i.node, i.channel, i.row, i.column) for i in found} == {("a", 1, 0, 1), ("b", 1, 0, 1)}
    assert [i.share for i in found] == pytest.approx([0.5, 0.5])
    (whole,) = contributions(net, values, "square", (1, 0, 1), {"product"}).found
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
    found = contributions(net, values, "d", (2, 0, 0), {"p"}, most=8).found
    terms = net.node("d").weights[2] * values["f"][:, 0, 0]
    wanted = (terms / abs(terms).sum()).reshape(2, 2, 2)
    for i in found:
        assert i.share == pytest.approx(wanted[i.channel, i.row, i.column])


def test_a_neuron_there_is_not_is_reported():
    net = ConvNet([nodes.Input("x", (), (1, 2, 4, 4)), conv("c", "x", 3, 2)])
    with pytest.raises(NetworkError, match=r"\(3, 2, 2\)"):
        contributions(net, {}, "c", (3, 0, 0), {"x"})


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
    for i in contributions(net, values, name, place, {net.input.name}, most=x.size).found:
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
    assert found == pytest.approx(wanted)


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
    found = contributions(net, values, "seen", (1, 2, 0), {"look", "v"}).found
    terms = values["look"][:, 2, 0] * values["v"][1, :, 0]
    assert {i.node for i in found} == {"v"} and {i.channel for i in found} == {1}
    for i in found:
        assert i.share == pytest.approx(terms[i.row] / abs(terms).sum())


def test_what_cannot_be_followed_is_said():
    net = ConvNet(
        [nodes.Input("x", (), (1, 3, 4)), nodes.Reduce("whole", ("x",), "product", (1,), False)], preprocess=False
    )
    values = responses(net, RNG.normal(size=(4, 3, 1)))
    with pytest.raises(NetworkError, match=r"cannot be followed through `whole` \(reduce\)"):
        contributions(net, values, "whole", (0, 0, 0), {"x"})


# Contributions and the offset are the neuron's sum, through whatever lies between; without biases nothing is left.
def unbiased(name, source, out, into, size=1, **more):
    return nodes.Convolution(
        name, (source,), RNG.normal(size=(out, into, size, size)), padding=(size // 2,) * 4, **more
    )


def dense(name, source, out, into):
    return nodes.Dense(name, (source,), RNG.normal(size=(out, into)))


def act(name, source, activation="gelu"):
    return nodes.Elementwise(name, (source,), activation)


ONES, ZEROS = np.ones(6), np.zeros(6)
SUMS = {
    "attention, layer norms and skips": [
        nodes.Input("x", (), (1, 5, 6)), nodes.Normalise("n", ("x",), RNG.normal(size=6), ZEROS, (-1,)),
        dense("q", "n", 4, 6), dense("k", "n", 4, 6), dense("v", "n", 6, 6), nodes.Transpose("kt", ("k",), (0, 2, 1)),
        nodes.MatMul("qk", ("q", "kt")), nodes.Softmax("a", ("qk",), -1), nodes.MatMul("seen", ("a", "v")),
        nodes.Add("s", ("x", "seen")), nodes.Normalise("m", ("s",), ONES, ZEROS, (-1,), centred=False),
        dense("h", "m", 8, 6), act("g", "h"), dense("o", "g", 6, 8), nodes.Add("y", ("s", "o")),
    ],
    "heads": [
        nodes.Input("x", (), (1, 4, 6)), dense("v", "x", 6, 6), nodes.Reshape("r", ("v",), (1, 4, 2, 3)),
        nodes.Transpose("t", ("r",), (0, 2, 1, 3)), nodes.Transpose("u", ("t",), (0, 1, 3, 2)),
        nodes.MatMul("qk", ("t", "u")), nodes.Softmax("a", ("qk",), -1), nodes.MatMul("seen", ("a", "t")),
        nodes.Transpose("b", ("seen",), (0, 2, 1, 3)), nodes.Reshape("y", ("b",), (1, 4, 6)),
    ],
    "a skip past lower resolutions": [
        nodes.Input("x", (), (1, 3, 8, 8)), unbiased("c", "x", 4, 3, 3), act("g", "c", "silu"),
        nodes.AveragePool("p", ("g",), (3, 3), (2, 2), (1,) * 4), unbiased("d", "p", 4, 4, 3), act("r", "d", "relu"),
        nodes.TransposedConvolution("u", ("r",), RNG.normal(size=(4, 2, 2, 2)), None, (2, 2)),
        nodes.Resize("w", ("r",), abs(RNG.normal(size=(8, 4))), np.repeat(np.eye(4), 2, 0)),
        nodes.Concat("j", ("g", "u", "w")), unbiased("y", "j", 3, 10, 3),
    ],
    "gates, maxima and products": [
        nodes.Input("x", (), (1, 4, 6, 6)), unbiased("a", "x", 4, 4), nodes.MaxPool("m", ("a",), (2, 2), (2, 2)),
        nodes.Reduce("mean", ("m",), "mean", (2, 3)), unbiased("f", "mean", 4, 4), act("g", "f", "sigmoid"),
        nodes.Multiply("s", ("m", "g")), unbiased("b", "m", 4, 4), nodes.Multiply("p", ("s", "b")),
        nodes.Maximum("o", ("p", "s")), nodes.Subtract("i", ("o", "b")),
        nodes.Affine("z", ("i",), 2 * np.ones((4, 1, 1)), 0.0),
        nodes.Reduce("l", ("z",), "max", (2, 3), False), dense("y", "l", 3, 4),
    ],
    "a stride that adds to the output": [
        nodes.Input("x", (), (1, 2, 3, 3)),
        nodes.TransposedConvolution("y", ("x",), RNG.normal(size=(2, 3, 3, 3)), None, (2, 2), (1, 1, -1, -1)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("parts", SUMS.values(), ids=SUMS)
def test_contributions_add_up_to_the_neurons_value(parts):
    net = ConvNet(parts, preprocess=False)
    values = responses(net, RNG.normal(size=net.input_shape))
    for place in {(0, 0, 0), tuple(n - 1 for n in net.shapes["y"]), tuple(n // 2 for n in net.shapes["y"])}:
        for shown in ({"x"}, {"x", parts[len(parts) // 2].name}):
            found = contributions(net, values, "y", place, shown, most=10_000)
            assert found.sum == pytest.approx(values["y"][place], rel=1e-9)
            assert found.shown == pytest.approx(found.all, rel=1e-9, abs=1e-9)
            assert found.offset == pytest.approx(0.0, abs=1e-9 * max(1.0, abs(found.sum)))
            # A place that no weight reaches is made of nothing.
            assert sum(abs(i.share) for i in found.found) == pytest.approx(1.0 if found.sum else 0.0)


def test_what_is_no_neurons_is_the_offset():
    parts = [
        nodes.Input("x", (), (1, 3)), nodes.Dense("d", ("x",), RNG.normal(size=(4, 3)), RNG.normal(size=4)),
        nodes.Elementwise("s", ("d",), "sigmoid"),
        nodes.Dense("y", ("s",), RNG.normal(size=(2, 4)), RNG.normal(size=2)), nodes.Softmax("p", ("y",)),
    ]  # fmt: skip
    net = ConvNet(parts, preprocess=False)
    values = responses(net, RNG.normal(size=(3, 1, 1)))
    found = contributions(net, values, "p", (1, 0, 0), {"s"}, most=2)
    terms = net.node("y").weights[1] * values["s"][:, 0, 0]
    # A class is taken as its score.
    assert found.sum == pytest.approx(values["y"][1, 0, 0]) and found.all == pytest.approx(terms.sum())
    assert found.offset == pytest.approx(net.node("y").bias[1])
    assert found.shown == pytest.approx(sum(sorted(terms, key=abs)[-2:]))
    # Also where the probabilities are moved.
    moved = ConvNet([*parts, nodes.Reshape("r", ("p",), (1, 2, 1, 1))], preprocess=False)
    assert vars(contributions(moved, values, "r", (1, 0, 0), {"s", "r"}, most=2)) == vars(found)
    whole = contributions(net, values, "y", (1, 0, 0), {"x"})
    # Without an input each sigmoid is 1/2.
    slopes = (values["s"][:, 0, 0] - 0.5) / values["d"][:, 0, 0]
    rest = net.node("y").weights[1] @ (0.5 + slopes * net.node("d").bias)
    assert whole.offset == pytest.approx(rest + net.node("y").bias[1])


def test_a_sum_that_was_not_kept_is_made_again_where_it_is_needed():
    parts = SUMS["a skip past lower resolutions"]
    net = ConvNet(parts)
    values = responses(net, RNG.normal(size=net.input_shape))
    kept = {name: v for name, v in values.items() if name not in ("c", "d")}
    every, some = (contributions(net, v, "y", (1, 4, 4), {"x"}) for v in (values, kept))
    assert some.offset == pytest.approx(every.offset, abs=1e-9)
    assert [i.amount for i in some.found] == pytest.approx([i.amount for i in every.found])
