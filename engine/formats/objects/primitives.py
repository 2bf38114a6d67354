"""Rows for the primitives of JAX: the nodes that compute each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.network.graph import nodes
from engine.network.graph.builder import Value
from engine.network.graph.nodes import GraphNode

# Activations under the same name.
NAMED = (
    "tanh", "logistic", "sin", "cos", "exp", "log", "sqrt", "rsqrt", "abs", "erf", "atan", "square", "sign", "floor",
    "ceil", "tan", "asin", "acos", "sinh", "cosh", "asinh", "acosh", "atanh", "round",
)  # fmt: skip
BINARY: dict[str, type[GraphNode]] = {"add": nodes.Add, "add_any": nodes.Add, "sub": nodes.Subtract,
                                      "mul": nodes.Multiply, "div": nodes.Divide, "max": nodes.Maximum,
                                      "min": nodes.Minimum, "pow": nodes.Power}  # fmt: skip
RELATIONS = {"eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "and": "and", "or": "or",
             "xor": "xor"}  # fmt: skip
REDUCED = {"reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min", "reduce_prod": "product"}
SAME = ("copy", "stop_gradient", "reduce_precision", "optimization_barrier", "sharding_constraint", "copy_p")


def _binary(name):
    def row(reader, params, given):
        a, b = given
        lowest = [not isinstance(x, Value) and bool(np.all(np.asarray(x) == -np.inf)) for x in (a, b)]
        if name == "max" and any(lowest):
            return reader.value(b if lowest[0] else a)
        if name == "div":
            found = _softmax(reader, a, b)
            if found is not None:
                return found
        if name == "sub":
            found = _log_softmax(reader, a, b)
            if found is not None:
                return found
        return reader.add(BINARY[name], a, b)

    return row


MOVED = ("broadcast_in_dim", "reshape", "stop_gradient", "max", "expand_dims")


def _shifted(reader, value):
    """x of x - max(x), else the value itself: softmax is the same of both."""
    name, given, _ = reader.back(value)
    if name == "sub" and reader.back(given[1], *MOVED)[0] == "reduce_max":
        return given[0]
    return value


def _softmax(reader, top, bottom):
    """exp(x) / sum of exp(x)."""
    name, given, _ = reader.back(top)
    below, summed, params = reader.back(bottom, *MOVED)
    if name == "exp" and below == "reduce_sum" and summed[0] is top and len(params["axes"]) == 1:
        return reader.add(nodes.Softmax, _shifted(reader, given[0]), axis=params["axes"][0])
    return None


def _log_softmax(reader, x, total):
    """x - log of the sum of exp(x)."""
    name, given, _ = reader.back(total, *MOVED)
    below, summed, params = reader.back(given[0], *MOVED) if name == "log" else ("", (), {})
    above, of, _ = reader.back(summed[0]) if below == "reduce_sum" else ("", (), {})
    if above == "exp" and of[0] is x and len(params["axes"]) == 1:
        return reader.add(nodes.Softmax, _shifted(reader, x), axis=params["axes"][0], log=True)
    return None


def _chosen(reader, params, given):
    which, *cases = given
    if not isinstance(which, Value):
        which = np.asarray(which)
        if which.dtype.kind == "b" and which.all() == which.any():
            return reader.value(cases[int(which.all())])
    if len(cases) != 2:
        raise NetworkError(f"{reader.builder.name} chooses among {len(cases)} cases; two are read.")
    return reader.add(nodes.Where, which, cases[1], cases[0])


def _product(reader, params, given):
    """A product over some axes of two tensors, others in common: as matrices in batches."""
    (left, right), (left_batch, right_batch) = params["dimension_numbers"]
    a, b = map(reader.value, given)
    free = [
        [i for i in range(v.rank) if i not in (*c, *s)] for v, c, s in ((a, left, left_batch), (b, right, right_batch))
    ]
    dims = [a.dims[i] for i in left_batch] + [a.dims[i] for i in free[0]] + [b.dims[i] for i in free[1]]
    batch = [a.dims[i] for i in left_batch]
    inner = int(np.prod([a.dims[i] for i in left]))
    if not batch:
        for value, other, mine, theirs, first in ((a, b, left, right, True), (b, a, right, left, False)):
            if other.is_constant and not value.is_constant:
                out = int(np.prod([other.dims[i] for i in free[first]]))
                weights = np.transpose(other.array, [*free[first], *theirs]).reshape(out, inner)
                rest = free[1 - first]
                rows = reader.turned(value, [*rest, *mine])
                rows = reader.reshaped(rows, [*(value.dims[i] for i in rest), inner])
                made = reader.add(nodes.Dense, rows, weights=weights)
                if not first:  # its outputs come first
                    made = reader.turned(made, [made.rank - 1, *range(made.rank - 1)])
                return reader.reshaped(made, dims)
    rows, columns = (int(np.prod([v.dims[i] for i in f])) for v, f in zip((a, b), free, strict=True))
    a = reader.reshaped(reader.turned(a, [*left_batch, *free[0], *left]), [*batch, rows, inner])
    b = reader.reshaped(reader.turned(b, [*right_batch, *right, *free[1]]), [*batch, inner, columns])
    return reader.reshaped(reader.add(nodes.MatMul, a, b), dims)


def _broadcast(reader, params, given):
    value, dims = reader.value(given[0]), tuple(params["shape"])
    if value.rank == 0 and isinstance(given[0], Value):
        return reader.add(nodes.Expand, value, dims=dims)
    spread = [1] * len(dims)
    for n, axis in zip(value.dims, params["broadcast_dimensions"], strict=True):
        spread[axis] = n
    value = reader.reshaped(value, spread)
    return value if value.dims == dims else reader.add(nodes.Expand, value, dims=dims)


def _sliced(reader, params, given):
    value = reader.value(given[0])
    starts, steps = params["start_indices"], params["strides"] or (1,) * value.rank
    counts = [-(-(b - a) // s) for a, b, s in zip(starts, params["limit_indices"], steps, strict=True)]
    return reader.add(nodes.Slice, value, starts=tuple(starts), counts=tuple(counts), steps=tuple(steps))


def _cut(reader, params, given):
    """dynamic_slice with places that do not depend on the input."""
    value, places = reader.value(given[0]), given[1:]
    if any(isinstance(x, Value) for x in places):
        raise NetworkError(f"{reader.builder.name} takes places that depend on the input.")
    sizes = params["slice_sizes"]
    starts = [int(np.clip(int(p), 0, n - s)) for p, n, s in zip(places, value.dims, sizes, strict=True)]
    return reader.add(nodes.Slice, value, starts=tuple(starts), counts=tuple(sizes), steps=(1,) * value.rank)


def _gathered(reader, params, given):
    """Whole slices along one axis, at places that do not depend on the input."""
    value, places, numbers = reader.value(given[0]), given[1], params["dimension_numbers"]
    plain = len(numbers.start_index_map) == 1 and numbers.collapsed_slice_dims == numbers.start_index_map
    axis = numbers.start_index_map[0]
    wanted = tuple(1 if i == axis else n for i, n in enumerate(value.dims))
    if isinstance(places, Value) or not plain or tuple(params["slice_sizes"]) != wanted:
        raise NetworkError(f"{reader.builder.name} takes places of several axes, or that depend on the input.")
    indices = np.asarray(places)[..., 0]
    made = reader.add(nodes.Gather, value, indices=np.clip(indices, 0, value.dims[axis] - 1), axis=axis)
    # Axes of places come where the gathered axis was; the output has them apart from `offset_dims`.
    among = list(range(axis, axis + indices.ndim))
    rest = [i for i in range(made.rank) if i not in among]
    order = [0] * made.rank
    for source, target in zip(rest, numbers.offset_dims, strict=True):
        order[target] = source
    free = [i for i in range(made.rank) if i not in numbers.offset_dims]
    for source, target in zip(among, free, strict=True):
        order[target] = source
    return reader.turned(made, order)


def _padded(reader, params, given):
    if isinstance(given[1], Value) or any(inner for _, _, inner in params["padding_config"]):
        raise NetworkError(f"{reader.builder.name} pads between elements, or with numbers that depend on the input.")
    before, after, _ = zip(*params["padding_config"], strict=True)
    return reader.add(nodes.Pad, given[0], before=before, after=after, filling=float(given[1]))


def _reduced(function):
    def row(reader, params, given):
        return reader.add(nodes.Reduce, given[0], function=function, axes=tuple(params["axes"]), keep=False)

    return row


def _powered(reader, params, given):
    y = params["y"]
    return reader.applied("square", given[0]) if y == 2 else reader.add(nodes.Power, given[0], float(y))


def _cast(reader, params, given):
    kind = np.dtype(params["new_dtype"]).kind if str(params["new_dtype"]) != "bfloat16" else "f"
    value = reader.value(given[0])
    return value if kind in "fV" else reader.add(nodes.Cast, value, to="bool" if kind == "b" else "int")


def _clamped(reader, params, given):
    low, value, high = given
    if isinstance(low, Value) or isinstance(high, Value) or np.size(low) + np.size(high) != 2:
        return reader.add(nodes.Minimum, reader.add(nodes.Maximum, value, low), high)
    return reader.applied(f"hardtanh({float(low)!r},{float(high)!r})", value)


def _convolved(reader, params, given):
    if isinstance(given[1], Value) or set(params["lhs_dilation"]) != {1} or params["batch_group_count"] != 1:
        raise NetworkError(f"{reader.builder.name} has a transposed convolution, or one of two inputs.")
    numbers, value, weights = params["dimension_numbers"], reader.value(given[0]), np.asarray(given[1])
    if value.rank != 4:
        raise NetworkError(f"{reader.builder.name} convolves over {value.rank - 2} axes; rows and columns are read.")
    (top, bottom), (left, right) = params["padding"]
    made = reader.add(
        nodes.Convolution, reader.turned(value, numbers.lhs_spec), weights=weights.transpose(numbers.rhs_spec),
        stride=tuple(params["window_strides"]), padding=(top, left, bottom, right),
        dilation=tuple(params["rhs_dilation"]), groups=params["feature_group_count"],
    )  # fmt: skip
    return reader.turned(made, np.argsort(numbers.out_spec))


def _pooled(kind):
    def row(reader, params, given):
        value, sizes = reader.value(given[0]), params["window_dimensions"]
        spatial = [i for i, n in enumerate(sizes) if n > 1] or [1, 2]
        plain = value.rank == 4 and len(spatial) <= 2 and set(params.get("base_dilation") or (1,)) == {1}
        spatial = sorted({*spatial, *[i for i in (1, 2, 3) if i not in spatial][: 2 - len(spatial)]})
        if not plain or set(params.get("window_dilation") or (1,)) != {1}:
            raise NetworkError(f"{reader.builder.name} has windows over other axes than rows and columns.")
        order = [0, next(i for i in (1, 2, 3) if i not in spatial), *spatial]
        pads, strides = params["padding"], params["window_strides"]
        (top, bottom), (left, right) = (pads[i] for i in spatial)
        fields: dict[str, Any] = dict(size=tuple(sizes[i] for i in spatial), stride=tuple(strides[i] for i in spatial))
        if kind is nodes.AveragePool:
            fields["include_padding"] = True
        made = reader.add(kind, reader.turned(value, order), padding=(top, left, bottom, right), **fields)
        if kind is nodes.AveragePool:  # of sums
            made = reader.add(nodes.Multiply, made, float(np.prod(fields["size"])))
        return reader.turned(made, np.argsort(order))

    return row


def _split(reader, params, given):
    value, axis, at, found = reader.value(given[0]), params["axis"], 0, []
    for size in params["sizes"]:
        starts, counts = [0] * value.rank, list(value.dims)
        starts[axis], counts[axis] = at, size
        found.append(
            reader.add(nodes.Slice, value, starts=tuple(starts), counts=tuple(counts), steps=(1,) * value.rank)
        )
        at += size
    return found


def _reversed(reader, params, given):
    value = reader.value(given[0])
    for axis in params["dimensions"]:
        value = reader.add(nodes.Gather, value, indices=np.arange(value.dims[axis])[::-1], axis=axis)
    return value


def _remainder(reader, params, given):
    """x - y times the whole part of x / y, which is towards 0."""
    ratio = reader.add(nodes.Divide, *given)
    whole = reader.add(
        nodes.Multiply, reader.applied("sign", ratio), reader.applied("floor", reader.applied("abs", ratio))
    )
    return reader.add(nodes.Subtract, given[0], reader.add(nodes.Multiply, whole, given[1]))


def _applied(text):
    return lambda reader, params, given: reader.applied(text, given[0])


def _compared(relation):
    return lambda reader, params, given: reader.add(nodes.Compare, *given, relation=relation)


# (the tracing, the parameters of the primitive, what it takes) -> a Value, or several
Row = Callable[[Any, Mapping[str, Any], Sequence[Any]], Any]
ROWS: dict[str, Row] = {
    **{key: _applied(key) for key in NAMED},
    **{key: _binary(key) for key in BINARY},
    **{key: _compared(relation) for key, relation in RELATIONS.items()},
    **{key: _reduced(function) for key, function in REDUCED.items()},
    **dict.fromkeys(SAME, lambda reader, params, given: reader.value(given[0])),
    # Of the largest number in logsumexp; where a network's value is infinite, none is shown.
    "is_finite": lambda reader, params, given: reader.value(np.ones(reader.value(given[0]).dims, bool)),
    "neg": lambda reader, params, given: reader.add(nodes.Multiply, given[0], -1.0),
    "log1p": lambda reader, params, given: reader.applied("log", reader.add(nodes.Add, given[0], 1.0)),
    "expm1": lambda reader, params, given: reader.add(nodes.Add, reader.applied("exp", given[0]), -1.0),
    "erfc": lambda reader, params, given: reader.add(nodes.Subtract, 1.0, reader.applied("erf", given[0])),
    "integer_pow": _powered,
    "rem": _remainder,
    "select_n": _chosen,
    "clamp": _clamped,
    "dot_general": _product,
    "broadcast_in_dim": _broadcast,
    "reshape": lambda reader, params, given: reader.reshaped(given[0], params["new_sizes"]),
    "squeeze": lambda reader, params, given: reader.reshaped(
        given[0], [n for i, n in enumerate(reader.value(given[0]).dims) if i not in params["dimensions"]]
    ),
    "transpose": lambda reader, params, given: reader.turned(given[0], params["permutation"]),
    "concatenate": lambda reader, params, given: reader.add(nodes.Concat, *given, axis=params["dimension"]),
    "slice": _sliced,
    "dynamic_slice": _cut,
    "gather": _gathered,
    "pad": _padded,
    "split": _split,
    "rev": _reversed,
    "convert_element_type": _cast,
    "conv_general_dilated": _convolved,
    "reduce_window_max": _pooled(nodes.MaxPool),
    "reduce_window_sum": _pooled(nodes.AveragePool),
}
