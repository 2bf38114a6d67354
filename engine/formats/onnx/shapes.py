"""ONNX nodes that move values without computing: allowed of constants, and of the input where nothing changes."""

from dataclasses import replace

import numpy as np

from engine.formats.chain import Width
from engine.formats.files import told
from engine.formats.onnx.values import Constant, folded, two_inputs


def _same(node):
    (x,) = node.required(1)
    return x


def _dropout(node):
    training = node.input(2)
    if training is not None and not (isinstance(training, Constant) and not training.array.any()):
        raise node.refusal("it is in training mode; export the model in eval()")
    return _same(node)


def _cast(node):
    (x,) = node.required(1)
    to = node.number("to", 1)
    kinds = {1: np.float32, 10: np.float16, 11: np.float64, 6: np.int32, 7: np.int64}
    if isinstance(x, Constant) and to in kinds:
        return folded(node, lambda a: a.astype(kinds[to]), x)
    if isinstance(x, Constant) or to not in (1, 11):
        raise node.refusal("a cast to float or double is accepted")
    return x


def _flatten(node):
    (x,) = node.required(1)
    if isinstance(x, Constant) or node.number("axis", 1) != 1 or x.rank == 1:
        raise node.refusal("axis = 1 of the layer before is accepted")
    return _rows(node, x)


def _rows(node, x, width=None):
    """x with all axes but the first made one; within the chain it has one already."""
    if x.rank is not None and x.rank > 2 and (x.steps is not None or np.ndim(x.scale) or np.ndim(x.shift)):
        raise node.refusal(f"it flattens {x.rank} axes after a layer; flattening is accepted of the input")
    x = x if width is None else x.settled(node.where).then(Width(width, node.where))
    return replace(x, rank=2)


def _reshape(node):
    x, shape, constant = two_inputs(node)
    if not isinstance(shape, Constant) or shape.array.ndim != 1 or shape.array.size > 16:
        raise node.refusal("its shape is not a constant list")
    dims = [int(n) for n in shape.array]
    if constant:
        return _reshaped(node, x, lambda a: a.reshape([a.shape[i] if n == 0 else n for i, n in enumerate(dims)]))
    if len(dims) == 2 and dims[1] > 0 and dims[0] in (-1, 0, 1):
        return _rows(node, x, dims[1])
    if len(dims) == 2 and dims in ([0, -1], [1, -1]):
        return _rows(node, x)
    if dims == [-1] and node.last:
        return _single(node, x)
    raise node.refusal(f"to {told(dims)}; only flattening to rows, as (-1, n), is accepted")


def _reshaped(node, x, function):
    try:
        return Constant(function(x.array))
    except (ValueError, IndexError) as error:
        raise node.refusal(told(error)) from None


def _transpose(node):
    (x,) = node.required(1)
    axes = node.integers("perm")
    if isinstance(x, Constant):
        return _reshaped(node, x, lambda a: a.transpose(axes))
    if axes is not None and axes == tuple(range(len(axes))):
        return x
    raise node.refusal("transposing is accepted of constants only")


def _axes(node):
    """The axes of Squeeze and Unsqueeze: an attribute in old files, an input in newer ones."""
    axes = node.input(1)
    if axes is None:
        return node.integers("axes")
    if not isinstance(axes, Constant) or axes.array.size > 16:
        raise node.refusal("its axes are not constants")
    return tuple(int(n) for n in axes.array.reshape(-1))


def _single(node, x):
    """x, whose one value each point loses its axis; only at the end, for constants would then mean points."""
    return x.settled(node.where).then(Width(1, node.where))


def _squeeze(node):
    x = node.required(1)[0]
    if not isinstance(x, Constant):
        if node.last and _axes(node) in ((-1,), (1 if x.rank is None else x.rank - 1,)):
            return _single(node, x)
        raise node.refusal("it is accepted of constants, and of a single output's axis at the end")
    return _reshaped(node, x, lambda a: np.squeeze(a, _axes(node)))


def _unsqueeze(node):
    x = node.required(1)[0]
    if not isinstance(x, Constant):
        raise node.refusal("it is accepted of constants only")
    return _reshaped(node, x, lambda a: np.expand_dims(a, _axes(node) or ()))


def _constant(node):
    if "value" in node.attributes:
        return Constant(node.tensor("value"))
    for key, kind in (("value_float", np.float32), ("value_int", np.int64)):
        if key in node.attributes:
            return Constant(np.asarray(node.number(key, 0), kind))
    for key, kind in (("value_floats", np.float32), ("value_ints", np.int64)):
        if key in node.attributes:
            attribute = node.attributes[key]
            return Constant(np.array(attribute.floats if key == "value_floats" else attribute.ints, kind))
    raise node.refusal("it is not a constant of numbers")


SHAPES = {
    "Identity": _same,
    "Dropout": _dropout,
    "Cast": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Constant": _constant,
}
