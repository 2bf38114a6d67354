"""Where the outputs of a network's nodes are stored: which nodes are computed together, which share an array."""

from collections.abc import Container, Iterator, Mapping

from engine.network import nodes
from engine.network.convnet import ConvNet


def fused(net: ConvNet, keep: Container[str] = ()) -> dict[str, str]:
    """{name: the activation after it} of nodes computed together with their activation, whose sums are not stored.

    These are Convolution, Dense, Add and Multiply nodes with an activation as only consumer, except those in `keep`.
    """
    found = {}
    summing = nodes.Convolution | nodes.Dense | nodes.Add | nodes.Multiply
    for node in net.nodes:
        after = net.consumers(node.name)
        sums = isinstance(node, summing) and node.name not in keep
        if sums and len(after) == 1 and isinstance(after[0], nodes.Elementwise):
            found[node.name] = after[0].name
    return found


def taken(net: ConvNet, node: nodes.GraphNode, together: Mapping[str, str]) -> tuple[nodes.GraphNode, tuple[str, ...]]:
    """(node, names of its inputs) that is computed at a node: for a fused activation, the node before it."""
    before = net.node(node.inputs[0]) if isinstance(node, nodes.Elementwise) else None
    if before is not None and before.name in together:
        return before, before.inputs
    return node, node.inputs


def homes(net: ConvNet, together: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """{name: (owner, channel)}: the node in whose array an output is stored, and its first channel there.

    An input of a Concat is stored in the Concat's array if it begins and ends at a multiple of four channels (or ends
    with the last), unless a step would then read and write the same array. Fused sums are not stored.
    """
    apart = {net.nodes[0].name}
    while True:
        found = _homes(net, together, apart)
        clashes = set(_clashes(net, together, found))
        if not clashes:
            return found
        apart |= clashes


def _homes(net, together, apart):
    found: dict[str, tuple[str, int]] = {}
    for node in reversed(net.nodes):
        if node.name in together:
            continue
        owner, first = found.setdefault(node.name, (node.name, 0))
        if not isinstance(node, nodes.Concat):
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
        if isinstance(node, nodes.Concat):
            sources = [key for key, channel in joined(net, node) if found[key] != (owner, first + channel)]
        else:
            sources = list(taken(net, node, together)[1])
        yield from (key for key in sources if found[key][0] == owner)


def joined(net: ConvNet, node: nodes.Concat) -> Iterator[tuple[str, int]]:
    """(name, first channel) of each of a Concat's inputs."""
    channel = 0
    for key in node.inputs:
        yield key, channel
        channel += net.shapes[key][0]
