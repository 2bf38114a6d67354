"""Which patch of the picture each token of a transformer is, and where its tokens look at one another (attention)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from engine.network.convnet import MOVING, ConvNet
from engine.network.graph import nodes as kinds
from engine.network.graph.nodes import GraphNode
from engine.network.graph.views import unviewed

# Numbers of what is no patch: padding, and the first of the tokens that a network adds, as a class token.
NOWHERE, ADDED = -1, -2
# Nodes that keep each number at its place; and those that make a map of their own.
KEEPING = (
    kinds.Elementwise, kinds.Affine, kinds.Prelu, kinds.Cast, kinds.Normalise, kinds.LocalNormalise, kinds.Softmax,
)  # fmt: skip
MAKING = (kinds.Input, kinds.Convolution, kinds.TransposedConvolution, kinds.Resize, kinds.Pool)
# The most numbers of an array whose places are followed one by one.
MOST = 1 << 25

Grid = tuple[int, int]


@dataclass(frozen=True, eq=False)
class PatchPlaces:
    """Which patch each number of a node's array belongs to.

    grid      (rows, columns) of the patches
    numbers   int32, broadcast to the array's shape: the patch, row by row; NOWHERE; ADDED and less for added tokens
    """

    grid: Grid
    numbers: np.ndarray


@dataclass(frozen=True)
class TokenGrid:
    """Tokens in order: `added` ones, then a patch for each place of rows x columns."""

    rows: int
    columns: int
    added: int = 0

    def number(self, token: int) -> int:
        """The number of a token as in PatchPlaces."""
        return token - self.added if token >= self.added else ADDED - token

    def row(self, number: int) -> int:
        """The token of a number."""
        return number + self.added if number >= 0 else ADDED - number


@dataclass(frozen=True, eq=False)
class Attention:
    """Weights (..., queries, keys) with which tokens look at others, the same tokens again in each head.

    node         the name of the softmax
    grid         (rows, columns) of the patches that are looked at
    query_grid   of those that look, which may be smaller patches
    queries      (..., queries) numbers of patches as in PatchPlaces; keys alike
    last         whether its array's last axis is shown as channels
    """

    node: str
    grid: Grid
    query_grid: Grid
    queries: np.ndarray
    keys: np.ndarray
    last: bool

    @property
    def added(self) -> int:
        """The number of tokens that are no patches."""
        return max(0, ADDED + 1 - int(self.keys.min()))

    def looks(self, response: np.ndarray, query: int) -> tuple[np.ndarray, np.ndarray]:
        """((heads, rows, columns), (heads, added tokens)): the weights with which a query looks at each key.

        response   (C, H, W) of the softmax; query: the number of a patch or of an added token

        Raises KeyError for a query that there is none of.
        """
        # Wherever it is, each time in another head.
        at = np.argwhere(self.queries == query)
        if not len(at):
            raise KeyError(query)
        weights = unviewed(response, (*self.queries.shape, self.keys.shape[-1]), self.last)
        patches, others = np.zeros((len(at), prod(self.grid))), np.zeros((len(at), self.added))
        for head, (*batch, row) in enumerate(at):
            values, key = weights[(*batch, row)], self.keys[tuple(batch)]
            np.add.at(patches[head], key[key >= 0], values[key >= 0])
            np.add.at(others[head], ADDED - key[key <= ADDED], values[key <= ADDED])
        return patches.reshape(-1, *self.grid), others


def tokens(net: ConvNet) -> tuple[dict[str, TokenGrid], tuple[Attention, ...]]:
    """({node: TokenGrid}, Attentions) of a network: its tokens on the picture, and where they look at one another."""
    found = places(net)
    return token_grids(net, found), attentions(net, found)


def places(net: ConvNet) -> dict[str, PatchPlaces]:
    """{name: PatchPlaces} of nodes whose numbers belong to patches: numbered patches are moved as nodes move values.

    A map's places are patches of its own; windows, merged patches and added tokens are followed to their places.
    """
    if all(len(dims) != 3 for dims in net.graph.dims.values()):
        return {}  # no tokens
    found: dict[str, PatchPlaces] = {}
    for node in net.nodes:
        taken = [found.get(key) for key in node.inputs]
        here = _through(net, node, taken)
        if here is not None:
            found[node.name] = here
    return found


def token_grids(net: ConvNet, found: Mapping[str, PatchPlaces]) -> dict[str, TokenGrid]:
    """{name: TokenGrid} of the nodes (1, tokens, channels) whose tokens are patches in their order."""
    grids = {}
    for name, here in found.items():
        dims = net.graph.dims[name]
        if len(dims) != 3 or dims[0] != 1 or here.numbers.shape[-1:] != (1,):
            continue
        numbers = np.broadcast_to(here.numbers, (1, dims[1], 1)).ravel()
        added = int((numbers < 0).sum())
        if added < len(numbers) == added + prod(here.grid) and (numbers[added:] == np.arange(prod(here.grid))).all():
            grids[name] = TokenGrid(*here.grid, added)
    return grids


def attentions(net: ConvNet, found: Mapping[str, PatchPlaces]) -> tuple[Attention, ...]:
    """The attentions of a network in order: softmaxes over the last axis of a product of two tensors, whose result is a
    factor of another product, and whose queries and keys are patches of the picture.
    """
    made = []
    for node in net.nodes:
        dims = net.graph.dims[node.name]
        if not isinstance(node, kinds.Softmax) or len(dims) < 3 or node.axis % len(dims) != len(dims) - 1:
            continue
        product = _back_to_product(net, node)
        if product is None or not _is_factor(net, node):
            continue
        queries, keys = found.get(node.name), found.get(product.inputs[1])
        if queries is None or keys is None or queries.numbers.shape[-1] != 1 or keys.numbers.shape[-2] != 1:
            continue
        if net.graph.dims[product.name] != dims:
            continue
        rows = np.broadcast_to(queries.numbers[..., 0], dims[:-1])
        columns = np.broadcast_to(keys.numbers[..., 0, :], (*dims[:-2], dims[-1]))
        made.append(Attention(node.name, keys.grid, queries.grid, rows, columns, net.last[node.name]))
    return tuple(made)


def _back_to_product(net, node):
    """The product of two tensors that a softmax is of, through scales, masks and moves; or None."""
    while True:
        taken = net.taken(node)
        if isinstance(node, kinds.MatMul) and len(taken) == 2:
            return node
        if not taken or isinstance(node, (kinds.Dense, *MAKING)):
            return None
        node = net.node(taken[0])


def _is_factor(net, node):
    """Whether a node is a factor of a product, after moves."""
    waiting = [node]
    while waiting:
        for user in net.consumers(waiting.pop()):
            if isinstance(user, kinds.MatMul):
                return True
            if isinstance(user, MOVING):
                waiting.append(user)
    return False


def _through(net: ConvNet, node: GraphNode, taken: list[PatchPlaces | None]) -> PatchPlaces | None:
    """The PatchPlaces of a node's output from those of its inputs."""
    dims = net.graph.dims[node.name]
    first = next((p for p in taken if p is not None), None)
    if isinstance(node, MAKING):
        return _own(dims, net.last[node.name])
    if first is None:
        return None
    if isinstance(node, KEEPING):
        return first
    if isinstance(node, kinds.Binary | kinds.Where):
        return _merged([p for p in taken if p is not None], len(dims))
    if isinstance(node, kinds.Dense | kinds.MatMul):
        rows = taken[0]
        fits = rows is not None and rows.numbers.ndim == len(dims) and rows.numbers.shape[-1] == 1
        return rows if fits else None
    if isinstance(node, kinds.Reduce):
        axes = tuple(axis % first.numbers.ndim for axis in node.axes)
        if any(first.numbers.shape[axis] > 1 for axis in axes):
            return None
        return first if node.keep else PatchPlaces(first.grid, first.numbers.squeeze(axes))
    if isinstance(node, kinds.Concat | MOVING):
        return _moved(net, node, taken, first.grid)
    return None


