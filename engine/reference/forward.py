"""A convolutional network in float64; and whether a run in float32 is right, node by node."""

from collections.abc import Iterator, Mapping

import numpy as np

from engine.network import nodes
from engine.network.convnet import ConvNet
from engine.network.memory_plan import taken
from engine.reference import convnet, convolve, elementwise, pool, reshape, softmax

value = convnet.forward
TWINS = {
    nodes.Convolution: convolve,
    nodes.Dense: convolve,
    nodes.Elementwise: elementwise,
    nodes.Add: elementwise,
    nodes.Multiply: elementwise,
    nodes.Concat: reshape,
    nodes.Flatten: reshape,
    nodes.Softmax: softmax,
    nodes.MaxPool: pool,
    nodes.AveragePool: pool,
    nodes.GlobalAveragePool: pool,
}


def steps(
    net: ConvNet, found: Mapping[str, np.ndarray], together: Mapping[str, str]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """What each step of a run should have computed from its actual inputs, whose own errors do not count.

    found      {name: (C, H, W) float32} of a run
    together   {name: the activation computed with it}, whose own outputs are not in found
    yields     (name, exact, bound): the node's float64 output for the inputs in found, and how far float32 may be

    Bounds over a whole network at once would be too wide to be of use: they grow 10 times a layer.
    """
    for node in net.nodes[1:]:
        if node.name not in together:
            source, names = taken(net, node, together)
            maps = [found[name] for name in names]
            after = {"activation": node.activation} if source is not node else {}
            twin = TWINS[type(source)]
            yield node.name, twin.value(source, *maps, **after), twin.bounds(source, *maps, **after)
