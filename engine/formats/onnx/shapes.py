"""Rules for ONNX nodes of convolutional networks that only move numbers, and for exporters' arithmetic on shapes.

The batch is one image of a known size, so shapes that an exporter computes from the image are constants here.
"""

from math import prod

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.graph import MAX_SHAPE, Constant, OnnxNode, Rules
from engine.formats.onnx.sketch import Expanded, Wire
from engine.network.nodes import Convolution, Flatten, GlobalAveragePool


def _cast(node):
    x = node.variable()
    if node.number("to", 1) not in (1, 10, 11, 16):
        raise node.refusal("it makes whole numbers of the image; a cast to floats is accepted")
    return x


def _seen_as(node, x, dims):
    """x as a Wire with other axes; the numbers and their order stay the same."""
    if dims == x.dims:
        return x
    if dims == x.shape or (x.shape[1:] == (1, 1) and dims == x.shape[: len(dims)]):
        return Wire(x.sketch, x.key, dims)
    if len(dims) == 1:
        return _flat(node, x)
    raise node.refusal(f"it makes {dims} of {x.dims}; flattening to a vector is accepted")


def _flat(node, x):
    return x.sketch.add(Flatten, node.label, [x], vector=True)


def _flatten(node):
    x = node.variable()
    axis = node.number("axis", 1)
    if axis not in (1, 1 - x.rank):
        raise node.refusal(f"axis = {axis}; 1, which keeps the batch, is accepted")
    return _seen_as(node, x, (prod(x.dims),))


