"""Which part of a product is its signal, and which the gate that only weighs it."""

from engine.network import nodes as kinds

GATES = ("sigmoid", "hard_sigmoid", "clipped_relu(1)")  # their values are between 0 and 1


def gate(net, node):
    """Which input of a Multiply weighs the other: 0 or 1; None if neither does more than the other.

    A vector that scales a map's channels is one; of two equal shapes, a sigmoid's, its likes' or a softmax's output.
    """
    which = node.scales(*(net.shapes[key] for key in node.inputs))
    if which is not None:
        return which
    is_gate = [_is_between_0_and_1(net.node(key)) for key in node.inputs]
    return is_gate.index(True) if sum(is_gate) == 1 else None


def gating(net):
    """Names of the nodes that do nothing but gate: every way from them to the output leads through a gate."""
    signal = {net.output.name}
    for node in reversed(net.nodes):
        if node.name in signal:
            which = gate(net, node) if isinstance(node, kinds.Multiply) else None
            signal.update(key for i, key in enumerate(node.inputs) if i != which)
    return {node.name for node in net.nodes} - signal


def _is_between_0_and_1(node):
    return isinstance(node, kinds.Softmax) or (isinstance(node, kinds.Elementwise) and str(node.activation) in GATES)
