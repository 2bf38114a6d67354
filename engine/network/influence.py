"""Which neurons moved a neuron of a convolutional network: weight times response, from layer to layer backwards."""

from dataclasses import dataclass

import numpy as np

from engine.errors import NetworkError
from engine.network import nodes as kinds

# Neurons followed at a time: past them each has a share that no line shows.
FOLLOWED = 512


@dataclass(frozen=True)
class Influence:
    """A neuron that moved another.

    node, channel, row, column   which
    share                        of what moved it, from -1 to 1: below 0 it held it back
    """

    node: str
    channel: int
    row: int
    column: int
    share: float


def influences(net, responses, node, place, shown, *, most=24):
    """The neurons of `shown` nodes that moved a neuron most, the strongest first: a list of Influence.

    net         ConvNet
    responses   {name: (C, H, W)} of all nodes at an image
    node        name of the node the neuron is in
    place       (channel, row, column)
    shown       names of nodes; each way back ends at the first of them
    most        how many

    A weighted sum shares out by weight times response, over the sum of their sizes; the bias has no share. A maximum is
    its largest input's, an activation's share passes to its sum. Shares along several ways add up.
    Raises NetworkError for a neuron there is not.
    """
    start = net.node(node)
    if not all(0 <= p < n for p, n in zip(place, net.shapes[start.name], strict=True)):
        raise NetworkError(f"Node `{start.name}` of {net.name} is {net.shapes[start.name]}; it has no {tuple(place)}.")
    waiting = {start.name: {tuple(int(p) for p in place): 1.0}}
    found = []
    for at in reversed(net.nodes):
        moved = waiting.pop(at.name, None)
        if moved is None:
            continue
        strongest = sorted(moved.items(), key=lambda item: (-abs(item[1]), item[0]))[:FOLLOWED]
        if at is not start and (at.name in shown or isinstance(at, kinds.Input)):
            if at.name in shown:
                found += [Influence(at.name, *where, share) for where, share in strongest]
            continue
        for where, share in strongest:
            for key, (channel, row, column), part in _parts(net, responses, at, where):
                into = waiting.setdefault(key, {})
                neuron = int(channel), int(row), int(column)
                into[neuron] = into.get(neuron, 0.0) + share * float(part)
    found.sort(key=lambda i: (-abs(i.share), i.node, i.channel, i.row, i.column))
    return found[:most]


def _parts(net, responses, node, place):
    """(input's name, its neuron, part) of what moved a neuron; the sizes of the parts add up to 1."""
    channel, row, column = place
    key = node.inputs[0]
    # What only an activation lies behind may not be kept; nothing here asks for it.
    x = responses.get(key)
    if isinstance(node, kinds.Convolution):
        return _of_sum(key, *_window_terms(node, x, place))
    if isinstance(node, kinds.Dense):
        return _of_sum(key, node.weights[channel].reshape(x.shape) * x, (0, 0, 0))
    if isinstance(node, kinds.Concat):
        for name in node.inputs:
            if channel < net.shapes[name][0]:
                return [(name, (channel, row, column), 1.0)]
            channel -= net.shapes[name][0]
    if isinstance(node, kinds.Add):
        terms = np.array([responses[name][place] for name in node.inputs])
        whole = abs(terms).sum()
        return [(n, place, t / whole) for n, t in zip(node.inputs, terms, strict=True)] if whole else []
    if isinstance(node, kinds.Flatten):
        return [(key, np.unravel_index(channel, x.shape), 1.0)]
    if isinstance(node, kinds.GlobalAveragePool):
        return _of_sum(key, x[channel : channel + 1], (channel, 0, 0))
    if isinstance(node, kinds.MaxPool | kinds.AveragePool):
        spans = [w.span(p, p, n) for w, p, n in zip(node.windows(), (row, column), x.shape[1:], strict=True)]
        (top, bottom), (left, right) = spans
        seen = x[channel : channel + 1, top:bottom, left:right]
        if isinstance(node, kinds.AveragePool):
            return _of_sum(key, seen, (channel, top, left))
        at = np.unravel_index(int(np.argmax(seen)), seen.shape)
        return [(key, (channel, top + at[1], left + at[2]), 1.0)]
    # An activation, a softmax: each from its own sum, above all.
    return [(key, place, 1.0)]


def _window_terms(node, x, place):
    """(weight times input over the window that a neuron sees, the input's neuron that its first term is of)."""
    channel, row, column = place
    inside, taken = [], []
    for window, at, length in zip(node.windows(), (row, column), x.shape[1:], strict=True):
        places = at * window.stride - window.before + window.dilation * np.arange(window.size)
        good = (places >= 0) & (places < length)
        inside.append(places[good])
        taken.append(np.flatnonzero(good))
    group = channel // (len(node.weights) // node.groups)
    first = group * node.weights.shape[1]
    channels = np.arange(first, first + node.weights.shape[1])
    terms = node.weights[channel][np.ix_(np.arange(len(channels)), *taken)] * x[np.ix_(channels, *inside)]
    return terms, (channels, *inside)


def _of_sum(key, terms, places):
    whole = abs(terms).sum()
    if not whole:
        return []
    # The strongest alone: a window of 512 channels has thousands of terms.
    flat = terms.ravel()
    order = np.argsort(-abs(flat), kind="stable")[:FOLLOWED]
    index = np.unravel_index(order[flat[order] != 0], terms.shape)
    if all(np.ndim(p) for p in places):
        where = [p[i] for p, i in zip(places, index, strict=True)]
    else:
        where = [p + i for p, i in zip(places, index, strict=True)]
    return [(key, at, part) for *at, part in zip(*where, terms[index] / whole, strict=True)]