def _reshape(node):
    x = node.variable()
    target = node.required_list(1, "sizes")
    if not target or any(n < -1 for n in target) or target.count(-1) > 1:
        raise node.refusal(f"to {short(target)}; flattening to a vector is accepted")
    whole, total = (1, *x.dims), prod(x.dims)
    if any(n == 0 and i >= len(whole) for i, n in enumerate(target)):
        raise node.refusal(f"to {short(target)}, which copies an axis that {whole} does not have")
    dims = [whole[i] if n == 0 else n for i, n in enumerate(target)]
    known = prod(n for n in dims if n != -1)
    dims = [total // known if n == -1 else n for n in dims]
    if len(dims) == 1 and node.last:
        dims = [1, *dims]
    if prod(dims) != total or dims[0] != 1 or len(dims) not in (2, 4):
        raise node.refusal(f"it makes {short(target)} of {whole}; flattening to a vector is accepted")
    return _seen_as(node, x, tuple(dims[1:]))


def _axes(node, x, more=0):
    """The axes that a node names, converted to non-negative numbers."""
    axes = node.setting(1, "axes")
    if axes is None:
        return None
    return {n + x.rank + more if n < 0 else n for n in axes}


def _squeeze(node):
    x = node.variable()
    axes = _axes(node, x)
    whole = (1, *x.dims)
    axes = {i for i, n in enumerate(whole) if n == 1 and i != 1} if axes is None else axes
    # The batch's axis may be removed only by the last node, since others would take the next axis for it.
    if any(not 0 <= i < len(whole) or whole[i] != 1 for i in axes) or (0 in axes and not node.last):
        raise node.refusal(f"it squeezes axes {short(sorted(axes))} of {whole}; those of length 1 after the channels")
    return _seen_as(node, x, tuple(n for i, n in enumerate(whole) if i and i not in axes) or (1,))


def _unsqueeze(node):
    x = node.variable()
    axes = _axes(node, x, len(node.setting(1, "axes") or ()))
    rank = x.rank + len(axes or ())
    if not axes or rank > 4 or not axes <= set(range(2, rank)):
        raise node.refusal("it is accepted of a vector that becomes a map of one pixel, axes 2 and 3")
    return _seen_as(node, x, x.shape[: rank - 1])


def _expand(node):
    node.required(2)
    x, target = node.variable(), node.short_list(1, "sizes")
    # Broadcast as in numpy: an axis of length 1 takes the other shape's length.
    shape = np.broadcast_shapes((1, *x.dims), tuple(target or ()))
    if shape == (1, *x.dims):
        return x
    if node.last or len(shape) != 4 or shape[:2] != (1, x.dims[0]) or x.dims[1:] != (1, 1):
        raise node.refusal(f"it makes {short(shape)} of {(1, *x.dims)}; a vector that scales a map is accepted")
    return Expanded(x, shape[1:])


def _transpose(node):
    x = node.variable()
    axes = node.integers("perm")
    if axes is None or axes != tuple(range(x.rank)):
        raise node.refusal(f"it reorders axes as {short(axes)}; images must be (1, C, H, W) throughout")
    return x


def _reduce_mean(node):
    x = node.required(1)[0]
    if not isinstance(x, Wire) or len(x.dims) != 3 or _axes(node, x) != {2, 3}:
        raise node.refusal("the mean over axes 2 and 3 of a map, each channel's own, is accepted")
    return x.sketch.add(GlobalAveragePool, node.label, [x], vector=not node.number("keepdims", 1))


def _pad(node):
    x = node.required(1)[0]
    pads = node.setting(1, "pads")
    given = node.input(2)
    filling = node.number("value", 0.0)
    if isinstance(given, Constant) and given.array.size == 1:
        filling = float(given.array.reshape(()))
    elif given is not None:
        raise node.refusal("its filling is not a constant number")
    if not isinstance(x, Wire) or node.text("mode", "constant") != "constant" or filling != 0 or node.input(3):
        raise node.refusal("padding a map with zeros is accepted")
    if len(x.dims) != 3 or pads is None or len(pads) != 8 or any(pads[i] for i in (0, 1, 4, 5)) or min(pads) < 0:
        raise node.refusal(f"its pads are {short(pads)}; rows and columns of a map may be added")
    # Padding by itself is a depthwise convolution with weights of 1, which copies the map.
    channels = x.dims[0]
    padding = (pads[2], pads[3], pads[6], pads[7])
    return x.sketch.add(
        Convolution, node.label, [x], np.ones((channels, 1, 1, 1)), None, (1, 1), padding, (1, 1), channels
    )


# On shapes


def _shape(node):
    x = node.required(1)[0]
    dims = (1, *x.dims) if isinstance(x, Wire) else x.array.shape
    end = node.number("end", len(dims))
    return Constant(np.array(dims[node.number("start", 0) : end], np.int64))


def joined(node: OnnxNode) -> Constant:
    """A Concat of constant lists of sizes."""
    lists = [node.required_list(i, "values") for i in range(len(node.inputs))]
    if sum(map(len, lists)) > MAX_SHAPE:
        raise node.refusal(f"it joins more than {MAX_SHAPE} numbers that no image is in")
    return Constant(np.array([n for part in lists for n in part], np.int64))


def _gather(node):
    x, at = node.required_list(0, "values"), node.required(2)[1]
    indices = node.required_list(1, "indices")
    if any(not -len(x) <= i < len(x) for i in indices) or node.number("axis", 0) != 0:
        raise node.refusal(f"it takes {short(indices)} of {len(x)} sizes")
    return Constant(np.array([x[i] for i in indices], np.int64).reshape(at.array.shape))


def _constant_of_shape(node):
    shape = node.required_list(0, "sizes")
    if any(n < 0 for n in shape) or prod(shape) > MAX_SHAPE:
        raise node.refusal(f"it makes a constant of {short(shape)}; at most {MAX_SHAPE} numbers are accepted")
    filling = node.tensor("value") if "value" in node.attributes else np.zeros(1, np.float32)
    if filling.size != 1:
        raise node.refusal("its value is not one number")
    return Constant(np.full(shape, filling.reshape(())))


def _slice(node):
    node.required_list(0, "values")
    x = node.input(0).array
    keys = ("starts", "ends", "axes", "steps")
    starts, ends, axes, steps = (node.setting(i, key) for i, key in enumerate(keys, start=1))
    steps = steps or [1]
    if starts is None or ends is None or axes not in (None, [0]) or {len(starts), len(ends), len(steps)} != {1}:
        raise node.refusal("slices of a list of sizes are accepted")
    if steps[0] == 0:
        raise node.refusal("its step is 0")
    return Constant(np.array(x[starts[0] : ends[0] : steps[0]]))


SHAPES: Rules = {
    "Cast": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "ReduceMean": _reduce_mean,
    "Expand": _expand,
    "Pad": _pad,
    "Shape": _shape,
    "ConstantOfShape": _constant_of_shape,
    "Gather": _gather,
    "Slice": _slice,
}
