"""Which nodes stand for a network: joins, sums, each layer of a chain; and which do nothing but gate others."""

from dataclasses import replace

import numpy as np
import pytest

from engine.analysis.stages import all_called, behind, called, gate, gating, is_passed_by, squeezenet_blocks, stages
from engine.network.convnet import ConvNet
from engine.network.graph import nodes


def conv(name, source, out=4, into=4, size=1):
    padding = (size // 2,) * 4
    return nodes.Convolution(name, (source,), np.ones((out, into, size, size)), padding=padding)


def relu(name, source):
    return nodes.Elementwise(name, (source,), "relu")


def pool(name, source):
    return nodes.MaxPool(name, (source,), (2, 2), (2, 2))


CHAIN = ConvNet(
    [
        nodes.Input("x", (), (1, 3, 8, 8)),
        conv("c1", "x", 4, 3, 3), relu("r1", "c1"), pool("p1", "r1"),
        conv("c2", "p1", 5, 4, 3), relu("r2", "c2"),
        conv("c3", "r2", 5, 5, 3), relu("r3", "c3"), pool("p3", "r3"),
        nodes.Reshape("f", ("p3",), (1, 20)), nodes.Dense("d1", ("f",), np.ones((7, 20))), relu("rd", "d1"),
        nodes.Dense("d2", ("rd",), np.ones((3, 7))), nodes.Softmax("prob", ("d2",)),
    ]
)  # fmt: skip
RESIDUAL = ConvNet(
    [
        nodes.Input("x", (), (1, 3, 8, 8)),
        conv("c1", "x", 4, 3), relu("r1", "c1"),
        conv("a1", "r1", 4, 4), relu("ra1", "a1"), conv("b1", "ra1", 4, 4),
        nodes.Add("s1", ("b1", "r1")), relu("o1", "s1"),
        conv("a2", "o1", 4, 4), relu("ra2", "a2"), conv("b2", "ra2", 4, 4), nodes.Add("s2", ("b2", "o1")),
        nodes.Reduce("mean", ("s2",), "mean", (2, 3)), nodes.Reshape("f", ("mean",), (1, 4)),
        nodes.Dense("d", ("f",), np.ones((3, 4))),
    ]
)  # fmt: skip


def squeeze_and_excite(source, channels):
    """The nodes of a gate on a map, the last `<source>/scaled`."""
    mean, a, ra, b, gate = (f"{source}/{part}" for part in ("mean", "fc1", "relu", "fc2", "gate"))
    return [
        nodes.Reduce(mean, (source,), "mean", (2, 3)),
        conv(a, mean, 2, channels), relu(ra, a), conv(b, ra, channels, 2),
        nodes.Elementwise(gate, (b,), "sigmoid"), nodes.Multiply(f"{source}/scaled", (gate, source)),
    ]  # fmt: skip


def fire(number, source, into):
    s, a, b = (f"fire{number}/{part}" for part in ("squeeze", "left", "right"))
    return [
        conv(s, source, 2, into), relu(f"{s}/relu", s),
        conv(a, f"{s}/relu", 3, 2), conv(b, f"{s}/relu", 3, 2, 3), nodes.Concat(f"fire{number}/concat", (a, b)),
    ]  # fmt: skip


def squeezed(*numbers, last=True):
    parts, source, into = (
        [nodes.Input("x", (), (1, 3, 8, 8)), conv("conv1", "x", 4, 3), relu("relu_conv1", "conv1")],
        "pool1",
        4,
    )
    parts.append(pool("pool1", "relu_conv1"))
    for number in numbers:
        parts += fire(number, source, into)
        source, into = f"fire{number}/concat", 6
    if last:
        parts += [conv("conv10", source, 5, into), relu("relu_conv10", "conv10")]
        parts += [nodes.Reduce("pool10", ("relu_conv10",), "mean", (2, 3)), nodes.Softmax("prob", ("pool10",))]
    return ConvNet(parts)


def test_a_chain_is_its_activations_or_the_pools_that_take_them_alone():
    assert stages(CHAIN) == ("p1", "r2", "p3", "rd", "prob")


def test_a_residual_network_is_its_sums_after_their_activations():
    assert stages(RESIDUAL) == ("r1", "o1", "s2", "mean", "d")


def test_what_gates_is_no_stage_and_changes_none():
    # As in MobileNetV3: before the first sum an activation is gated, within a block another.
    net = ConvNet(
        [
            nodes.Input("x", (), (1, 3, 8, 8)),
            conv("c1", "x", 4, 3), relu("r1", "c1"), *squeeze_and_excite("r1", 4), conv("c2", "r1/scaled", 4, 4),
            conv("a", "c2", 6, 4), relu("ra", "a"), *squeeze_and_excite("ra", 6), conv("b", "ra/scaled", 4, 6),
            nodes.Add("sum", ("b", "c2")), conv("c3", "sum", 5, 4), relu("r3", "c3"),
            nodes.Reduce("mean", ("r3",), "mean", (2, 3)),
            nodes.Reshape("f", ("mean",), (1, 5)), nodes.Dense("d", ("f",), np.ones((3, 5))),
        ]
    )  # fmt: skip
    assert stages(net) == ("r1", "sum", "mean", "d")
    # Without sums, a gated activation is followed by the pool that takes what became of it.
    chain = ConvNet([*CHAIN.nodes[:3], *squeeze_and_excite("r1", 4), *(
        replace(n, inputs=("r1/scaled",)) if n.name == "p1" else n for n in CHAIN.nodes[3:]
    )])  # fmt: skip
    assert stages(chain) == ("r1", "r2", "p3", "rd", "prob")


def test_a_squeezenet_is_its_joined_maps_and_its_first_pool():
    assert stages(squeezed(2, 3)) == ("pool1", "fire2/concat", "fire3/concat", "pool10", "prob")


def test_the_last_node_is_always_a_stage():
    for net in (CHAIN, RESIDUAL, squeezed(2, last=False)):
        assert stages(net)[-1] == net.output.name


def test_a_squeezenet_is_shown_by_the_originals_blocks_and_others_by_their_stages():
    whole = squeezed(*range(2, 10))
    assert squeezenet_blocks(whole) == (
        "pool1", "fire2/concat", "fire3/concat", "fire4/concat", "fire6/concat", "fire8/concat", "fire9/concat",
        "relu_conv10", "pool10", "prob",
    )  # fmt: skip
    for net in (CHAIN, RESIDUAL, squeezed(2, 3)):
        assert squeezenet_blocks(net) == stages(net)


def test_a_squeezenet_by_caffes_names_has_the_same_blocks():
    whole = squeezed(*range(2, 10))
    steps = {"relu_conv1": "conv1_2", "relu_conv10": "conv10_2", "prob": "softmaxout_1"}
    steps |= {f"fire{k}/squeeze/relu": f"fire{k}/squeeze_2" for k in range(2, 10)}
    names = {n.name: steps.get(n.name, f"{n.name}_1") for n in whole.nodes}
    net = ConvNet([replace(n, name=names[n.name], inputs=tuple(names[k] for k in n.inputs)) for n in whole.nodes])
    assert squeezenet_blocks(net) == tuple(names[name] for name in squeezenet_blocks(whole))
    assert all_called(squeezenet_blocks(net))[1:3] == ("fire2", "fire3")


def test_a_node_is_passed_by_where_a_way_leads_around_it():
    assert is_passed_by(RESIDUAL, "a1") and not is_passed_by(RESIDUAL, "o1") and not is_passed_by(CHAIN, "c2")
    assert behind(RESIDUAL, "s2") == {"s2", "mean", "f", "d"}


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("fire2/concat", "fire2"),
        ("relu_conv10", "conv10"),
        ("a/relu", "a"),
        ("stage1.0/relu 2", "stage1.0"),
        ("layer1.0/add", "layer1.0"),
        ("se/mul 2", "se"),
        ("layer1.0/act3/Relu", "layer1.0"),
        ("maxpool/MaxPool", "maxpool"),
        ("global_pool/pool/GlobalAveragePool", "global_pool"),
        ("blocks.1/Concat", "blocks.1"),
        ("relu_", "relu_"),
        ("fire2/relu_left", "fire2/left"),
        ("/relu", "/relu"),
        ("prob", "prob"),
    ],
)
def test_a_name_is_shown_without_what_every_activation_has(name, short):
    assert called(name) == short


