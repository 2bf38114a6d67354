"""Which nodes of a network are computed together, and which outputs lie in a joined map."""

from math import prod

import numpy as np
import pytest

from engine.network.convnet import ConvNet
from engine.network.graph.nodes import Add, Concat, Convolution, Elementwise, Input, MaxPool, Multiply
from engine.network.memory_plan import fused, homes, joined, taken

IMAGE = Input("image", (), (1, 4, 5, 5))


def conv(name, before, outputs=4, inputs=4):
    return Convolution(name, (before,), np.zeros((outputs, inputs, 1, 1)))


def relu(name, before):
    return Elementwise(name, (before,), "relu")


def net(*nodes):
    return ConvNet([IMAGE, *nodes], preprocess=False)


def test_sums_are_fused_with_the_one_activation_that_takes_them():
    simple = net(conv("a", "image"), relu("r", "a"))
    assert fused(simple) == {"a": "r"}
    assert taken(simple, simple.node("r"), fused(simple)) == (simple.node("a"), ("image",))


def test_sums_that_are_wanted_or_taken_by_others_are_not_fused():
    shared = net(conv("a", "image"), relu("r", "a"), Add("sum", ("a", "r")))
    assert fused(shared) == {}
    assert fused(net(conv("a", "image"), relu("r", "a")), ["a"]) == {}
    assert fused(net(Multiply("product", ("image", "image")), relu("r", "product"))) == {"product": "r"}
    # The largest number of a pool is computed by no sum.
    assert fused(net(MaxPool("p", ("image",), (2, 2), (1, 1)), relu("r", "p"))) == {}


def test_an_activation_that_is_not_a_sum_s_keeps_its_own_input():
    two = net(conv("a", "image"), relu("r", "a"), relu("s", "r"))
    assert fused(two) == {"a": "r"}
    assert taken(two, two.node("s"), fused(two)) == (two.node("s"), ("r",))


def test_joined_maps_hold_what_they_join_at_whole_groups_of_four():
    fire = net(conv("a", "image", 8), conv("b", "image", 5), Concat("join", ("a", "b")))
    assert homes(fire, {}) == {"image": ("image", 0), "a": ("join", 0), "b": ("join", 8), "join": ("join", 0)}
    assert list(joined(fire, fire.node("join"))) == [("a", 0), ("b", 8)]


def test_what_ends_within_a_group_of_four_lies_by_itself_unless_it_is_last():
    # The next one's channels would stand where zeros are to be.
    odd = net(conv("a", "image", 5), conv("b", "image", 3), conv("c", "image", 2), Concat("join", ("a", "b", "c")))
    assert homes(odd, {}) == {n: (n, 0) for n in ("image", "a", "b", "join")} | {"c": ("join", 8)}


def test_what_a_later_map_joins_too_is_a_part_of_it():
    def dense(odd=4, order=("a", "b")):
        first = (conv("a", "image", 8), conv("b", "image", odd), Concat("two", order))
        return net(*first, conv("c", "two", 4, 8 + odd), conv("d", "c"), Concat("three", ("a", "b", "d")))

    assert homes(dense(), {})["two"] == ("three", 0)
    # What is written beside what is read, in one array, is not; nor another order, nor one that ends within a group.
    direct = net(conv("a", "image", 8), conv("b", "image"), Concat("two", ("a", "b")), conv("c", "two", 4, 12))
    beside = net(*direct.nodes[1:], Concat("three", ("a", "b", "c")))
    assert homes(beside, {})["two"] == ("two", 0)
    assert homes(dense(order=("b", "a")), {})["two"] == homes(dense(odd=3), {})["two"] == ("two", 0)


def test_joined_maps_of_joined_maps_are_one():
    nested = net(
        conv("a", "image"),
        conv("b", "image"),
        Concat("inner", ("a", "b")),
        conv("c", "image"),
        Concat("outer", ("c", "inner")),
    )
    found = homes(nested, {})
    assert found["c"] == ("outer", 0) and found["inner"] == ("outer", 4)
    assert found["a"] == ("outer", 4) and found["b"] == ("outer", 8)


def test_the_same_map_twice_is_kept_once_by_itself():
    twice = net(conv("a", "image"), Concat("join", ("a", "a")))
    assert homes(twice, {})["a"] == ("a", 0)


@pytest.mark.parametrize("dense", [False, True])
def test_no_step_reads_the_array_it_writes(dense):
    # Each convolution sees all before it, as in DenseNet: it may not be written into what it reads.
    steps, names, width = [], ["image"], 4
    for i in range(4):
        before = names[-1] if len(names) == 1 or not dense else f"join{i}"
        if before.startswith("join"):
            steps.append(Concat(before, tuple(names)))
        steps.append(conv(f"c{i}", before, 4, width if dense else 4))
        names.append(f"c{i}")
        width += 4
    steps.append(Concat("all", tuple(names)))
    graph = net(*steps)
    found = homes(graph, {})
    for node in graph.nodes[1:]:
        if not isinstance(node, Concat):
            assert found[node.name][0] not in {found[key][0] for key in node.inputs}
    # And no two outputs that are not joined share channels.
    for name, (owner, first) in found.items():
        assert first >= 0 and first + graph.shapes[name][0] <= graph.shapes[owner][0]
        assert prod(graph.shapes[name][1:]) == prod(graph.shapes[owner][1:])
