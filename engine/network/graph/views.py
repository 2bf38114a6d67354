"""How the array of any node is shown: as a map of channels, rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from engine.network.graph import nodes as kinds
from engine.network.graph.graph import Graph

View = tuple[int, int, int]
# Nodes of which an output has its channels last where an input has.
KEEPING = (
    kinds.Elementwise, kinds.Affine, kinds.Prelu, kinds.Binary, kinds.Normalise, kinds.Softmax, kinds.Concat,
    kinds.Slice, kinds.Pad, kinds.Reduce, kinds.MatMul,
)  # fmt: skip


def view_of(dims: Sequence[int], last: bool | None = None) -> View:
    """(C, H, W) of the map of an array of any shape.

    (1, n) is (n, 1, 1), (1, N, D) is (D, N, 1), (1, C, H, W) is (C, H, W).

    last   True: the last axis is the channels, as in (1, H, W, C); False: all before the last two are, or of three
           axes all before the last; None: True for up to three axes
    """
    if not _is_last(len(dims), last):
        return (prod(dims[:-2]), dims[-2], dims[-1]) if len(dims) > 3 else (prod(dims[:-1]), dims[-1], 1)
    before = list(dims[:-1])
    while before and before[0] == 1:
        del before[0]
    return (dims[-1] if dims else 1), *(before[:1] or [1]), prod(before[1:])  # type: ignore[return-value]


def viewed(array: np.ndarray, last: bool | None = None) -> np.ndarray:
    """An array of any shape as the (C, H, W) of its map; `last` as in `view_of`."""
    channels, *places = view_of(array.shape, last)
    if _is_last(array.ndim, last):
        return np.moveaxis(array.reshape(*places, channels), -1, 0)
    return array.reshape(channels, *places)


def unviewed(view: np.ndarray, dims: Sequence[int], last: bool | None = None) -> np.ndarray:
    """The array of shape `dims` whose `viewed` this is."""
    return (np.moveaxis(view, 0, -1) if _is_last(len(dims), last) else view).reshape(dims)


def _is_last(rank, last):
    return rank <= 2 or (rank <= 3 if last is None else last)


def channels_last(graph: Graph) -> dict[str, bool]:
    """{name: whether its last axis is the channels} of all nodes."""
    found: dict[str, bool] = {}
    for node in graph.nodes:
        dims, before = graph.dims[node.name], [key for key in node.inputs if len(graph.dims[key]) > 3]
        rank = len(dims)
        if rank <= 3:
            last = True
        elif isinstance(node, kinds.Transpose):
            last = node.axes == (*range(rank - 3), rank - 2, rank - 1, rank - 3)
        elif isinstance(node, kinds.Reshape):
            own = graph.dims[node.inputs[0]]
            last = found[node.inputs[0]] and own[-1:] == dims[-1:]
        elif isinstance(node, KEEPING):
            last = any(found[key] for key in before)
        else:
            last = isinstance(node, kinds.Dense)
        found[node.name] = last
    return found
