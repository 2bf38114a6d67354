"""Rules for quantised networks, which are read as the ones that they stand for.

Every whole number of such a file stands for scale (number - zero point), and that is what a Value here holds.
Weights are dequantised; rounding is left out; where the zero point is the least number of its type, values below it
cannot be, and a relu, which converters leave out for that reason, is put back.
"""

from __future__ import annotations

import numpy as np

from engine.formats.onnx.node import OnnxNode, Rules
from engine.formats.onnx.rules.dense import product
from engine.formats.onnx.rules.windows import convolved
from engine.network.graph import nodes
from engine.network.graph.builder import Value


def _spread(node: OnnxNode, array: np.ndarray, dims: tuple[int, ...], axis: int) -> np.ndarray:
    """A scale or zero point as one that is broadcast to dims: of all, along an axis, or in blocks along one."""
    block = node.number("block_size", 0)
    if array.ndim == len(dims) and block:
        return np.repeat(array, block, axis=axis)[tuple(slice(n) for n in dims)]
    if array.size == 1:
        return array.reshape(())
    if array.ndim != 1 or array.size != dims[axis]:
        raise node.refusal(f"its scale is {array.shape} for {dims}")
    return array.reshape(-1, *[1] * (len(dims) - axis - 1))


def dequantised(node: OnnxNode, i: int, axis: int | None = None) -> Value:
    """Input i, whose scale and zero point are the next two inputs."""
    x, scale, zero = node.need(i), node.need(i + 1), node.input(i + 2)
    if x.array is None:
        return x
    at = node.axis(1, x.rank) if axis is None and x.rank > 1 else axis or 0
    factor = _spread(node, node.array(i + 1, "scale"), x.dims, at)
    point = 0 if zero is None else _spread(node, node.array(i + 2, "zero point"), x.dims, at).astype(np.float32)
    if scale.is_constant and x.array.dtype.kind in "iu":
        node.scope.reading.dequantised.add(x.label or node.label)
    node.fits(x.dims)
    # Exact, but for one rounding to float32.
    return node.constant((x.array.astype(np.float32) - point) * factor.astype(np.float32), x.label)


def _quantised(node: OnnxNode, x: Value, i: int) -> Value:
    """x as it is after quantising with a scale and a zero point, inputs i and i + 1; rounding is left out."""
    point = node.input(i + 1)
    if x.array is not None and point is not None and point.array is not None:
        return x
    if point is None or point.array is None or point.array.dtype.kind not in "iu" or not point.array.size:
        # Without a zero point the type is uint8, and its least number is 0.
        unsigned = point is None and not node.number("output_dtype", 0)
        return node.activated(x, "relu", part="relu") if unsigned else x
    if np.all(point.array == np.iinfo(point.array.dtype).min):
        return node.activated(x, "relu", part="relu")
    return x


def _quantise(node):
    return _quantised(node, node.x, 1)


def _dequantise(node):
    return dequantised(node, 0)


def _dynamic(node):
    # Numbers stay what they are: scale 1, zero point 0.
    return node.x, node.constant(np.float32(1)), node.constant(np.int8(0))


def _integers(node: OnnxNode, i: int, zero: int, axis: int = 0) -> Value:
    """An input of whole numbers less its zero point, which is input `zero`; values of floats stay."""
    x, point = node.need(i), node.input(zero)
    if x.array is None:
        return x
    shift = 0 if point is None else _spread(node, node.array(zero, "zero point"), x.dims, axis).astype(np.float32)
    node.scope.reading.dequantised.add(x.label or node.label)
    node.fits(x.dims)
    return node.constant(x.array.astype(np.float32) - shift, x.label)


def _matmul_integer(node):
    b = node.need(1)
    return product(node, _integers(node, 0, 2), _integers(node, 1, 3, max(b.rank - 1, 0)))


def _conv_integer(node):
    weights = _integers(node, 1, 3).array
    if weights is None:
        raise node.refusal("its weights are computed from the network's input; constant ones can be read")
    return convolved(node, weights.reshape(*weights.shape[:2], 1, -1) if weights.ndim == 3 else weights, None)


def _linear_matmul(node):
    b = node.need(3)
    y = product(node, dequantised(node, 0, 0), dequantised(node, 3, max(b.rank - 1, 0)))
    return _quantised(node, y, 6)


def _linear_conv(node):
    weights = dequantised(node, 3, 0).array
    if weights is None:
        raise node.refusal("its weights are computed from the network's input; constant ones can be read")
    bias = None
    if node.input(8) is not None:
        bias = node.array(8, "biases") * node.array(1, "scale").astype(float) * node.array(4, "scale").reshape(-1)
    y = convolved(node, weights.reshape(*weights.shape[:2], 1, -1) if weights.ndim == 3 else weights, bias)
    return _quantised(node, y, 6)


def _joined(kind):
    """onnxruntime's sums and products of two quantised inputs."""

    def rule(node):
        return _quantised(node, node.add(kind, dequantised(node, 0), dequantised(node, 3)), 6)

    return rule


def _linear_pool(node):
    y = node.add(nodes.Reduce, dequantised(node, 0), function="mean", axes=tuple(range(2, node.x.rank)), keep=True)
    return _quantised(node, y, 3)


QUANTISED: Rules = {
    "QuantizeLinear": _quantise, "DequantizeLinear": _dequantise, "DynamicQuantizeLinear": _dynamic,
    "MatMulInteger": _matmul_integer, "ConvInteger": _conv_integer, "QLinearMatMul": _linear_matmul,
    "QLinearConv": _linear_conv,
}  # fmt: skip

LINEAR: Rules = {
    "QLinearAdd": _joined(nodes.Add), "QLinearMul": _joined(nodes.Multiply), "QLinearGlobalAveragePool": _linear_pool,
    "QuantizeLinear": _quantise, "DequantizeLinear": _dequantise,
}  # fmt: skip