def test_names_that_would_be_alike_stay_whole():
    assert all_called(["conv", "relu_conv", "fire2/concat"]) == ("conv", "relu_conv", "fire2")


def test_a_folder_that_most_nodes_are_in_is_not_named():
    names = ["features/a/Concat", "features/b/Relu", "features/c", "prob"]
    assert all_called(names) == ("a", "b", "c", "prob")
    assert all_called([*names, "d", "e", "f"]) == ("features/a", "features/b", "features/c", "prob", "d", "e", "f")


def net(*parts, size=(4, 3, 3)):
    return ConvNet([nodes.Input("x", (), (1, *size)), *parts])


@pytest.mark.parametrize("size", [(4, 3, 3), (4, 1, 1)])
@pytest.mark.parametrize("order", [("x", "gate"), ("gate", "x")])
def test_what_squeezes_and_excites_is_the_gate_however_small_the_map(order, size):
    parts = [
        nodes.Reduce("mean", ("x",), "mean", (2, 3)),
        conv("fc", "mean"),
        nodes.Elementwise("gate", ("fc",), "hard_sigmoid"),
    ]
    made = net(*parts, nodes.Multiply("scaled", order), conv("last", "scaled"), size=size)
    assert order[gate(made, made.node("scaled"))] == "gate"
    assert gating(made) == {"mean", "fc", "gate"}


