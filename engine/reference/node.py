"""The output of any node of a graph, in float64: the twin of most kernels of networks of images."""

import numpy as np
from numpy.typing import ArrayLike

from engine.network.activations import Activation
from engine.network.graph.nodes import GraphNode


def value(node: GraphNode, *arrays: ArrayLike, activation: Activation | None = None) -> np.ndarray:
    """A node's output for its inputs, of whole shapes, then an activation if one is given; float64."""
    with np.errstate(all="ignore"):  # what is not finite is seen in the result
        z = node.value(*(np.asarray(x, float) for x in arrays))
        return np.asarray(z if activation is None else activation.value(z), float)