def _own(dims, last):
    """The PatchPlaces of a map: a patch at each of its places."""
    if len(dims) != 4:
        return None
    rows, columns = dims[1:3] if last else dims[2:]
    numbers = np.arange(rows * columns, dtype=np.int32)
    return PatchPlaces((rows, columns), numbers.reshape((1, rows, columns, 1) if last else (1, 1, rows, columns)))


def _merged(taken, rank):
    """The PatchPlaces of what is computed place by place: those of the first, where it has none the others'."""
    numbers = taken[0].numbers
    for other in taken[1:]:
        if other.grid == taken[0].grid:
            numbers = np.where(numbers == NOWHERE, other.numbers, numbers)
    return PatchPlaces(taken[0].grid, numbers.reshape((1,) * (rank - numbers.ndim) + numbers.shape))


def _moved_at_once(net, node, taken):
    """The PatchPlaces of a transpose, a cut or a join, if known by the axes along which they differ; else None."""
    first = taken[0]
    if first is None or first.numbers.ndim != len(net.graph.dims[node.inputs[0]]):
        return None
    numbers = first.numbers
    if isinstance(node, kinds.Transpose):
        return _regrouped(PatchPlaces(first.grid, numbers.transpose(node.axes)), net.graph.dims[node.name])
    if isinstance(node, kinds.Slice):
        at = [np.arange(1) if n == 1 else place for n, place in zip(numbers.shape, node.places(), strict=True)]
        cut = PatchPlaces(first.grid, numbers[np.ix_(*at)])
        return _regrouped(cut, net.graph.dims[node.name]) if max(node.steps) > 1 else cut
    alike = isinstance(node, kinds.Concat) and numbers.shape[node.axis % numbers.ndim] == 1
    if alike and all(p is not None and p.grid == first.grid and np.array_equal(p.numbers, numbers) for p in taken):
        return first
    return None


