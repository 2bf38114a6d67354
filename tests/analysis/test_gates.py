"""Which factor of a product is the gate, and which nodes do nothing but gate."""

import numpy as np
import pytest

from engine.analysis.gates import gate, gating
from engine.network.convnet import Add, ConvNet, Convolution, Elementwise, GlobalAveragePool, Input, Multiply, Softmax


def conv(name, source):
    return Convolution(name, (source,), np.ones((4, 4, 1, 1)))


def net(*nodes, size=(4, 3, 3)):
    return ConvNet([Input("x", (), size), *nodes])


@pytest.mark.parametrize("size", [(4, 3, 3), (4, 1, 1)])
@pytest.mark.parametrize("order", [("x", "gate"), ("gate", "x")])
def test_what_squeezes_and_excites_is_the_gate_however_small_the_map(order, size):
    nodes = [GlobalAveragePool("mean", ("x",)), conv("fc", "mean"), Elementwise("gate", ("fc",), "hard_sigmoid")]
    made = net(*nodes, Multiply("scaled", order), conv("last", "scaled"), size=size)
    assert order[gate(made, made.node("scaled"))] == "gate"
    assert gating(made) == {"mean", "fc", "gate"}


def test_a_vector_is_the_gate_of_a_map_whatever_it_is():
    made = net(GlobalAveragePool("mean", ("x",)), Multiply("scaled", ("mean", "x")))
    assert gate(made, made.node("scaled")) == 0


@pytest.mark.parametrize("made_by", [
    Elementwise("gate", ("c",), "sigmoid"), Elementwise("gate", ("c",), "clipped_relu(1)"), Softmax("gate", ("c",)),
], ids=lambda node: node.kind)  # fmt: skip
def test_of_equal_maps_the_one_between_0_and_1_is_the_gate(made_by):
    made = net(conv("c", "x"), made_by, Multiply("y", ("x", "gate")))
    assert gate(made, made.node("y")) == 1 and gating(made) == {"c", "gate"}


def test_of_factors_alike_none_is_the_gate():
    for kind in ("tanh", "relu", "clipped_relu(6)"):
        made = net(conv("c", "x"), Elementwise("other", ("c",), kind), Multiply("y", ("x", "other")))
        assert gate(made, made.node("y")) is None and gating(made) == set()
    both = net(
        Elementwise("a", ("x",), "sigmoid"), conv("c", "x"), Elementwise("b", ("c",), "sigmoid"), Multiply("y", "ab")
    )
    assert gate(both, both.node("y")) is None
    assert gate(both, Multiply("square", ("a", "a"))) is None


def test_what_is_also_seen_otherwise_does_more_than_gate():
    nodes = [conv("c", "x"), Elementwise("gate", ("c",), "sigmoid"), Multiply("scaled", ("x", "gate"))]
    assert gating(net(*nodes, Add("sum", ("scaled", "c")))) == {"gate"}
