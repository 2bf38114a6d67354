"""Rules for what only moves numbers, and for shapes and constants made from them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.node import OnnxNode, Rules
from engine.network.graph import nodes
from engine.network.graph.builder import Value

# Places of elements that are picked one by one: arrays of 128 MiB.
MOST_PLACES = 1 << 24


def _reshape(node):
    x, target = node.x, node.setting(1, "shape")
    if target is None:
        raise node.refusal("it has no shape")
    return node.reshaped(x, _known(node, x, target, bool(node.number("allowzero", 0))))


def _known(node, x, target, zeros):
    """The shape that a list with 0 and -1 stands for; a constant batch in it becomes 1."""
    size, batch = prod(x.dims), node.scope.reading.batch
    dims = [x.dims[i] if n == 0 and not zeros and i < x.rank else n for i, n in enumerate(target)]
    if batch > 1 and not x.is_constant:
        dims = _of_one(dims, size, batch)
    if dims.count(-1) > 1 or any(n < -1 for n in dims):
        raise node.refusal(f"to {short(target)}")
    if -1 in dims:
        rest = -prod(dims)
        if rest <= 0 or size % rest:
            raise node.refusal(f"it makes {short(target)} of {x.dims}, which has {size} numbers")
        dims[dims.index(-1)] = size // rest
    return dims


def _of_one(dims, size, batch):
    """A shape that has been written for a batch, for one of it: its first axis that has the batch becomes shorter."""
    fixed = prod(n for n in dims if n > 0)
    if -1 not in dims and fixed != size * batch:
        return dims
    for i in range(min(2, len(dims))):
        if dims[i] == batch:
            return [*dims[:i], 1, *dims[i + 1 :]]
    if -1 not in dims:
        i = next((i for i, n in enumerate(dims) if n > 0 and n % batch == 0), -1)
        return dims if i < 0 else [*dims[:i], dims[i] // batch, *dims[i + 1 :]]
    return dims


def _flatten(node):
    x = node.x
    axis = node.number("axis", 1)
    axis = axis + x.rank if axis < 0 else axis
    if not 0 <= axis <= x.rank:
        raise node.refusal(f"it flattens from axis {axis} of {x.rank} on")
    return node.reshaped(x, (prod(x.dims[:axis]), prod(x.dims[axis:])))


def _squeeze(node):
    x, axes = node.x, node.setting(1, "axes")
    gone = {i for i, n in enumerate(x.dims) if n == 1} if axes is None else set(node.axes_of(axes, x.rank))
    if any(x.dims[i] != 1 for i in gone):
        raise node.refusal(f"it removes axes {sorted(gone)} of {x.dims}, which are not of length 1")
    return node.reshaped(x, [n for i, n in enumerate(x.dims) if i not in gone])


def _unsqueeze(node):
    x, axes = node.x, node.setting(1, "axes")
    if axes is None:
        raise node.refusal("it has no axes")
    rank = x.rank + len(axes)
    new = set(node.axes_of(axes, rank))
    if len(new) != len(axes):
        raise node.refusal(f"it adds axes {short(axes)}, some of them twice")
    rest = iter(x.dims)
    return node.reshaped(x, [1 if i in new else next(rest) for i in range(rank)])


def _transpose(node):
    axes = node.numbers("perm")
    return node.transposed(node.x, range(node.x.rank)[::-1] if axes is None else node.axes_of(axes, node.x.rank))


def _concat(node):
    values = [node.need(i) for i in range(max(len(node.inputs), 1))]
    axis = node.axis(1, values[0].rank)
    batch = node.scope.reading.batch
    if batch > 1 and axis and not all(v.is_constant for v in values):
        values = [_one_row(node, v, batch) for v in values]
    if len(values) == 1:
        return values[0]
    return node.add(nodes.Concat, *values, axis=axis)


def _one_row(node, value, batch):
    """A constant that is the same for each of a batch, as for one of them."""
    array = value.array
    if array is None or value.dims[:1] != (batch,):
        return value
    if not (array == array[:1]).all():
        raise node.refusal(f"it joins constants that differ within the batch of {batch}")
    return node.constant(array[:1], value.label)


def sliced(node: OnnxNode, x: Value, axis: int, start: int, count: int, step: int = 1, part: str = "") -> Value:
    """`count` elements along an axis."""
    if (start, count, step) == (0, x.dims[axis], 1):
        return x
    at = lambda value, rest: tuple(value if i == axis else n for i, n in enumerate(rest))
    return node.add(
        nodes.Slice, x, part=part,
        starts=at(start, [0] * x.rank), counts=at(count, x.dims), steps=at(step, [1] * x.rank),
    )  # fmt: skip


def _slice(node):
    x = node.x
    starts, ends, axes, steps = (node.setting(i, k) for i, k in enumerate(("starts", "ends", "axes", "steps"), start=1))
    if starts is None or ends is None:
        raise node.refusal("it has no starts or no ends")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise node.refusal(f"it has {len(starts)} starts, {len(ends)} ends, {len(axes)} axes, and steps {short(steps)}")
    ranges = [range(n) for n in x.dims]
    for axis, start, end, step in zip(node.axes_of(axes, x.rank), starts, ends, steps, strict=True):
        # Python's slices have the rule for ends out of range, except that -n - 1 stands before the first element.
        ranges[axis] = range(x.dims[axis])[slice(start, end, step)]
    if all(r == range(n) for r, n in zip(ranges, x.dims, strict=True)):
        return x
    first = [r.start if len(r) else 0 for r in ranges]
    return node.add(nodes.Slice, x, starts=first, counts=[len(r) for r in ranges], steps=[r.step for r in ranges])


def _split(node):
    x = node.x
    axis, sizes = node.axis(0, x.rank), node.setting(1, "split")
    n = x.dims[axis]
    if sizes is None:
        parts = node.number("num_outputs", node.outputs)
        each = -(-n // max(parts, 1))
        sizes = [max(min(each, n - i * each), 0) for i in range(min(parts, 100_000))]
    if sum(sizes) != n or min(sizes, default=-1) < 0:
        raise node.refusal(f"it cuts {n} into {short(sizes)}")
    ends = np.cumsum([0, *sizes])
    return [
        sliced(node, x, axis, int(end), size, part=f"{i}" if len(sizes) > 1 else "")
        for i, (end, size) in enumerate(zip(ends, sizes, strict=False))
    ]


def _expand(node):
    x, target = node.x, node.wholes(1, "shape")
    batch = node.scope.reading.batch
    if batch > 1 and target[:1] == [batch] and (x.rank < len(target) or x.dims[0] == 1):
        # What is repeated for each of a batch meets others of which there is one.
        target = [1, *target[1:]]
    dims = nodes.base.broadcast(x.dims, tuple(target)) if all(n >= 0 for n in target) else None
    if dims is None:
        raise node.refusal(f"to {short(target)}")
    return x if dims == x.dims else node.add(nodes.Expand, x, dims=dims)


def _tile(node):
    x, times = node.x, node.wholes(1, "repeats")
    if len(times) != x.rank or any(n < 0 for n in times):
        raise node.refusal(f"it repeats {x.dims} {short(times)} times")
    if all(n == 1 for n in times):
        return x
    # Each axis beside one of its repeats: (1, n), expanded to (times, n) and joined to one.
    pairs = [m for n in x.dims for m in (1, n)]
    wide = [m for n, t in zip(x.dims, times, strict=True) for m in (t, n)]
    dims = [n * t for n, t in zip(x.dims, times, strict=True)]
    if len(wide) > 32:
        raise node.refusal(f"it repeats {x.rank} axes")
    if x.is_constant:
        node.fits(dims)
    return node.reshaped(node.add(nodes.Expand, node.reshaped(x, pairs, "pairs"), dims=wide, part="repeats"), dims)


PADS = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def _pad(node):
    x, pads, given = node.x, node.setting(1, "pads"), node.input(2)
    mode = node.text("mode", "constant")
    filling = float(node.number("value", 0.0))
    if given is not None:
        array = node.array(2, "filling")
        filling = float(array.reshape(-1)[0]) if array.size else 0.0
    axes = list(range(x.rank)) if node.input(3) is None else node.axes_of(node.wholes(3, "axes"), x.rank)
    if pads is None or len(pads) != 2 * len(axes) or mode not in PADS:
        raise node.refusal(f"its pads are {short(pads)} for {len(axes)} axes, in mode {short(mode)}")
    before, after = [0] * x.rank, [0] * x.rank
    for i, axis in enumerate(axes):
        before[axis], after[axis] = pads[i], pads[len(axes) + i]
    if not any(before) and not any(after):
        return x
    return node.add(nodes.Pad, x, before=before, after=after, filling=filling, mode=PADS[mode])


# Picking elements at places


def _gather(node):
    x, axis = node.x, node.axis(0, node.x.rank)
    indices = node.array(1, "indices")
    return node.add(nodes.Gather, x, indices=indices, axis=axis)


def picked(node: OnnxNode, values: Sequence[Value], places: np.ndarray, dims: Sequence[int]) -> Value:
    """The elements at places of values, all laid one after another, in a shape."""
    flat = [node.reshaped(v, (prod(v.dims),), "flat") for v in values]
    whole = flat[0] if len(flat) == 1 else node.add(nodes.Concat, *flat, axis=0, part="both")
    return node.reshaped(node.add(nodes.Gather, whole, indices=places.reshape(-1), axis=0, part="places"), dims)


def _wrapped(node, indices, lengths):
    """Indices counted from 0."""
    if indices.dtype.kind not in "iu" or np.any((indices < -lengths) | (indices >= lengths)):
        raise node.refusal("its indices are out of range")
    return np.where(indices < 0, indices + lengths, indices)


def _places_along(node, dims, indices, axis):
    """Flat places of the elements that indices along an axis mean, as in numpy.take_along_axis."""
    node.fits(indices.shape, MOST_PLACES)
    if indices.ndim != len(dims) or any(
        m > n for i, (m, n) in enumerate(zip(indices.shape, dims, strict=True)) if i != axis
    ):
        raise node.refusal(f"its indices are {indices.shape} for {dims}")
    grid = list(np.indices(indices.shape, sparse=True))
    grid[axis] = _wrapped(node, indices, dims[axis])
    return np.ravel_multi_index(np.broadcast_arrays(*grid), dims)


def _gather_elements(node):
    x, indices = node.x, node.array(1, "indices")
    places = _places_along(node, x.dims, indices, node.axis(0, x.rank))
    return picked(node, [x], places, indices.shape)


def _places_nd(node, dims, indices, batch=0):
    """Flat places (..., the rest of dims) of what rows of indices mean."""
    rows, depth = indices.shape[:-1], indices.shape[-1]
    rest = dims[batch + depth :]
    if batch + depth > len(dims) or rows[:batch] != dims[:batch]:
        raise node.refusal(f"its indices are {indices.shape} for {dims}")
    node.fits((*rows, *rest), MOST_PLACES)
    indices = _wrapped(node, indices, np.array(dims[batch : batch + depth], np.int64))
    grid = [g.reshape(*g.shape, *[1] * (len(rows) - batch)) for g in np.indices(rows[:batch], sparse=True)]
    at = [*grid, *(indices[..., k] for k in range(depth))]
    first = np.ravel_multi_index(np.broadcast_arrays(*at), dims[: batch + depth]) if at else np.zeros(rows, int)
    return (np.asarray(first).reshape(-1, 1) * prod(rest) + np.arange(prod(rest))).reshape(*rows, *rest)


def _gather_nd(node):
    x, indices = node.x, node.array(1, "indices")
    if indices.ndim < 1:
        raise node.refusal("its indices are one number")
    places = _places_nd(node, x.dims, indices, node.number("batch_dims", 0))
    return picked(node, [x], places, places.shape)


def _replaced(node, x, places, updates):
    """x with the elements at places replaced by those of updates."""
    if node.text("reduction", "none") != "none":
        raise node.refusal(f"reduction = {node.text('reduction')}; none is accepted")
    if places.shape != updates.dims:
        raise node.refusal(f"its updates are {updates.dims} for {places.shape} places")
    node.fits(x.dims, MOST_PLACES)
    source = np.arange(prod(x.dims))
    source[places.reshape(-1)] = prod(x.dims) + np.arange(places.size)
    return picked(node, [x, updates], source, x.dims)


def _scatter_elements(node):
    x, indices, updates = node.x, node.array(1, "indices"), node.need(2)
    return _replaced(node, x, _places_along(node, x.dims, indices, node.axis(0, x.rank)), updates)


def _scatter_nd(node):
    x, indices, updates = node.x, node.array(1, "indices"), node.need(2)
    return _replaced(node, x, _places_nd(node, x.dims, indices), updates)


def _blocks(node):
    """(C, H, W, block) of an image and the block that its channels hold."""
    block, x = node.number("blocksize", 0), node.x
    if x.rank != 4 or block < 1:
        raise node.refusal(f"it works on images by blocks, not on {x.dims} by {block}")
    return (*x.dims[1:], block)


def _depth_to_space(node):
    C, H, W, b = _blocks(node)
    if C % (b * b):
        raise node.refusal(f"it puts {C} channels into blocks of {b} x {b}")
    batch, out = node.x.dims[0], C // (b * b)
    crd = node.text("mode", "DCR") == "CRD"
    parts = node.reshaped(node.x, (batch, out, b, b, H, W) if crd else (batch, b, b, out, H, W), "blocks")
    parts = node.transposed(parts, (0, 1, 4, 2, 5, 3) if crd else (0, 3, 4, 1, 5, 2), "order")
    return node.reshaped(parts, (batch, out, H * b, W * b))


def _space_to_depth(node):
    C, H, W, b = _blocks(node)
    if H % b or W % b:
        raise node.refusal(f"it cuts {H} x {W} into blocks of {b} x {b}")
    batch = node.x.dims[0]
    crd = node.text("mode", "DCR") == "CRD"
    parts = node.reshaped(node.x, (batch, C, H // b, b, W // b, b), "blocks")
    parts = node.transposed(parts, (0, 1, 3, 5, 2, 4) if crd else (0, 3, 5, 1, 2, 4), "order")
    return node.reshaped(parts, (batch, C * b * b, H // b, W // b))


def _trilu(node):
    x, k = node.x, 0 if node.input(1) is None else int(node.array(1, "diagonal").reshape(()))
    if x.rank < 2:
        raise node.refusal(f"it keeps a triangle of {x.dims}")
    rows, columns = node.fits(x.dims[-2:])
    upper = bool(node.number("upper", 1))
    lower = np.tri(rows, columns, min(max(k, -rows), columns) - upper) > 0
    mask = ~lower if upper else lower
    if x.array is not None:
        return node.computed(lambda a: np.where(mask, a, np.zeros((), a.dtype)), x.array)
    return node.add(nodes.Where, node.constant(mask), x, node.constant(0.0))


LAYOUT: Rules = {
    "Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Transpose": _transpose,
    "Concat": _concat, "Slice": _slice, "Split": _split, "Expand": _expand, "Tile": _tile, "Pad": _pad,
    "Gather": _gather, "GatherElements": _gather_elements, "GatherND": _gather_nd,
    "ScatterElements": _scatter_elements, "Scatter": _scatter_elements, "ScatterND": _scatter_nd,
    "DepthToSpace": _depth_to_space, "SpaceToDepth": _space_to_depth, "Trilu": _trilu,
}  # fmt: skip
