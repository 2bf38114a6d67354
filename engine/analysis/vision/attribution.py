"""Which neurons contributed to one of a network's: weight times response, backwards node by node."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.analysis.vision.backwards import ImageRun, Patch, parts, times
from engine.errors import NetworkError
from engine.network.convnet import MOVING, ConvNet
from engine.network.graph import nodes as kinds


@dataclass(frozen=True)
class Attribution:
    """A neuron's contribution to another neuron.

    node, channel, row, column   the contributing neuron
    share                        its part of the sizes of all contributions, from -1 to 1; below 0 it lowered the other
    amount                       the contribution itself, a part of the other's sum
    """

    node: str
    channel: int
    row: int
    column: int
    share: float
    amount: float


@dataclass(frozen=True, eq=False)
class Contributions:
    """What a neuron's sum is made of: sum = the amounts of all contributions + offset.

    found    the strongest Attributions, the strongest first
    sum      the neuron's value, or what its activation or softmax was taken of
    all      the sum of all contributions; of those found `shown`
    offset   what no neuron gives: biases, and the shifts of norms
    """

    found: list[Attribution]
    sum: float
    all: float
    offset: float

    @property
    def shown(self) -> float:
        return math.fsum(i.amount for i in self.found)


def contributions(
    net: ConvNet,
    responses: Mapping[str, np.ndarray],
    node: str,
    place: Sequence[int],
    shown: Container[str],
    *,
    most: int = 24,
) -> Contributions:
    """What the neurons of `shown` nodes contributed to one neuron; the strongest `most` of them by name.

    responses   {name: (C, H, W)} of all nodes at an image
    node        name of the node the neuron is in
    place       (channel, row, column)
    shown       names of nodes; each path back ends at the first of them

    A weighted sum gives each input its weight times its response. What is no sum is taken as one that it is at this
    image: an activation s of z as the factor (s(z) - s(0)) / z, which of a relu is 0 or 1 (the rescale rule from 0 of
    Shrikumar et al. 2017, "Learning important features through propagating activation differences"); a maximum as its
    largest input; a norm with its deviation as it is, as are attention's weights (Ali et al. 2022, "XAI for
    transformers"); a product of a gate and a signal as the signal times the gate (Arras et al. 2017, WASSA), and half
    to each of two factors that are no gates, see `stages.gate`. A neuron of a softmax is taken as what it is of, which
    is a sum; a softmax on the way as held. So contributions and the offset add up to the neuron's sum, whatever the
    path. Of norms over whole maps the mean is in the offset.

    Raises NetworkError for a neuron that does not exist, and for a node through which nothing can be followed.
    """
    start = net.node(node)
    if not all(0 <= p < n for p, n in zip(place, net.shapes[start.name], strict=True)):
        raise NetworkError(f"Node `{start.name}` of {net.name} is {net.shapes[start.name]}; it has no {tuple(place)}.")
    channel, row, column = (int(p) for p in place)
    own = np.zeros((net.shapes[start.name][0], 1, 1))
    own[channel] = 1.0
    run = ImageRun(net, responses)
    # A softmax is taken as its own input, also where its numbers are moved behind it.
    at, patch = start, Patch(own, row, column)
    while isinstance(at, kinds.Softmax | MOVING) and (at is start or at.name not in shown):
        before = parts(run, at, patch) if isinstance(at, MOVING) else [(key, patch) for key in net.taken(at)]
        if len(before) != 1:
            break
        ((key, patch),) = before
        at = net.node(key)
    waiting = {at.name: patch}
    whole = float(times(patch.values, patch.of(run.response(at.name))).sum())
    found: list[Attribution] = []
    total = sizes = 0.0
    for here in reversed(net.nodes):
        if here.name not in waiting:
            continue
        patch = waiting.pop(here.name)
        if (here is not start and here.name in shown) or isinstance(here, kinds.Input):
            amounts = times(patch.values, patch.of(run.response(here.name)))
            total, sizes = total + float(amounts.sum()), sizes + float(abs(amounts).sum())
            if here.name in shown:
                found += _strongest(here.name, amounts, patch, most)
        else:
            for key, part in parts(run, here, patch):
                waiting[key] = part.joined(waiting.get(key))
    found.sort(key=lambda i: (-abs(i.amount), i.node, i.channel, i.row, i.column))
    shares = [replace(i, share=i.amount / sizes) for i in found[:most]]
    return Contributions(shares, whole, total, whole - total)


def _strongest(name, amounts, patch, most):
    flat = amounts.ravel()
    order = np.argsort(-abs(flat), kind="stable")[:most]
    places = np.unravel_index(order[flat[order] != 0], amounts.shape)
    return [
        Attribution(name, int(c), int(y) + patch.top, int(x) + patch.left, 0.0, float(amounts[c, y, x]))
        for c, y, x in zip(*places, strict=True)
    ]
