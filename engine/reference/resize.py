"""Maps of another size in float64; and how far float32 may be from them."""

from dataclasses import replace

import numpy as np

from engine.network.graph.nodes import Resize
from engine.reference import node as twin
from engine.reference.field import LEAST, UNIT

value = twin.value


def bounds(node: Resize, x: np.ndarray) -> np.ndarray:
    """How far float32 may be from `value`; x is exact in float32."""
    count = max(np.count_nonzero(node.rows, axis=1).max(initial=0) + np.count_nonzero(node.columns, axis=1).max(), 1)
    return (count + 4) * UNIT * twin.value(
        replace(node, rows=abs(node.rows), columns=abs(node.columns)), abs(x)
    ) + LEAST
