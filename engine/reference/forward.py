"""A network of one image in float64; and whether a run in float32 is right, node by node."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import ShapeError
from engine.network.convnet import ConvNet
from engine.network.graph import nodes
from engine.network.graph.views import unviewed, viewed
from engine.network.memory_plan import taken
from engine.reference import broadcast, convolve, matmul, move, normalise, pool, reduce, resize, softmax

MOVES = (
    nodes.Reshape, nodes.Transpose, nodes.Slice, nodes.Concat, nodes.Expand, nodes.Gather, nodes.Pad
)  # fmt: skip
TWINS = {
    nodes.Weighted: convolve,
    nodes.Pool: pool,
    nodes.Reduce: reduce,
    nodes.Softmax: softmax,
    nodes.Normalise: normalise,
    nodes.LocalNormalise: normalise,
    nodes.MatMul: matmul,
    nodes.Resize: resize,
    **dict.fromkeys(MOVES, move),
    nodes.GraphNode: broadcast,
}


def value(net: ConvNet, image: ArrayLike) -> dict[str, np.ndarray]:
    """The responses of all nodes to an image. Raises ShapeError for an image of another shape.

    image    (C, H, W), as `net.preprocess` gives it
    returns  {node name: (C, H, W) float64}
    """
    x = np.asarray(image, float)
    if x.shape != net.input_shape:
        raise ShapeError(f"An image is {x.shape}, but {net} needs {net.input_shape}.")
    found = net.graph.evaluate(unviewed(x, net.input.size, net.last[net.input.name]))
    return {name: viewed(found[name], net.last[name]) for name in net.shapes}


def steps(
    net: ConvNet, found: Mapping[str, np.ndarray], together: Mapping[str, str]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """What each step of a run should have computed from its actual inputs, whose own errors do not count.

    found      {name: (C, H, W) float32} of a run
    together   {name: the activation computed with it}, whose own outputs are not in found
    yields     (name, exact, bound): the node's float64 output for the inputs in found, and how far float32 may be

    Bounds over a whole network at once would be too wide to be of use: they grow 10 times a layer.
    """

    def array(name):
        node = net.node(name)
        if isinstance(node, nodes.Constant):
            return node.array
        return unviewed(found[name], net.graph.dims[name], net.last[name])

    for node in net.nodes[1:]:
        if node.name not in together:
            source, names = taken(net, node, together)
            arrays = [array(name) for name in names]
            after = (
                {"activation": node.activation} if isinstance(node, nodes.Elementwise) and source is not node else {}
            )
            twin = next(TWINS[kind] for kind in type(source).__mro__ if kind in TWINS)
            both = twin.value(source, *arrays, **after), twin.bounds(source, *arrays, **after)
            exact, bound = (viewed(np.asarray(x), net.last[node.name]) for x in both)
            yield node.name, exact, bound
