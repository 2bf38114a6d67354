"""Moves of numbers: transposes sink until they cancel or end in a layer's weights; reshapes in a row become one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np

from engine.network.graph import nodes
from engine.network.graph.graph import Graph
from engine.network.graph.nodes import GraphNode
from engine.network.graph.passes.rewriting import Rewriting

Move = nodes.Reshape | nodes.Transpose


def arranged(graph: Graph) -> Graph:
    """The same function with as few moves of numbers as these rules leave.

    - a transpose before operators that work on each number goes behind them, in each of several inputs if they agree
    - transposes and reshapes one after another become one; those that change nothing go
    - what is left before a dense layer of a vector permutes the columns of its weights
    """
    work, changed = Rewriting(graph), True
    while changed:
        changed = False
        for node in work:
            for rule in (_unneeded, _joined, _sunk, _into_weights):
                if rule(work, node):
                    changed = True
                    break
    return work.graph()


def _unneeded(work: Rewriting, node: GraphNode) -> bool:
    """A move that changes neither shape nor order, or an Expand or Slice of the whole."""
    if not isinstance(node, Move | nodes.Expand | nodes.Slice) or work.dims[node.name] != work.dims[node.inputs[0]]:
        return False
    if isinstance(node, nodes.Transpose) and not _keeps_order(node.axes, work.dims[node.inputs[0]]):
        return False
    if isinstance(node, nodes.Slice) and any(step < 0 for step in node.steps):
        return False
    if node.inputs[0] in work.outputs and node.name in work.outputs:
        return False
    work.bypass(node, node.inputs[0])
    return True


def _keeps_order(axes, dims):
    """Whether a transpose leaves the numbers in their order, since it moves axes of length 1 only."""
    wide = [axis for axis in axes if dims[axis] != 1]
    return wide == sorted(wide)


def _joined(work: Rewriting, node: GraphNode) -> bool:
    """A reshape of a reshape, a transpose of a transpose; a transpose of unit axes is a reshape."""
    before = work.source(node) if node.inputs else node
    if isinstance(node, nodes.Transpose) and _keeps_order(node.axes, work.dims[before.name]):
        work.put(nodes.Reshape(node.name, node.inputs, work.dims[node.name]))
        return True
    if isinstance(node, nodes.Reshape) and isinstance(before, nodes.Reshape):
        work.put(replace(node, inputs=before.inputs))
        return True
    if isinstance(node, nodes.Transpose) and isinstance(before, nodes.Transpose):
        work.put(replace(node, inputs=before.inputs, axes=tuple(before.axes[axis] for axis in node.axes)))
        return True
    return False


def _sunk(work: Rewriting, node: GraphNode) -> bool:
    """f(transpose(x), transpose(y)) becomes transpose(f(x, y))."""
    if not isinstance(node, tuple(TURNED)) or (isinstance(node, nodes.Normalise) and node.groups):
        return False
    sources = [work.nodes[key] for key in node.inputs]
    moved = [s for s in sources if isinstance(s, nodes.Transpose)]
    if not moved or len({s.axes for s in moved}) > 1 or any(work.alone(s) is None for s in moved):
        return False
    axes = moved[0].axes
    rest = [s for s in sources if s not in moved]
    if any(not isinstance(s, nodes.Constant) or prod(work.dims[s.name]) != 1 for s in rest):
        return False
    back = tuple(int(i) for i in np.argsort(axes))
    made = replace(node, inputs=tuple(s.inputs[0] if s in moved else s.name for s in sources))
    rule = next(rule for kind, rule in TURNED.items() if isinstance(node, kind))
    made, axes = rule(made, axes, back) if rule else (made, axes)
    if made is None:
        return False
    # The operator keeps its name; the move behind it is new.
    move = nodes.Transpose(work.free(f"{node.name}/transpose"), (node.name,), axes)
    work.insert(made, move)
    return True


# What an operator becomes before a transpose of these axes (`back` is the opposite one): it, and the axes of the
# transpose behind it. Operators that work on each number have no rule, since they stay as they are.
def _on_axis(node, axes, back):
    return replace(node, axis=axes[node.axis % len(axes)]), axes


def _scaling(node, axes, back):
    return replace(node, scale=_turned(node.scale, back), shift=_turned(node.shift, back)), axes


def _normalising(node, axes, back):
    over = tuple(axes[axis % len(axes)] for axis in node.axes)
    return replace(node, axes=over, gain=_turned(node.gain, back), bias=_turned(node.bias, back)), axes


def _reducing(node, axes, back):
    over = {axis % len(axes) for axis in node.axes}
    made = replace(node, axes=tuple(sorted(axes[axis] for axis in over)))
    if node.keep:
        return made, axes
    left = [axis for i, axis in enumerate(axes) if i not in over]
    return made, tuple(sorted(left).index(axis) for axis in left)


def _padding(node, axes, back):
    return replace(node, before=tuple(node.before[i] for i in back), after=tuple(node.after[i] for i in back)), axes


def _slicing(node, axes, back):
    parts = ((key, tuple(getattr(node, key)[i] for i in back)) for key in ("starts", "counts", "steps"))
    return replace(node, **dict(parts)), axes


def _as_convolution(node, axes, back):
    """A dense layer along the channels of a map whose channels were last: a convolution with a window of one."""
    if axes != (0, 2, 3, 1):
        return None, axes
    weights = node.weights[:, :, None, None]
    return nodes.Convolution(node.name, node.inputs, weights, node.bias), axes


TURNED: dict[type[GraphNode], Callable | None] = {
    nodes.Elementwise: None,
    nodes.Binary: None,
    nodes.Affine: _scaling,
    nodes.Prelu: lambda node, axes, back: (replace(node, slopes=_turned(node.slopes, back)), axes),
    nodes.Concat: _on_axis,
    nodes.Softmax: _on_axis,
    nodes.Normalise: _normalising,
    nodes.Reduce: _reducing,
    nodes.Pad: _padding,
    nodes.Slice: _slicing,
    nodes.Dense: _as_convolution,
}


def _turned(array, back):
    array = np.asarray(array)
    return array.reshape([1] * (len(back) - array.ndim) + list(array.shape)).transpose(back)


def _into_weights(work: Rewriting, node: GraphNode) -> bool:
    """A dense layer of a vector whose numbers a transpose has moved: its columns are moved instead."""
    if not isinstance(node, nodes.Dense) or prod(work.dims[node.inputs[0]]) != node.weights.shape[1]:
        return False
    at = work.source(node)
    chain: list[GraphNode] = []
    while isinstance(at, Move) and (work.alone(at) is not None):
        chain.append(at)
        at = work.source(at)
    if not any(isinstance(move, nodes.Transpose) for move in chain):
        return False
    order = np.arange(node.weights.shape[1]).reshape(work.dims[at.name])
    for move in reversed(chain):
        order = move.value(order)
    weights = np.empty_like(node.weights)
    weights[:, order.reshape(-1)] = node.weights
    shape = work.dims[node.inputs[0]]
    flat = work.put(nodes.Reshape(work.free(f"{node.name}/flatten"), (at.name,), shape))
    work.put(replace(node, inputs=(flat.name,), weights=weights))
    return True
