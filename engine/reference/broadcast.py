"""Functions of numbers at the same place of several arrays in float64; and how far float32 may be from them."""

import numpy as np

from engine.network.activations import Activation
from engine.network.graph import nodes
from engine.reference import node as twin
from engine.reference.convolve import lifted
from engine.reference.field import LEAST, UNIT

value = twin.value
# Rounding errors of each function, in units of its result; others are exact.
ROUNDINGS = {
    nodes.Add: 1, nodes.Subtract: 1, nodes.Multiply: 1, nodes.Prelu: 1,
    nodes.Divide: 3,  # WGSL lets a quotient be off by 2.5 ulp
}  # fmt: skip


def bounds(node: nodes.GraphNode, *arrays: np.ndarray, activation: Activation | None = None) -> np.ndarray:
    """How far float32 may be from `value`; the arrays are exact in float32."""
    if isinstance(node, nodes.Elementwise):
        z = np.asarray(arrays[0], float)
        return lifted(node.activation, z, 0 * z)
    z = value(node, *arrays)
    # A product may be too small for float32 where its factors are not.
    with np.errstate(invalid="ignore"):  # of what is infinite
        error = ROUNDINGS.get(type(node), 0) * (UNIT * abs(z) + LEAST)
    if isinstance(node, nodes.Affine):
        x = np.asarray(arrays[0], float)
        error = 3 * UNIT * (abs(node.scale * x) + abs(node.shift)) + LEAST
    if isinstance(node, nodes.Power):
        # exp2(b log2(a)): 3 + 2 |x| ulp of the first, 3 of the second or 2^-21 near 1 (WGSL, 15.7.4.1).
        a, b = (abs(np.asarray(x, float)) for x in arrays)
        exponent = b * abs(np.log2(np.where(a > 0, a, 1.0)))
        with np.errstate(invalid="ignore"):  # of what is infinite
            error = (8 + 8 * exponent + 16 * b) * UNIT * abs(z) + LEAST
    return error if activation is None else lifted(activation, z, error)
