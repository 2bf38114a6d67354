"""What each kind of ONNX node becomes in a convolutional network. A rule takes a OnnxNode and gives its first output.

An input of a rule is a Constant or a Wire; here and there a ChannelsLast or an Expanded, which few nodes take.
"""

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.convnet_activations import ACTIVATIONS, activated
from engine.formats.onnx.convnet_inputs import constant, wire
from engine.formats.onnx.convnet_shapes import SHAPES, joined
from engine.formats.onnx.graph import Constant, Rules
from engine.formats.sketch import TO_CHANNELS_FIRST, ChannelsLast, Expanded, Wire
from engine.network.nodes import (
    Add,
    AveragePool,
    Concat,
    Convolution,
    Dense,
    Elementwise,
    GlobalAveragePool,
    MaxPool,
    Multiply,
)

# Windows


def _pair(node, key, default):
    given = node.integers(key)
    if given is None:
        return default
    if len(given) != 2:
        raise node.refusal(f"its {key} are {short(given)}; two are accepted, images having two axes")
    return given


def _slide(node, x, size, dilation=(1, 1)):
    """(stride, padding) of a node with a window of this size."""
    stride = _pair(node, "strides", (1, 1))
    if min(stride) < 1 or min(dilation) < 1:
        raise node.refusal(f"its strides are {short(stride)} and dilations {short(dilation)}; they must be above 0")
    how = node.text("auto_pad", "NOTSET")
    if how in ("NOTSET", ""):
        pads = node.integers("pads") or (0, 0, 0, 0)
        if len(pads) != 4:
            raise node.refusal(f"its pads are {short(pads)}; four are accepted: top, left, bottom, right")
        return stride, pads
    if how == "VALID":
        return stride, (0, 0, 0, 0)
    if how not in ("SAME_UPPER", "SAME_LOWER"):
        raise node.refusal(f"auto_pad = {short(how)}; NOTSET, VALID, SAME_UPPER and SAME_LOWER are accepted")
    extents = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    lengths = x.dims[1:]
    spare = [
        max((-(-n // s) - 1) * s + e - n, 0) for n, s, e in zip(lengths, stride, extents, strict=True)
    ]  # so that ceil(n / s) places fit
    small, large = [n // 2 for n in spare], [n - n // 2 for n in spare]
    before, after = (small, large) if how == "SAME_UPPER" else (large, small)
    return stride, (*before, *after)


def _conv(node):
    x, weights = wire(node, map_=True), constant(node, 1, "weights", axes=4)
    bias, dilation = constant(node, 2, "biases", axes=1), _pair(node, "dilations", (1, 1))
    if weights is None:
        raise node.refusal("it has no weights")
    size = _pair(node, "kernel_shape", weights.shape[2:])
    if tuple(size) != weights.shape[2:]:
        raise node.refusal(f"its kernel_shape is {short(size)}, but its weights are {weights.shape}")
    stride, padding = _slide(node, x, size, dilation)
    groups = node.number("group", 1)
    return x.sketch.add(Convolution, node.label, [x], weights, bias, stride, padding, dilation, groups)


def _pool(kind):
    def rule(node):
        x = wire(node, map_=True)
        size = _pair(node, "kernel_shape", None)
        if size is None:
            raise node.refusal("it has no kernel_shape")
        if _pair(node, "dilations", (1, 1)) != (1, 1):
            raise node.refusal("its window is dilated; pools without gaps are accepted")
        stride, padding = _slide(node, x, size)
        more = {"include_padding": bool(node.number("count_include_pad", 0))} if kind is AveragePool else {}
        ceil = bool(node.number("ceil_mode", 0)) and node.text("auto_pad", "NOTSET") in ("NOTSET", "", "VALID")
        return x.sketch.add(kind, node.label, [x], size, stride, padding, ceil, **more)

    return rule


def _global_average_pool(node):
    x = wire(node, map_=True)
    return x.sketch.add(GlobalAveragePool, node.label, [x])


def _global_max_pool(node):
    x = wire(node, map_=True)
    return x.sketch.add(MaxPool, node.label, [x], x.dims[1:], (1, 1))


# Sums and factors


def _per_channel(node, x, array):
    """A constant that acts on a Wire, as a number or (C,) float64."""
    if array.dtype.kind not in "fiu":
        raise node.refusal("its constant is not a number")
    if array.size == 1 and array.ndim <= x.rank:
        return float(array.reshape(()))
    trimmed = array.shape[-len(x.dims) :]
    if array.ndim <= x.rank and array.size == x.dims[0] and trimmed == (x.dims[0], *[1] * (len(x.dims) - 1)):
        return array.reshape(-1).astype(float)
    raise node.refusal(f"its constant is {short(array.shape)}; a number or one for each channel is accepted")


def _both(node):
    """(wire, constant or None, whether the constant stands first, second wire or None)."""
    a, b = node.required(2)
    if isinstance(a, Wire) and isinstance(b, Wire):
        return a, None, False, b
    first = isinstance(a, Constant)
    x, other = (b, a) if first else (a, b)
    return x, _per_channel(node, x, other.array), first, None


def _add(node):
    a, number, _, b = _both(node)
    if b is not None:
        if a.dims != b.dims:
            raise node.refusal(f"it adds {a.dims} and {b.dims}; their shapes must be equal")
        return a.sketch.add(Add, node.label, [a, b])
    return a.sketch.scaled(node.label, a, 1.0, number)


def _sum(node):
    wires = node.inputs
    if not wires or not all(isinstance(x, Wire) and x.dims == wires[0].dims for x in wires):
        raise node.refusal("it adds what is not all of one shape and of the image")
    total = wires[0]
    for x in wires[1:]:
        total = x.sketch.add(Add, node.label, [total, x])
    return total


def _subtract(node):
    a, number, first, b = _both(node)
    if b is not None:
        raise node.refusal("it subtracts one map from another; sums are accepted")
    return a.sketch.scaled(node.label, a, *((-1.0, number) if first else (1.0, -number)))


def _multiply(node):
    a, number, _, b = _both(node)
    if b is None:
        return a.sketch.scaled(node.label, a, number, 0.0)
    for x, gate in ((a, b), (b, a)):
        made = gate.node
        gated = GATED.get(made.activation.name) if isinstance(made, Elementwise) else None
        if gated and made.inputs == (x.key,):
            return activated(node, x, gated)
    if a.rank != b.rank:
        # ONNX would take the vector's numbers for those of columns.
        raise node.refusal(f"it multiplies {a.dims} and {b.dims}; a vector that scales channels must be (C, 1, 1)")
    return a.sketch.add(Multiply, node.label, [a, b])


# What x times an activation of x is.
GATED = {"sigmoid": "silu", "hard_sigmoid": "hard_swish"}


def _divide(node):
    a, number, first, b = _both(node)
    if b is not None or first:
        raise node.refusal("it divides by what depends on the image; division by constants is accepted")
    if np.any(np.equal(number, 0)):
        raise node.refusal("it divides by 0")
    return a.sketch.scaled(node.label, a, 1.0 / number, 0.0)


def _negate(node):
    x = wire(node)
    return x.sketch.scaled(node.label, x, -1.0, 0.0)


def _batch_norm(node):
    x = wire(node)
    found = [constant(node, i, "constants", axes=1) for i in range(1, 5)]
    given = [c for c in found if c is not None]
    if len(given) < 4 or node.number("training_mode", 0):
        raise node.refusal("it is in training mode; export the model in eval()")
    if any(len(c) != x.dims[0] for c in given) or not node.number("spatial", 1):
        raise node.refusal(
            f"its constants are {short(given[0].shape)}; one for each of {x.dims[0]} channels is accepted"
        )
    gain, bias, mean, var = (c.astype(float) for c in given)
    scale = gain / np.sqrt(var + node.number("epsilon", 1e-5))
    return x.sketch.scaled(node.label, x, scale, bias - mean * scale)


# Dense layers and joins


def _dense(node, x, weights, bias=None):
    if len(x.dims) != 1:
        raise node.refusal(f"it works on {x.dims}; a vector is accepted, so flatten before it")
    return x.sketch.add(Dense, node.label, [x], weights, bias)


def _gemm(node):
    x, weights, bias = wire(node), constant(node, 1, "weights", axes=2), constant(node, 2, "biases")
    if weights is None or node.number("transA", 0):
        raise node.refusal("Gemm(x, weights, bias) is accepted, without transA")
    weights = weights if node.number("transB", 0) else weights.T
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    if bias is not None:
        if bias.size not in (1, len(weights)) or bias.shape[-1:] not in ((bias.size,), ()):
            raise node.refusal(f"its biases are {short(bias.shape)}; a number or one for each output is accepted")
        bias = np.broadcast_to(bias.reshape(-1), (len(weights),)).astype(float) * beta
    return _dense(node, x, weights if alpha == 1 else weights.astype(float) * alpha, bias)


def _matmul(node):
    x, weights = wire(node), constant(node, 1, "weights", axes=2)
    if weights is None:
        raise node.refusal("it has no weights")
    return _dense(node, x, weights.T)


def _concat(node):
    wires = node.inputs
    if wires and all(isinstance(c, Constant) for c in wires):
        return joined(node)
    x = wire(node)
    axis = node.number("axis", 1)
    if not all(isinstance(w, Wire) and len(w.dims) == len(x.dims) for w in wires):
        raise node.refusal("it joins what is not all computed from the image, or vectors and maps")
    if axis not in (1, 1 - x.rank):
        raise node.refusal(f"it joins along axis {axis}; along the channels, axis 1, is accepted")
    return x.sketch.add(Concat, node.label, wires)


MAPS: dict = {
    "Conv": _conv,
    "MaxPool": _pool(MaxPool),
    "AveragePool": _pool(AveragePool),
    "GlobalAveragePool": _global_average_pool,
    "GlobalMaxPool": _global_max_pool,
    "BatchNormalization": _batch_norm,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Concat": _concat,
    "Add": _add,
    "Sum": _sum,
    "Sub": _subtract,
    "Mul": _multiply,
    "Div": _divide,
    "Neg": _negate,
    **ACTIVATIONS,
}


def _channels_first(node, image):
    if node.kind == "Transpose" and node.integers("perm") == TO_CHANNELS_FIRST:
        return image.wire
    raise node.refusal("it takes the image with its channels last, (1, H, W, C); it must become (1, C, H, W) before")


def _scaled_by(node):
    """A product with a vector that the file repeated at each place of the map."""
    for x, other in (node.inputs, node.inputs[::-1]) if node.kind == "Mul" and len(node.inputs) == 2 else ():
        if isinstance(x, Wire) and isinstance(other, Expanded) and x.dims == other.dims:
            return x.sketch.add(Multiply, node.label, [x, other.wire])
    raise node.refusal("it takes a vector that was repeated at each place; the product with a map is accepted")


def _rule(kind):
    """The rule for a kind of node; one with a special input goes by that."""
    rule = {**MAPS, **SHAPES}[kind]

    def any_input(node):
        for x in node.inputs:
            if isinstance(x, ChannelsLast):
                return _channels_first(node, x)
        return _scaled_by(node) if any(isinstance(x, Expanded) for x in node.inputs) else rule(node)

    return any_input


RULES: Rules = {kind: _rule(kind) for kind in [*MAPS, *SHAPES]}