def _moved(net, node, taken, grid):
    """The PatchPlaces of what only moves or joins."""
    if (quick := _moved_at_once(net, node, taken)) is not None:
        return quick
    if prod(net.graph.dims[node.name]) > MOST:
        return None
    if isinstance(node, kinds.Pad):
        node = replace(node, filling=NOWHERE)
    given, added = [], ADDED
    for key, here in zip(node.inputs, taken, strict=True):
        dims = net.graph.dims[key]
        if here is not None and here.grid == grid:
            given.append(np.broadcast_to(here.numbers, dims))
            continue
        numbers = np.full(dims, NOWHERE, np.int32)
        if isinstance(node, kinds.Concat) and key not in net.shapes and node.axis % len(dims) == len(dims) - 2:
            # Tokens that no picture gave: each has a number of its own.
            count = dims[-2]
            numbers[:] = (added - np.arange(count, dtype=np.int32))[:, None]
            added -= count
        given.append(numbers)
    numbers = np.asarray(node.value(*given)).astype(np.int32)
    for axis in range(numbers.ndim):
        start = numbers.take([0], axis)
        if numbers.shape[axis] > 1 and (numbers == start).all():
            numbers = start
    return _regrouped(PatchPlaces(grid, numbers), net.graph.dims[node.name])


def _regrouped(here, dims):
    """The PatchPlaces with larger patches where each place of a map has a block of them: merged, or every second."""
    rows, columns = here.grid
    if here.numbers.min() < 0 or here.numbers.size == 1 or len(dims) not in (3, 4):
        return here
    whole = np.broadcast_to(here.numbers, dims)
    for channels in (-1, 1)[: len(dims) - 2]:
        size = [n for axis, n in enumerate(dims) if axis not in (0, channels % len(dims))]
        starts, counts = [], []
        for values, length in ((whole // columns, rows), (whole % columns, columns)):
            low, high = values.min(axis=channels), values.max(axis=channels)
            found = np.unique(low)
            step = length // len(found)
            if len(found) * step != length or (np.diff(found) != step).any() or (high - low >= step).any():
                break
            starts.append(np.searchsorted(found, low))
            counts.append(len(found))
        else:
            numbers = starts[0] * counts[1] + starts[1]
            # Only of a map, or of tokens in its order, whose places are the new patches.
            is_map = size == counts or (len(dims) == 3 and prod(size) == prod(counts))
            if is_map and prod(counts) > 1 and (numbers.ravel() == np.arange(numbers.size)).all():
                return PatchPlaces((counts[0], counts[1]), np.expand_dims(numbers.astype(np.int32), channels))
    return here
