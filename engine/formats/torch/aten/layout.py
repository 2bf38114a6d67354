"""Rows for operators that only move numbers."""

from __future__ import annotations

import math

import numpy as np

from engine.formats.torch.aten.call import Call, Row, dims_of
from engine.network.graph import nodes
from engine.network.graph.builder import Value


def _viewed(call: Call):
    value = call.value("self")
    return call.reshaped(value, dims_of(call.get("size", call.get("shape")), math.prod(value.dims)))


def _permuted(call: Call):
    value = call.value("self")
    return call.add(nodes.Transpose, value, axes=call.axes("dims", value))


def _swapped(call: Call):
    value = call.value("self")
    axes = list(range(value.rank))
    a, b = (call["dim0"], call["dim1"]) if "dim0" in call.arguments else (0, min(1, value.rank - 1))
    axes[a], axes[b] = axes[b], axes[a]
    return call.add(nodes.Transpose, value, axes=tuple(axes))


def _squeezed(call: Call):
    value = call.value("self")
    axes = call.axes("dim", value)
    return call.reshaped(value, [n for i, n in enumerate(value.dims) if i not in axes or n != 1])


def _unsqueezed(call: Call):
    value = call.value("self")
    dims = list(value.dims)
    dims.insert(call["dim"] % (value.rank + 1), 1)
    return call.reshaped(value, dims)


def _expanded(call: Call):
    value, sizes = call.value("self"), list(call["size"])
    old = [1] * (len(sizes) - value.rank) + list(value.dims)
    dims = tuple(b if a == -1 else a for a, b in zip(sizes, old, strict=True))
    return value if dims == value.dims else call.add(nodes.Expand, value, dims=dims)


def cut(call: Call, value: Value, axis: int, start: int, count: int, step: int = 1) -> Value:
    """`count` elements along an axis."""
    axis %= value.rank
    if (start, count, step) == (0, value.dims[axis], 1):
        return value
    starts, counts, steps = [0] * value.rank, list(value.dims), [1] * value.rank
    starts[axis], counts[axis], steps[axis] = start, count, step
    return call.add(nodes.Slice, value, starts=tuple(starts), counts=tuple(counts), steps=tuple(steps))


def _sliced(call: Call):
    value, axis = call.value("self"), call.get("dim", 0)
    taken = range(value.dims[axis])[slice(call.get("start"), call.get("end"), call.get("step", 1))]
    return cut(call, value, axis, taken.start if len(taken) else 0, len(taken), taken.step)


