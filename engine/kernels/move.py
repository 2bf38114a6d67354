"""Numbers moved to other places: transposed, cut, joined, repeated, picked, padded, packed; computed on the GPU.

The place of a number in memory is a sum of offsets, one for each axis, so that tables of offsets say all of it.
"""

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.kernel import Dispatch, Kernel, spread
from engine.gpu.layout.stored import Stored
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.graph import nodes

AXES = 8
MOVE = struct(
    "Move", axes=f"array<vec4u, {AXES}>", rank="u32", count="u32", row="u32", source_first="i32", offset="i32",
    filling="f32",
)  # fmt: skip
# In a table: no number of the source.
NONE = -1
# Axes are joined while their table is no longer than this: fewer divisions, and still small tables.
LONGEST = 1 << 12


def steps(node: nodes.GraphNode, sources: Sequence[Stored], output: Stored) -> Iterator[Dispatch]:
    """The Dispatches of a Transpose, Slice, Expand, Gather, Pad or Concat.

    sources, output   arrays that are read, and one in separate memory that is written; `separable` all
    """
    if isinstance(node, nodes.Concat):
        yield from joined(node, sources, output)
        return
    own = OFFSETS[type(node)](node, sources[0])
    # The indices of a Gather may have several axes, or none.
    written = output if len(own) == len(output.dims) else output.seen([len(x) for x in own])
    yield from moved(sources[0], own, output, written.offsets(), getattr(node, "filling", 0.0))


def joined(node: nodes.Concat, sources: Sequence[Stored], output: Stored) -> Iterator[Dispatch]:
    """The Dispatches of a Concat; a source that lies in its place already is skipped."""
    axis, begin = node.axis % len(output.dims), 0
    for source in sources:
        table, end = output.offsets(), begin + source.dims[axis]
        table[axis] = table[axis][begin:end]
        begin = end
        if source.array is not output.array:
            yield from moved(source, source.offsets(), output, table)


def copied(source: Stored, output: Stored) -> Iterator[Dispatch]:
    """The Dispatches that write the same array in another layout."""
    if not (source.separable and output.separable):
        shape = next(stored.map.shape for stored in (source, output) if stored.map is not None)
        source, output = (_as_channels(stored, shape) for stored in (source, output))
    yield from moved(source, source.offsets(), output, output.offsets())


def _as_channels(stored, shape):
    """The same numbers as (1, C, H, W)."""
    return stored.seen((1, *shape)) if stored.map is None else Stored.mapped((1, *shape), stored.map, False)


def moved(
    source: Stored, own: Sequence[np.ndarray], output: Stored, table: Sequence[np.ndarray], filling: float = 0.0
) -> Iterator[Dispatch]:
    """The Dispatches that write numbers at some offsets of a source to offsets of an output.

    own     for each axis of what is written the offset in the source of each place along it; NONE: filling
    table   the offsets in the output alike

    What fills up the last four channels of a map is written too, with zeros; what lies there is written later.
    """
    own, table = _filled_up(output, list(own) or [np.zeros(1, int)], list(table) or [np.zeros(1, int)])
    count = prod(len(x) for x in own)
    if not count:
        return
    own, table = _merged(own, table)
    if len(own) > AXES:
        raise NetworkError(f"Numbers of {len(own)} axes are to be moved; at most {AXES} can be.")
    axes = np.zeros((AXES, 4), np.uint32)
    axes[: len(own), 0] = [len(x) for x in own]
    axes[1 : len(own), 1] = np.cumsum(axes[: len(own) - 1, 0])
    tables = np.stack([np.concatenate(own), np.concatenate(table)], axis=1).astype(np.int32)
    across, down = spread(-(-count // 64))
    uniform = MOVE.new(
        axes=axes, rank=len(own), count=count, row=64 * across, source_first=source.first, offset=output.first,
        filling=filling,
    )  # fmt: skip
    yield _kernel().prepared(
        (across, down), moving=uniform, tables=Array.of(tables.reshape(-1)), source=source.array, output=output.array
    )


def _filled_up(output, own, table):
    """The offsets, with those of what fills up the last group of a map's channels."""
    axis = output.axis
    if output.map is not None and len(table[axis]):
        end = table[axis][-1]
        more = np.arange(1, 4 - end % 4)
        own[axis] = np.concatenate([own[axis], np.full(len(more), NONE)])
        table[axis] = np.concatenate([table[axis], end + more])
    return own, table


def _merged(own, table):
    """The same places with few axes."""
    found = [(own[0], table[0])]
    for a, b in zip(own[1:], table[1:], strict=True):
        before = found[-1]
        if min(len(a), len(before[0])) == 1 or len(a) * len(before[0]) <= LONGEST:
            none = (before[0] == NONE)[:, None] | (a == NONE)
            sums = np.where(none, NONE, np.add.outer(before[0], a))
            found[-1] = sums.reshape(-1), np.add.outer(before[1], b).reshape(-1)
        else:
            found.append((a, b))
    return [a for a, _ in found], [b for _, b in found]


def _picked(offsets, places):
    return np.where(places == NONE, NONE, offsets[places]) if len(offsets) else np.full(len(places), NONE)


def _pad(node, source):
    found = []
    for offsets, a, b in zip(source.offsets(), node.before, node.after, strict=True):
        cut = np.arange(len(offsets))[max(-a, 0) : len(offsets) - max(-b, 0)]
        more = {"constant_values": NONE} if node.mode == "constant" else {}
        found.append(_picked(offsets, np.pad(cut, (max(a, 0), max(b, 0)), mode=node.mode, **more)))
    return found


def _expanded(node, source):
    shape = node.shape(source.dims)
    own = [*[np.zeros(1, int)] * (len(shape) - len(source.dims)), *source.offsets()]
    return [np.broadcast_to(x, n) for x, n in zip(own, shape, strict=True)]


def _gathered(node, source):
    own, axis = source.offsets(), node.axis % len(source.dims)
    own[axis] = own[axis][node.indices.reshape(-1)]
    return own


OFFSETS = {
    nodes.Transpose: lambda node, source: [source.offsets()[axis] for axis in node.axes],
    nodes.Slice: lambda node, source: [_picked(*x) for x in zip(source.offsets(), node.places(), strict=True)],
    nodes.Expand: _expanded,
    nodes.Gather: _gathered,
    nodes.Pad: _pad,
}


@kept
def _kernel():
    bindings = (
        Binding("moving", "uniform", MOVE),
        Binding("tables", "read", "array<vec2i>"),
        Binding("source", "read", "array<f32>"),
        Binding("output", "write", "array<f32>"),
    )
    return Kernel.of("kernels/move", bindings)
