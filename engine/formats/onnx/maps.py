"""Rules for ONNX nodes that occur only in convolutional networks: windows, joins, their activations.

An input of a rule is a Constant or a Wire; for a few nodes it may also be a ChannelsLast or an Expanded.
"""

import math

from engine.formats.files import short
from engine.formats.onnx.graph import Constant, Rules
from engine.formats.onnx.nodes import SHARED, activated, activation
from engine.formats.onnx.shapes import SHAPES, joined
from engine.formats.onnx.sketch import TO_CHANNELS_FIRST, ChannelsLast, Expanded, Wire
from engine.network.nodes import (
    Add,
    AveragePool,
    Concat,
    Convolution,
    Elementwise,
    GlobalAveragePool,
    MaxPool,
    Multiply,
    Softmax,
)

# Windows


def _map(node):
    """The Wire that is a node's first input, which must be a map."""
    x = node.variable()
    if len(x.dims) != 3:
        raise node.refusal(f"it needs a map (C, H, W), but {x.dims} comes")
    return x


def _constant(node, i, what, axes=None):
    """The array of input i, which must be a constant of floats; None if it is left out."""
    x = node.input(i)
    if x is None:
        return None
    if not isinstance(x, Constant):
        raise node.refusal(f"its {what} are computed from the image; constant ones are accepted")
    if x.array.dtype.kind != "f":
        raise node.refusal(f"its {what} are {x.array.dtype}; floats are accepted")
    if axes is not None and x.array.ndim != axes:
        raise node.refusal(f"its {what} are {short(x.array.shape)}; {axes} axes are accepted, images having two")
    return x.array


def _pair(node, key, default):
    given = node.integers(key)
    if given is None:
        return default
    if len(given) != 2:
        raise node.refusal(f"its {key} are {short(given)}; two are accepted, images having two axes")
    return given


def _slide(node, x, size, dilation=(1, 1)):
    """(stride, padding) of a node whose window has this size."""
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
    x, weights = _map(node), _constant(node, 1, "weights", axes=4)
    bias, dilation = _constant(node, 2, "biases", axes=1), _pair(node, "dilations", (1, 1))
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
        x = _map(node)
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
    x = _map(node)
    return x.sketch.add(GlobalAveragePool, node.label, [x])


def _global_max_pool(node):
    x = _map(node)
    return x.sketch.add(MaxPool, node.label, [x], x.dims[1:], (1, 1))


# Sums and joins


def _sum(node):
    wires = node.inputs
    if not wires or not all(isinstance(x, Wire) and x.dims == wires[0].dims for x in wires):
        raise node.refusal("it adds what is not all of one shape and of the image")
    total = wires[0]
    for x in wires[1:]:
        total = x.sketch.add(Add, node.label, [total, x])
    return total


def _concat(node):
    wires = node.inputs
    if wires and all(isinstance(c, Constant) for c in wires):
        return joined(node)
    x = node.variable()
    axis = node.number("axis", 1)
    if not all(isinstance(w, Wire) and len(w.dims) == len(x.dims) for w in wires):
        raise node.refusal("it joins what is not all computed from the image, or vectors and maps")
    if axis not in (1, 1 - x.rank):
        raise node.refusal(f"it joins along axis {axis}; along the channels, axis 1, is accepted")
    return x.sketch.add(Concat, node.label, wires)


# Activations


def _clip(node):
    x = node.variable()
    ends = []
    for i, (key, open_) in enumerate((("min", -math.inf), ("max", math.inf)), start=1):
        given = _constant(node, i, "bounds")
        ends.append(node.number(key, open_) if given is None else float(given.reshape(-1)[0]) if given.size else open_)
    low, high = ends
    # Old files write the largest float32 for "no bound".
    if low <= -3e38 and high >= 3e38:
        return x
    if low != 0 or not high > 0:
        raise node.refusal(f"it clips to {low:g}..{high:g}; from 0 up, as relu and relu6 do, is accepted")
    return activated(node, x, "relu" if high >= 3e38 else f"clipped_relu({high!r})")


def _largest(node):
    x, bound = _bounded(node)
    if bound != 0:
        raise node.refusal(f"it gives at least {bound:g}; at least 0, as relu does, is accepted")
    return activated(node, x, "relu")


def _least(node):
    x, bound = _bounded(node)
    before = x.node
    if not (isinstance(before, Elementwise) and before.activation.name == "relu" and bound > 0):
        raise node.refusal("the smaller of a relu and a number above 0, which is relu6, is accepted")
    return activated(node, Wire(x.sketch, before.inputs[0], x.dims), f"clipped_relu({bound!r})")


def _bounded(node):
    """(Wire, number) of a Max or Min of the two."""
    if len(node.inputs) == 2:
        for x, other in (node.inputs, node.inputs[::-1]):
            if isinstance(x, Wire) and isinstance(other, Constant) and other.array.size == 1:
                return x, float(other.array.reshape(()))
    raise node.refusal("of a map and one number it is accepted")


def _hard_sigmoid(node):
    x, alpha, beta = node.variable(), node.number("alpha", 0.2), node.number("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return activated(node, x, "hard_sigmoid")
    return activated(node, x.affine(node, alpha, beta), "clipped_relu(1)")


def _softmax(node):
    x = node.variable()
    old = x.sketch.opset < 13
    axis = node.number("axis", 1 if old else -1)
    axis += x.rank if axis < 0 else 0
    # Before opset 13 this node worked on all axes from this one on together.
    flat = all(n == 1 for n in x.dims[1:])
    if axis != 1 or (old and not flat):
        raise node.refusal(f"it is over axis {axis} of {(1, *x.dims)}; over the channels is accepted")
    return x.sketch.add(Softmax, node.label, [x])


def _log_softmax(node):
    if not node.last:
        raise node.refusal("a log softmax is accepted as the last node, and shown as its probabilities")
    return _softmax(node)


MAPS: Rules = {
    **SHARED,
    **SHAPES,
    "Conv": _conv,
    "MaxPool": _pool(MaxPool),
    "AveragePool": _pool(AveragePool),
    "GlobalAveragePool": _global_average_pool,
    "GlobalMaxPool": _global_max_pool,
    "Concat": _concat,
    "Sum": _sum,
    "Clip": _clip,
    "Max": _largest,
    "Min": _least,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": activation("hard_swish"),
    "Softmax": _softmax,
    "LogSoftmax": _log_softmax,
}


def _channels_first(node, image):
    if node.kind == "Transpose" and node.integers("perm") == TO_CHANNELS_FIRST:
        return image.wire
    raise node.refusal("it takes the image with its channels last, (1, H, W, C); it must become (1, C, H, W) before")


def _scaled_by(node):
    """A product of a map with a vector that the file repeats at each place of the map."""
    for x, other in (node.inputs, node.inputs[::-1]) if node.kind == "Mul" and len(node.inputs) == 2 else ():
        if isinstance(x, Wire) and isinstance(other, Expanded) and x.dims == other.dims:
            return x.sketch.add(Multiply, node.label, [x, other.wire])
    raise node.refusal("it takes a vector that was repeated at each place; the product with a map is accepted")


def _rule(kind):
    """The rule for a kind of node; the rule for a special kind of input is preferred."""

    def any_input(node):
        for x in node.inputs:
            if isinstance(x, ChannelsLast):
                return _channels_first(node, x)
        return _scaled_by(node) if any(isinstance(x, Expanded) for x in node.inputs) else MAPS[kind](node)

    return any_input


RULES: Rules = {kind: _rule(kind) for kind in MAPS}
