"""Scales and shifts: every arithmetic with constants becomes an Affine, and goes into a neighbour's weights.

Weights are multiplied in float64 and rounded once; a layer with no scale or shift beside it keeps every bit.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from engine.errors import ShapeError
from engine.network.graph import nodes
from engine.network.graph.graph import Graph
from engine.network.graph.nodes import GraphNode
from engine.network.graph.passes.rewriting import Rewriting

Layer = nodes.Dense | nodes.Convolution | nodes.TransposedConvolution
ONE, ZERO = np.float64(1), np.float64(0)
# Numbers of an Affine that is moved, which become two arrays of float64.
MOST_MOVED = 1 << 24


def named(graph: Graph) -> Graph:
    """Arithmetic with constants by the operators that hold them: Affine, Dense, Prelu; casts of floats to floats go."""
    work = Rewriting(graph)
    for node in work:
        found = _named(work, node)
        if found is not None and work.dims[node.name] == found.shape(*(work.dims[key] for key in found.inputs)):
            work.put(found)
        elif isinstance(node, nodes.Cast) and node.to == "float":
            work.bypass(node, node.inputs[0])
    return work.graph()


def _named(work: Rewriting, node: GraphNode) -> GraphNode | None:
    if isinstance(node, nodes.Where | nodes.Compare) or len(node.inputs) != 2:
        return None
    a, b = (work.constant(node, i) for i in (0, 1))
    if isinstance(node, nodes.MatMul):
        return _dense(work, node, a, b)
    x, other, first = (node.inputs[0], b, False) if a is None else (node.inputs[1], a, True)
    if other is None or (a is not None and b is not None):
        return None
    made = _scale_and_shift(node, other, first)
    if made is None or not all(np.isfinite(part).all() for part in made):
        return None
    affine = nodes.Affine(node.name, (x,), *made)
    try:
        affine.shape(work.dims[x])
    except ShapeError:  # the constant makes a larger array
        return None
    return affine


def _scale_and_shift(node, other, first):
    """(scale, shift) of a node with a constant input, or None."""
    if isinstance(node, nodes.Add):
        return ONE, other
    if isinstance(node, nodes.Subtract):
        return (-ONE, other) if first else (ONE, -other)
    if isinstance(node, nodes.Multiply):
        return other, ZERO
    if isinstance(node, nodes.Divide) and not first and np.all(other != 0):
        return 1.0 / other, ZERO
    return None


def _dense(work, node, a, b):
    if b is not None and b.ndim == 2:
        # The weights themselves, whose bits stay.
        weights = work.source(node, 1).array
        return nodes.Dense(node.name, node.inputs[:1], weights.T)
    if a is not None and a.ndim == 2 and len(work.dims[node.inputs[1]]) == 1:
        return nodes.Dense(node.name, node.inputs[1:], work.source(node, 0).array)
    return None


def folded(graph: Graph) -> Graph:
    """Affines one after another become one, and go into the weights of a layer before or after them.

    A layer before takes all that acts on its outputs one by one; a layer after, what acts on its inputs one by one, but
    no shift before padding, which is zeros. Between them may be reshapes and transposes.
    """
    work = Rewriting(graph)
    for node in work:
        if isinstance(node, nodes.Affine):
            _merge(work, node)
    for node in work:
        if isinstance(node, nodes.Affine):
            _move(work, node)
    for node in work:
        if isinstance(node, Layer):
            _fold(work, node)
    return work.graph()


def _merge(work, node):
    before = work.source(node)
    if isinstance(before, nodes.Affine) and work.alone(before) is node:
        scale = node.scale * before.scale
        work.put(nodes.Affine(node.name, before.inputs, scale, node.scale * before.shift + node.shift))


def _is_moving(node):
    return isinstance(node, nodes.Reshape | nodes.Transpose)


def _full(node, dims):
    return (np.broadcast_to(x, dims) for x in (node.scale, node.shift))


def _move(work, node):
    """Moves an Affine over reshapes and transposes to the layer that can take it."""
    if prod(work.dims[node.name]) <= MOST_MOVED and not _moved_back(work, node):
        _moved_on(work, node)


def _moved_back(work, node):
    """Layer, move, Affine becomes layer, Affine, move; False if the layer cannot take it."""
    before = work.source(node)
    layer = work.source(before) if _is_moving(before) else None
    if not isinstance(layer, Layer) or work.alone(before) is not node or work.alone(layer) is not before:
        return False
    # Which element of the layer's output each element of this one is.
    dims = work.dims[layer.name]
    at = before.value(np.arange(prod(dims)).reshape(dims)).reshape(-1)
    parts = []
    for part in _full(node, work.dims[node.name]):
        whole = np.empty(prod(dims))
        whole[at] = part.reshape(-1)
        parts.append(_narrowed(whole.reshape(dims)))
    if _taken(layer, parts, dims) is None:
        return False
    made = work.put(nodes.Affine(work.free(node.name), before.inputs, *parts))
    work.put(replace(before, inputs=(made.name,)))
    work.bypass(node, before.name)
    return True


def _moved_on(work, node):
    """Affine, moves, dense layer becomes moves, Affine, dense layer."""
    chain, end = [], work.alone(node)
    while end is not None and _is_moving(end):
        chain.append(end)
        end = work.alone(end)
    if not chain or not isinstance(end, nodes.Dense):
        return
    parts = list(_full(node, work.dims[node.name]))
    for move in chain:
        parts = [move.value(part) for part in parts]
    work.bypass(node, node.inputs[0])
    last = work.nodes[chain[-1].name]
    work.insert(last, nodes.Affine(work.free(node.name), (last.name,), *map(_narrowed, parts)))


def _narrowed(array):
    """An array with length 1 along each axis along which it is constant."""
    for axis in range(array.ndim):
        first = array.take([0], axis)
        if np.array_equal(np.broadcast_to(first, array.shape), array):
            array = first
    return array


def _taken(layer, parts, dims):
    """(scale, shift) as one number for each output (or input) of a layer, or None if they are not one for each."""
    axis = len(dims) - 1 if isinstance(layer, nodes.Dense) else 1
    found = []
    for part in parts:
        part = np.asarray(part).reshape([1] * (len(dims) - np.ndim(part)) + list(np.shape(part)))
        part = _narrowed(part)
        if any(n != 1 for i, n in enumerate(part.shape) if i != axis):
            return None
        found.append(np.broadcast_to(part.reshape(-1), dims[axis : axis + 1]))
    return found


def _fold(work, layer):
    before, after = work.source(layer), work.alone(layer)
    scale_in = scale_out = None
    if isinstance(before, nodes.Affine) and work.alone(before) is layer:
        scale_in = _taken(layer, (before.scale, before.shift), work.dims[before.name])
        plain = isinstance(layer, nodes.Dense) or (isinstance(layer, nodes.Convolution) and not any(layer.padding))
        if scale_in is not None and not plain and scale_in[1].any():
            scale_in = None
    if isinstance(after, nodes.Affine):
        scale_out = _taken(layer, (after.scale, after.shift), work.dims[layer.name])
    if scale_in is None and scale_out is None:
        return
    weights, bias = layer.weights.astype(float), layer.bias.astype(float)
    if scale_in is not None:
        weights, bias = _entered(layer, weights, bias, *scale_in)
    if scale_out is not None:
        weights, bias = _left(layer, weights, bias, *scale_out)
    if not (np.isfinite(weights.astype(np.float32)).all() and np.isfinite(bias.astype(np.float32)).all()):
        return
    inputs = before.inputs if scale_in is not None else layer.inputs
    work.put(replace(layer, inputs=inputs, weights=weights, bias=bias))
    if scale_out is not None:
        work.bypass(after, layer.name)


def _entered(layer, weights, bias, scale, shift):
    """(weights, bias) of a layer that also does what comes before it."""
    if isinstance(layer, nodes.Dense):
        return weights * scale, bias + weights @ shift
    if isinstance(layer, nodes.TransposedConvolution):
        return weights * scale[:, None, None, None], bias
    # Output channels of a group see that group's inputs.
    seen = np.repeat(np.arange(len(scale)).reshape(layer.groups, -1), len(weights) // layer.groups, axis=0)
    return (
        weights * scale[seen][:, :, None, None],
        bias + (weights.sum(axis=(2, 3)) * shift[seen]).sum(axis=1),
    )


def _left(layer, weights, bias, scale, shift):
    """(weights, bias) of a layer that also does what comes after it."""
    if isinstance(layer, nodes.TransposedConvolution):
        each = scale.reshape(layer.groups, -1)
        grouped = weights.reshape(layer.groups, -1, *weights.shape[1:]) * each[:, None, :, None, None]
        return grouped.reshape(weights.shape), bias * scale + shift
    return weights * scale.reshape(-1, *[1] * (weights.ndim - 1)), bias * scale + shift
