"""Resolutions of a network: the skips that pass lower ones by, as a U-Net's, and the blocks that then stand for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.analysis.stages import gating, stages
from engine.network.convnet import MOVING, ConvNet
from engine.network.graph import nodes as kinds

# Nodes that change a map's resolution.
SLIDING = kinds.Convolution | kinds.TransposedConvolution | kinds.Pool | kinds.Resize
# With fewer blocks than this a network is shown by its stages, too.
FEW = 6


@dataclass(frozen=True)
class Skip:
    """A way from a node past lower resolutions to a join at its own: names of the source and of the join."""

    source: str
    join: str


def area(net: ConvNet, name: str) -> int:
    """Rows times columns of a node's map."""
    _, rows, columns = net.shapes[name]
    return rows * columns


def long_skips(net: ConvNet) -> tuple[Skip, ...]:
    """The skips of a network: where a sum or concatenation takes a map past others of lower resolution.

    A gate, which is made of means, and what is pooled to one number, count as no resolution.
    """
    gates, found = gating(net), []
    for node in net.nodes:
        if not isinstance(node, kinds.Add | kinds.Concat) or len(net.taken(node)) < 2 or node.name in gates:
            continue
        for key in net.taken(node):
            source = _source(net, key, gates)
            others = set(net.taken(node)) - {key}
            if source is not None and others & _through_lower(net, source, area(net, node.name), gates):
                found.append(Skip(source, node.name))
    return tuple(found)


def _source(net, name, gates):
    """The nearest node, back along nodes with one input, that others take too; None if a join or the input is before.

    A node with nothing but a scale, norm or window before the join is passed, as a skip's own convolution.
    """
    while True:
        node = net.node(name)
        if len([user for user in net.consumers(name) if user.name not in gates]) > 1:
            return name
        before = net.taken(node)
        if len(before) != 1:
            return None
        name = before[0]


def _through_lower(net, source, size, gates):
    """Names of the nodes that depend on a source by a way through a map of less than `size` places."""
    on_way, low = {source}, set[str]()
    for node in net.nodes:
        if node.name in gates or not on_way.intersection(node.inputs):
            continue
        on_way.add(node.name)
        is_lower = isinstance(node, SLIDING) and 1 < area(net, node.name) < size
        if is_lower or low.intersection(node.inputs):
            low.add(node.name)
    return low


def u_blocks(net: ConvNet) -> tuple[str, ...]:
    """Names of the nodes by which a network with long skips is shown, in order; () for one without.

    These are the sources of skips, what is enlarged, the output and what it is made of; of few such, the stages too.
    """
    skips = long_skips(net)
    if not skips:
        return ()
    chosen = {skip.source for skip in skips} | {net.output.name}
    for node in net.nodes:
        for key in net.taken(node):
            if isinstance(node, SLIDING) and 1 < area(net, key) < area(net, node.name):
                chosen.add(_computed(net, key))
    # The last map before the scores of the output.
    scores = net.output
    while isinstance(scores, kinds.Softmax | kinds.Elementwise | MOVING) and net.taken(scores):
        scores = net.node(net.taken(scores)[0])
    chosen.update(key for key in net.taken(scores)[:1] if area(net, key) == area(net, net.output.name))
    if len(chosen) < FEW:
        chosen |= set(stages(net))
    return tuple(node.name for node in net.nodes[1:] if node.name in chosen)


def _computed(net, name):
    while isinstance(net.node(name), MOVING) and net.taken(net.node(name)):
        name = net.taken(net.node(name))[0]
    return name


def levels(net: ConvNet, names: Sequence[str]) -> tuple[int, ...]:
    """For each node its level: 0 for those of the most places, one more for each fewer number of places."""
    sizes = sorted({area(net, name) for name in names}, reverse=True)
    return tuple(sizes.index(area(net, name)) for name in names)


def joined(net: ConvNet, names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """(number of the source's block, of the join's) for each long skip among blocks; the join's is the next from it on.

    A skip whose source is no block begins at the block before it.
    """
    order = {node.name: i for i, node in enumerate(net.nodes)}
    places, found = [order[name] for name in names], set()
    for skip in long_skips(net):
        start = max((k for k, at in enumerate(places) if at <= order[skip.source]), default=None)
        end = min((k for k, at in enumerate(places) if at >= order[skip.join]), default=None)
        if start is not None and end is not None and start < end:
            found.add((start, end))
    return tuple(sorted(found))
