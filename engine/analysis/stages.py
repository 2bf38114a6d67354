"""Which nodes of a convolutional network are shown, what they are called, and which only gate others."""

import re
from collections import Counter
from collections.abc import Sequence

from engine.network.convnet import ConvNet
from engine.network.graph import nodes as kinds

# The nodes by which SqueezeNet 1.0 is shown; its other maps are as large as their neighbours.
SQUEEZENET = ("pool1", "fire2", "fire3", "fire4", "fire6", "fire8", "fire9", "conv10", "pool10")
# Caffe2's suffix of a name that several steps write to: `conv10_2` is what a step made of `conv10_1`.
VERSION = re.compile(r"_\d+$")
# What exporters and authors add to the name of an activation or a join; with a number, where a module has several.
SUFFIX = re.compile(r"(?<=.)(([/._](relu\d*|concat|add|mul|act\d*|clip)|[/.]\w*pool)([ _]\d+)?)+$", re.I)
PREFIX = re.compile(r"^(.*/)?relu_(?=.)")


def stages(net: ConvNet) -> tuple[str, ...]:
    """Names of the nodes that end a stage of the network, in order; the last node is one.

    These are joined maps, sums (after their activation) and averages of whole maps. Before the first of them, and in a
    network without them, each activation that every path goes through, or the pool that is its only user. Nodes that
    only gate, as in squeeze-and-excitation, end no stage.
    """
    gates = gating(net)
    steps = [node for node in net.nodes if node.name not in gates]
    joins = [node for node in steps if _joins(net, node)]
    after = behind(net, joins[0].name) if joins else set()
    chosen: list[str] = []
    for node in steps:
        taken = net.taken(node)
        if not taken:
            continue
        before, users = net.node(taken[0]), _users(net, node.name, gates)
        if isinstance(node, kinds.Elementwise):
            opens = joins and isinstance(joins[0], kinds.Concat) and len(users) > 1  # it belongs to the block it opens
            plain = node.name not in after and not opens and not is_passed_by(net, node.name)
            wanted = (_joins(net, before) and isinstance(before, kinds.Add)) or plain
        elif isinstance(node, kinds.MaxPool | kinds.AveragePool):
            alone = len(_users(net, before.name, gates)) == 1
            wanted = node.name not in after and chosen[-1:] == [before.name] and alone
            if wanted:
                chosen.pop()
        elif _joins(net, node):
            wanted = not (len(users) == 1 and isinstance(users[0], kinds.Elementwise))
        else:
            wanted = _is_of_all_places(net, node)
        if wanted or node is net.output:
            chosen.append(node.name)
    return tuple(chosen)


def _joins(net, node):
    """Whether a node joins or adds what depends on the image; the parts of one map in another order are no join."""
    taken = [net.node(key) for key in net.taken(node)]
    is_one = all(isinstance(part, kinds.Slice) for part in taken) and len({part.inputs for part in taken}) == 1
    return isinstance(node, kinds.Concat | kinds.Add) and len(taken) > 1 and not is_one


def _is_of_all_places(net, node):
    """Whether a node makes one number of each channel of a map."""
    (own, *_), before = net.shapes[node.name], net.shapes[net.taken(node)[0]]
    return isinstance(node, kinds.Reduce) and net.shapes[node.name][1:] == (1, 1) != before[1:] and own == before[0]


def _users(net, name, gates):
    return [node for node in net.consumers(name) if node.name not in gates]


def behind(net: ConvNet, name: str) -> set[str]:
    """Names of all nodes that depend on a node, itself included."""
    found = {name}
    for node in net.nodes:
        if found.intersection(node.inputs):
            found.add(node.name)
    return found


def is_passed_by(net: ConvNet, name: str) -> bool:
    """True if some path from the input to the output does not go through the node."""
    found = {net.nodes[0].name}
    for node in net.nodes[1:]:
        if node.name != name and found.intersection(node.inputs):
            found.add(node.name)
    return net.output.name in found


def squeezenet_blocks(net: ConvNet) -> tuple[str, ...]:
    """The blocks by which SqueezeNet is shown, for a network that has nodes of those names; else its stages."""
    named = {called(VERSION.sub("", name)): name for name in net.shapes}  # the last of several versions
    found = [named[name] for name in SQUEEZENET if name in named]
    is_whole = len(found) == len(SQUEEZENET) and net.output.name not in found
    return (*found, net.output.name) if is_whole else stages(net)


def called(name: str) -> str:
    """A node's name without the suffix or prefix of an activation or a join: `fire2` of `fire2/concat`."""
    shorter = SUFFIX.sub("", name)
    return shorter if shorter != name else PREFIX.sub(r"\1", name)


def all_called(names: Sequence[str]) -> tuple[str, ...]:
    """A name for each node: the short one of `called`, without a folder that most are in, where that is unique."""
    short = [called(name) for name in names]
    folders = Counter(name.partition("/")[0] for name in short if "/" in name)
    for folder, count in folders.most_common(1):
        if count > len(names) / 2:
            short = [name.removeprefix(f"{folder}/") for name in short]
    counts = Counter(short)
    return tuple(s if counts[s] == 1 else name for s, name in zip(short, names, strict=True))


GATES = ("sigmoid", "hard_sigmoid", "clipped_relu(1)")  # their values are between 0 and 1


def gate(net: ConvNet, node: kinds.Multiply) -> int | None:
    """Which input of a Multiply is a gate, 0 or 1; None if neither or both are.

    A gate is a vector that scales a map's channels; of two equal shapes, the output of a softmax or one of GATES.
    """
    shapes = [net.shapes.get(key, ()) for key in node.inputs]
    which = [i for i in (0, 1) if shapes[i][1:] == (1, 1) and shapes[1 - i] not in (shapes[i], ())]
    if which:
        return which[0]
    is_gate = [_is_between_0_and_1(net.node(key)) for key in node.inputs]
    return is_gate.index(True) if sum(is_gate) == 1 else None


def gating(net: ConvNet) -> set[str]:
    """Names of the nodes that do nothing but gate: every path from them to the output leads through a gate."""
    signal = {net.output.name}
    for node in reversed(net.nodes):
        if node.name in signal:
            which = gate(net, node) if isinstance(node, kinds.Multiply) else None
            signal.update(key for i, key in enumerate(node.inputs) if i != which)
    return {node.name for node in net.nodes} - signal


def _is_between_0_and_1(node):
    return isinstance(node, kinds.Softmax) or (isinstance(node, kinds.Elementwise) and str(node.activation) in GATES)
