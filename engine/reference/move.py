"""Numbers moved to other places: float32 is exact."""

import numpy as np

from engine.network.graph.nodes import GraphNode
from engine.reference import node as twin

value = twin.value


def bounds(node: GraphNode, *arrays: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`."""
    # What a Pad fills in is rounded.
    return abs(value(node, *arrays)) * 2.0**-24 * (getattr(node, "filling", 0) != 0)
