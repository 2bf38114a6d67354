"""Rules for what only constants are made of: shapes, ranges, lists of places."""

from __future__ import annotations

from math import prod

import numpy as np

from engine.formats.onnx.node import Absent, Rules
from engine.formats.onnx.rules.arithmetic import CASTS


def _constant(node):
    if "value" in node.attributes:
        return node.constant(node.tensor("value"))
    for key, kind in (("float", np.float32), ("int", np.int64)):
        if f"value_{key}" in node.attributes:
            return node.constant(np.asarray(node.number(f"value_{key}"), kind))
        if f"value_{key}s" in node.attributes:
            return node.constant(np.array(node.numbers(f"value_{key}s"), kind))
    return Absent(f"`{node.label}` is a constant that holds no numbers")


def _shape(node):
    dims = node.x.dims
    return node.constant(np.array(dims[node.number("start", 0) : node.number("end", len(dims))], np.int64))


def _constant_of_shape(node):
    shape = node.fits(node.wholes(0, "sizes"))
    filling = node.tensor("value") if "value" in node.attributes else np.zeros(1, np.float32)
    if filling.size != 1:
        raise node.refusal("its value is not one number")
    return node.constant(np.full(shape, filling.reshape(())))


def _range(node):
    start, limit, step = (node.array(i, "limits").reshape(-1)[0] for i in range(3))
    if step == 0 or not all(map(np.isfinite, (start, limit, step))):
        raise node.refusal(f"it counts from {start} to {limit} by {step}")
    count = max(int(np.ceil((float(limit) - float(start)) / float(step))), 0)
    node.fits((count,))
    return node.constant(start + np.arange(count) * step)


def _eye_like(node):
    shape = node.fits(node.x.dims)
    if len(shape) != 2:
        raise node.refusal(f"it makes an identity matrix of {shape}")
    kind: type = {"float": np.float32, "int": np.int64, "bool": bool}[CASTS.get(node.number("dtype", 1), "float")]
    k = node.number("k", 0)
    return node.constant(np.eye(shape[0], shape[1], min(max(k, -shape[0]), shape[1])).astype(kind))


def _one_hot(node):
    indices, depth, values = (
        node.array(0, "indices"),
        int(node.array(1, "depth").reshape(-1)[0]),
        node.array(2, "values"),
    )
    node.fits((*indices.shape, max(depth, 1)))
    if depth < 1 or values.shape != (2,):
        raise node.refusal(f"it has {values.shape} values and depth {depth}")
    axis = node.axis(-1, indices.ndim + 1)
    wrapped = np.where(indices < 0, indices + depth, indices)
    hot = np.expand_dims(wrapped, axis) == np.arange(depth).reshape(-1, *[1] * (indices.ndim - axis))
    return node.constant(np.where(hot, values[1], values[0]))


def _cumulated(function):
    def rule(node):
        x = node.array(0, "numbers")
        axis = node.axes_of([int(node.array(1, "axis").reshape(-1)[0])], x.ndim)[0]
        turned = np.flip(x, axis) if node.number("reverse", 0) else x
        found = function(turned.astype(float) if x.dtype.kind == "f" else turned, axis=axis)
        if node.number("exclusive", 0):
            found = np.roll(found, 1, axis)
            found[(slice(None),) * axis + (0,)] = 0 if function is np.cumsum else 1
        return node.constant(np.flip(found, axis) if node.number("reverse", 0) else found)

    return rule


def _extreme(function):
    def rule(node):
        x = node.array(0, "numbers")
        axis = node.axis(0, x.ndim)
        if node.number("select_last_index", 0):
            found = x.shape[axis] - 1 - function(np.flip(x, axis), axis=axis)
        else:
            found = function(x, axis=axis)
        return node.constant(np.expand_dims(found, axis) if node.number("keepdims", 1) else found)

    return rule


CONSTANTS: Rules = {
    "Constant": _constant, "Shape": _shape, "ConstantOfShape": _constant_of_shape, "Range": _range,
    "Size": lambda node: node.constant(np.array(prod(node.x.dims), np.int64)),
    "NonZero": lambda node: node.constant(np.array(np.nonzero(np.atleast_1d(node.array(0, "numbers"))), np.int64)),
    "EyeLike": _eye_like, "OneHot": _one_hot, "CumSum": _cumulated(np.cumsum), "CumProd": _cumulated(np.cumprod),
    "ArgMax": _extreme(np.argmax), "ArgMin": _extreme(np.argmin),
}  # fmt: skip