def _unfolded(call: Call):
    """Windows along an axis, their elements along a new last one."""
    value, size, step = call.value("self"), call["size"], call["step"]
    axis = call["dimension"] % value.rank
    starts = step * np.arange((value.dims[axis] - size) // step + 1)
    taken = call.add(nodes.Gather, value, indices=starts[:, None] + np.arange(size), axis=axis)
    axes = [i for i in range(taken.rank) if i != axis + 1]
    return call.add(nodes.Transpose, taken, axes=(*axes, axis + 1))


def _copied(call: Call):
    """What is written over another array."""
    value, dims = call.value("src"), call.value("self").dims
    return value if dims == value.dims else call.add(nodes.Expand, value, dims=dims)


def _selected(call: Call):
    value = call.value("self")
    axis, index = call["dim"] % value.rank, call["index"]
    one = cut(call, value, axis, index % value.dims[axis], 1)
    return call.reshaped(one, value.dims[:axis] + value.dims[axis + 1 :])


def _narrowed(call: Call):
    value = call.value("self")
    return cut(call, value, call["dim"], call["start"] % max(value.dims[call["dim"]], 1), call["length"])


def _joined(call: Call):
    # PyTorch's empty vectors join with anything.
    values = [v for v in map(call.value, call["tensors"]) if v.dims != (0,)]
    return call.add(nodes.Concat, *values, axis=call.get("dim", 0) % values[0].rank)


def _stacked(call: Call):
    values = [call.value(each) for each in call["tensors"]]
    axis = call.get("dim", 0) % (values[0].rank + 1)
    dims = (*values[0].dims[:axis], 1, *values[0].dims[axis:])
    return call.add(nodes.Concat, *(call.reshaped(value, dims) for value in values), axis=axis)


def _split(call: Call):
    value, axis = call.value("self"), call.get("dim", 0)
    sizes = call.get("split_sizes", call.get("split_size"))
    length = value.dims[axis]
    if isinstance(sizes, int):
        sizes = [min(sizes, length - at) for at in range(0, length, sizes)]
    starts = np.cumsum([0, *sizes])
    return tuple(cut(call, value, axis, int(at), n) for at, n in zip(starts, sizes, strict=False))


def _unbound(call: Call):
    value = call.value("self")
    axis = call.get("dim", 0) % value.rank
    dims = value.dims[:axis] + value.dims[axis + 1 :]
    return tuple(call.reshaped(cut(call, value, axis, i, 1), dims) for i in range(value.dims[axis]))


def _rolled(call: Call):
    value = call.value("self")
    axes, shifts = call.get("dims"), call["shifts"]
    flat = not axes
    result = call.reshaped(value, (math.prod(value.dims),)) if flat else value
    for axis, shift in zip([0] if flat else axes, shifts, strict=True):
        n = result.dims[axis]
        if shift % n:
            parts = cut(call, result, axis, n - shift % n, shift % n), cut(call, result, axis, 0, n - shift % n)
            result = call.add(nodes.Concat, *parts, axis=axis % result.rank)
    return call.reshaped(result, value.dims)


def _flipped(call: Call):
    result = call.value("self")
    for axis in call["dims"]:
        result = cut(call, result, axis, result.dims[axis] - 1, result.dims[axis], -1)
    return result


def _repeated(call: Call):
    value, times = call.value("self"), call.get("repeats", call.get("dims"))
    dims = (1,) * (len(times) - value.rank) + value.dims
    apart = [n for d in dims for n in (1, d)]
    wide = [n for t, d in zip(times, dims, strict=True) for n in (t, d)]
    grown = call.add(nodes.Expand, call.reshaped(value, apart), dims=tuple(wide))
    return call.reshaped(grown, [t * d for t, d in zip(times, dims, strict=True)])


def _indexed(call: Call):
    value, given = call.value("self"), list(call["indices"])
    found = [(axis, index) for axis, index in enumerate(given) if index is not None]
    if any(isinstance(index, Value) and not index.is_constant for _, index in found):
        raise call.refusal("the places that it takes depend on the input")
    arrays = [np.asarray(call.value(index).array) for _, index in found]
    if any(array.dtype.kind == "b" for array in arrays):
        raise call.refusal("it takes places by truth values; only by numbers are accepted")
    axes = [axis for axis, _ in found]
    if axes != list(range(axes[0], axes[0] + len(axes))):
        raise call.refusal("it takes places along axes that are not next to each other")
    # Along several axes at once: one axis of them all.
    dims, first, last = value.dims, axes[0], axes[-1] + 1
    sizes = dims[first:last]
    places = np.broadcast_arrays(*(np.where(a < 0, a + n, a) for a, n in zip(arrays, sizes, strict=True)))
    flat = np.ravel_multi_index(tuple(places), sizes) if len(axes) > 1 else places[0]
    merged = call.reshaped(value, (*dims[:first], math.prod(sizes), *dims[last:]))
    return call.add(nodes.Gather, merged, indices=flat, axis=first)


def _index_selected(call: Call):
    index, value = call.constant("index"), call.value("self")
    if index is None:
        raise call.refusal("the places that it takes depend on the input")
    return call.add(nodes.Gather, value, indices=index.reshape(-1), axis=call["dim"] % value.rank)


def _padded(mode: str) -> Row:
    def row(call):
        value, pad = call.value(next(iter(call.arguments))), call.get("pad", call.get("padding"))
        before, after = [0] * value.rank, [0] * value.rank
        for i in range(len(pad) // 2):  # from the last axis on
            before[-1 - i], after[-1 - i] = pad[2 * i], pad[2 * i + 1]
        filling = float(call.get("value", 0.0)) if mode == "constant" else 0.0
        return call.add(nodes.Pad, value, before=tuple(before), after=tuple(after), filling=filling, mode=mode)

    return row


def _embedded(call: Call):
    indices, table = call.arguments["indices"], call.constant("weight")
    if isinstance(indices, Value) or table is None:
        raise call.refusal("its input are numbers of words; networks of real numbers are shown")
    return call.builder.constant(table[np.asarray(indices)])


ROWS: dict[str, Row] = {
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "view_copy"), _viewed),
    "permute": _permuted,
    "transpose": _swapped,
    "t": _swapped,
    "numpy_T": lambda call: call.add(nodes.Transpose, "self", axes=tuple(range(call.value("self").rank))[::-1]),
    "squeeze": _squeezed,
    "unsqueeze": _unsqueezed,
    "expand": _expanded,
    "slice": _sliced,
    "select": _selected,
    "unfold": _unfolded,
    "copy": _copied,
    "narrow": _narrowed,
    "cat": _joined,
    "stack": _stacked,
    "split": _split,
    "split_with_sizes": _split,
    "unbind": _unbound,
    "roll": _rolled,
    "flip": _flipped,
    "repeat": _repeated,
    "tile": _repeated,
    "index": _indexed,
    "index_select": _index_selected,
    "constant_pad_nd": _padded("constant"),
    **dict.fromkeys(("reflection_pad1d", "reflection_pad2d"), _padded("reflect")),
    **dict.fromkeys(("replication_pad1d", "replication_pad2d"), _padded("edge")),
    "_pad_circular": _padded("wrap"),
    "embedding": _embedded,
}