def test_a_vector_is_the_gate_of_a_map_whatever_it_is():
    made = net(nodes.Reduce("mean", ("x",), "mean", (2, 3)), nodes.Multiply("scaled", ("mean", "x")))
    assert gate(made, made.node("scaled")) == 0


@pytest.mark.parametrize("made_by", [
    nodes.Elementwise("gate", ("c",), "sigmoid"), nodes.Elementwise("gate", ("c",), "clipped_relu(1)"),
    nodes.Softmax("gate", ("c",)),
], ids=lambda node: node.kind)  # fmt: skip
def test_of_equal_maps_the_one_between_0_and_1_is_the_gate(made_by):
    made = net(conv("c", "x"), made_by, nodes.Multiply("y", ("x", "gate")))
    assert gate(made, made.node("y")) == 1 and gating(made) == {"c", "gate"}


def test_of_factors_alike_none_is_the_gate():
    for kind in ("tanh", "relu", "clipped_relu(6)"):
        made = net(conv("c", "x"), nodes.Elementwise("other", ("c",), kind), nodes.Multiply("y", ("x", "other")))
        assert gate(made, made.node("y")) is None and gating(made) == set()
    both = net(
        nodes.Elementwise("a", ("x",), "sigmoid"),
        conv("c", "x"),
        nodes.Elementwise("b", ("c",), "sigmoid"),
        nodes.Multiply("y", "ab"),
    )
    assert gate(both, both.node("y")) is None
    assert gate(both, nodes.Multiply("square", ("a", "a"))) is None


def test_what_is_also_seen_otherwise_does_more_than_gate():
    parts = [conv("c", "x"), nodes.Elementwise("gate", ("c",), "sigmoid"), nodes.Multiply("scaled", ("x", "gate"))]
    assert gating(net(*parts, nodes.Add("sum", ("scaled", "c")))) == {"gate"}


def test_the_parts_of_one_map_in_another_order_are_no_join():
    cut = lambda name, start, count: nodes.Slice(name, ("r1",), (0, 0, start, 0), (1, 4, count, 8), (1,) * 4)
    rolled = [
        *RESIDUAL.nodes[:3],
        cut("lower", 3, 5),
        cut("upper", 0, 3),
        nodes.Concat("rolled", ("lower", "upper"), 2),
    ]
    both = [*rolled, conv("b", "rolled"), nodes.Add("s", ("b", "r1"))]
    assert "rolled" not in stages(ConvNet(both)) and stages(ConvNet(both))[-1] == "s"
