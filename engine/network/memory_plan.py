"""Where the outputs of a network's nodes are stored: which nodes are computed together, which share an array."""

from collections.abc import Container, Iterator, Mapping

from engine.network.convnet import ConvNet
from engine.network.graph import nodes

# Nodes after which an activation can be computed in one step.
SUMMING = nodes.Convolution | nodes.Dense | nodes.Add | nodes.Multiply | nodes.Affine


def fused(net: ConvNet, keep: Container[str] = ()) -> dict[str, str]:
    """{name: the activation after it} of nodes computed together with their activation, whose sums are not stored.

    These are SUMMING nodes with an activation as only consumer, except outputs and those in `keep`.
    """
    found = {}
    for node in net.nodes:
        after = net.graph.sole_consumer(node)
        if isinstance(node, SUMMING) and node.name not in keep and isinstance(after, nodes.Elementwise):
            found[node.name] = after.name
    return found


def taken(net: ConvNet, node: nodes.GraphNode, together: Mapping[str, str]) -> tuple[nodes.GraphNode, tuple[str, ...]]:
    """(node, names of its inputs) that is computed at a node: for a fused activation, the node before it."""
    before = net.node(node.inputs[0]) if isinstance(node, nodes.Elementwise) else None
    if before is not None and before.name in together:
        return before, before.inputs
    return node, node.inputs


def homes(net: ConvNet, together: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """{name: (owner, channel)}: the node in whose array an output is stored, and its first channel there.

    An input of a Concat of channels is stored in the Concat's array if it begins and ends at a multiple of four
    channels (or ends with the last), unless a step would then read and write the same array. Fused sums are not stored.
    """
    apart = {net.input.name}
    while True:
        found = _homes(net, together, apart)
        clashes = set(_clashes(net, together, found))
        if not clashes:
            return found
        apart |= clashes


def joins_channels(net: ConvNet, node: nodes.GraphNode) -> bool:
    """Whether a node is a Concat of the channels of maps that lie alike."""
    if not isinstance(node, nodes.Concat) or any(key not in net.shapes for key in node.inputs):
        return False
    rank, last = len(net.graph.dims[node.name]), net.last[node.name]
    alike = all(net.last[key] == last and net.shapes[key][1:] == net.shapes[node.name][1:] for key in node.inputs)
    return alike and node.axis % rank == (rank - 1 if last else rank - 3)


def _homes(net, together, apart):
    found: dict[str, tuple[str, int]] = {}
    for node in reversed(net.nodes):
        if node.name in together:
            continue
        joins = joins_channels(net, node)
        if joins and not {node.name} & (found.keys() | apart) and found.keys() >= set(node.inputs):
            # One that joins what a later one joins too, in the same order, is a part of it.
            begins = {(found[key][0], found[key][1] - channel) for key, channel in joined(net, node)}
            if len(begins) == 1:
                found[node.name] = begins.pop()
        owner, first = found.setdefault(node.name, (node.name, 0))
        if not joins:
            continue
        channels = net.shapes[node.name][0]
        for key, channel in joined(net, node):
            end = channel + net.shapes[key][0]
            # Otherwise its last vec4f would hold channels of the next input where zeros must be.
            whole = channel % 4 == 0 and (end % 4 == 0 or end == channels)
            if whole and key not in apart and key not in found:
                found[key] = (owner, first + channel)
    return found


def _clashes(net, together, found):
    """Names of nodes that are read by a step that writes the same array."""
    for node in net.nodes[1:]:
        if node.name in together:
            continue
        owner, first = found[node.name]
        if joins_channels(net, node):
            sources = [key for key, channel in joined(net, node) if found[key] != (owner, first + channel)]
        else:
            sources = [key for key in taken(net, node, together)[1] if key in net.shapes]
        yield from (key for key in sources if found[key][0] == owner)


def joined(net: ConvNet, node: nodes.GraphNode) -> Iterator[tuple[str, int]]:
    """(name, first channel) of each of a Concat's inputs."""
    channel = 0
    for key in node.inputs:
        yield key, channel
        channel += net.shapes[key][0]
