"""Rules for products of matrices, softmax, and reductions along axes."""

from __future__ import annotations

import re
from math import prod

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.node import OnnxNode, Rule, Rules
from engine.network.graph import nodes
from engine.network.graph.builder import Value


def _gemm(node):
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    return product(
        node, node.need(0), node.need(1), node.input(2), alpha, beta, node.number("transA", 0), node.number("transB", 0)
    )


def product(
    node: OnnxNode,
    a: Value,
    b: Value,
    c: Value | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
    turn_a: int = 0,
    turn_b: int = 0,
) -> Value:
    """alpha a b + beta c, where a and b may be transposed in their last two axes."""
    a = swapped(node, a, "left") if turn_a else a
    if b.array is not None and b.rank == 2 and not a.is_constant and b.array.dtype.kind == "f":
        # Weights; the bits of those that are not scaled stay.
        weights = b.array if turn_b else b.array.T
        weights = weights if alpha == 1 else weights.astype(float) * alpha
        bias = None
        if c is not None and c.array is not None and c.array.size in (1, len(weights)) and c.dims[-1:] in (
            (len(weights),), (1,), (),
        ):  # fmt: skip
            bias = c.array.reshape(-1) if beta == 1 else c.array.reshape(-1).astype(float) * beta
            bias, c = np.broadcast_to(bias, len(weights)), None
        y = node.add(nodes.Dense, a, weights=weights, bias=bias, part="" if c is None else "product")
    else:
        y = node.add(nodes.MatMul, a, swapped(node, b, "right") if turn_b else b, part="" if c is None else "product")
        y = y if alpha == 1 else node.scaled(y, alpha, part="scale")
    if c is None:
        return y
    return node.add(nodes.Add, y, c if beta == 1 else node.scaled(c, beta, part="bias"))


def swapped(node: OnnxNode, x: Value, part: str = "") -> Value:
    """The last two axes exchanged."""
    if x.rank < 2:
        raise node.refusal(f"it transposes {x.dims}")
    return node.transposed(x, [*range(x.rank - 2), x.rank - 1, x.rank - 2], part)


def _matmul(node):
    return product(node, node.need(0), node.need(1))


def _einsum(node):
    text = re.sub(r"\s", "", node.text("equation"))
    left, arrow, out = text.partition("->")
    terms = left.split(",")
    values = [node.need(i) for i in range(len(terms))]
    if not re.fullmatch(r"(\.\.\.|[A-Za-z,>-])*", text) or len(terms) > 8:
        raise node.refusal(f"its equation is {short(text)}")
    # Letters that no equation has for the axes of `...`.
    most = max(
        (v.rank - len(t.replace("...", "")) for t, v in zip(terms, values, strict=True) if "..." in t), default=0
    )
    dots = "0123456789"[: max(most, 0)]
    names = []
    for term, value in zip(terms, values, strict=True):
        inner = term.replace("...", "")
        names.append(
            term.replace("...", dots[len(dots) - (value.rank - len(inner)) :] if value.rank > len(inner) else "")
        )
        if len(names[-1]) != value.rank or len(set(names[-1])) != value.rank:
            raise node.refusal(f"its equation is {short(text)} for {value.dims}; each axis must be there once")
    if arrow:
        out = out.replace("...", dots)
    else:
        counts = "".join(names)
        out = dots + "".join(sorted(k for k in set(counts) if counts.count(k) == 1 and k not in dots))
    if len(set(out)) != len(out) or not set(out) <= set("".join(names)):
        raise node.refusal(f"its equation is {short(text)}")
    total, axes = values[0], names[0]
    for i in range(1, len(values)):
        kept = set(out).union(*names[i + 1 :]) if i + 1 < len(names) else set(out)
        total, axes = _contracted(node, total, axes, values[i], names[i], kept)
    total, axes = _summed(node, total, axes, set(out))
    return node.transposed(total, [axes.index(k) for k in out], "order")


def _summed(node, x, axes, kept):
    """x summed over the axes that are not kept."""
    gone = tuple(i for i, k in enumerate(axes) if k not in kept)
    if not gone:
        return x, axes
    y = node.add(nodes.Reduce, x, function="sum", axes=gone, keep=False, part="sum")
    return y, "".join(k for k in axes if k in kept)


def _contracted(node, a, a_axes, b, b_axes, kept):
    """The product of two values, summed over their common axes that are not kept, as a batch of matrix products."""
    a, a_axes = _summed(node, a, a_axes, kept | set(b_axes))
    b, b_axes = _summed(node, b, b_axes, kept | set(a_axes))
    common = [k for k in a_axes if k in b_axes]
    batch = [k for k in common if k in kept]
    inner = [k for k in common if k not in kept]
    rows = [k for k in a_axes if k not in common]
    columns = [k for k in b_axes if k not in common]
    size = {k: n for axes, x in ((a_axes, a), (b_axes, b)) for k, n in zip(axes, x.dims, strict=True) if n != 1}
    of = lambda keys: [size.get(k, 1) for k in keys]
    for axes, x in ((a_axes, a), (b_axes, b)):
        if any(n not in (1, size.get(k, 1)) for k, n in zip(axes, x.dims, strict=True)):
            raise node.refusal(f"its axes are {a.dims} and {b.dims}, which do not fit each other")
    wide = lambda x, axes: x if list(x.dims) == of(axes) else node.add(nodes.Expand, x, dims=of(axes), part="expand")
    left = node.transposed(wide(a, a_axes), [a_axes.index(k) for k in (*batch, *rows, *inner)], "left")
    right = node.transposed(wide(b, b_axes), [b_axes.index(k) for k in (*batch, *inner, *columns)], "right")
    left = node.reshaped(left, (*of(batch), prod(of(rows)), prod(of(inner))), "rows")
    right = node.reshaped(right, (*of(batch), prod(of(inner)), prod(of(columns))), "columns")
    y = product(node, left, right)
    return node.reshaped(y, (*of(batch), *of(rows), *of(columns)), "axes"), "".join((*batch, *rows, *columns))


def _softmax(log):
    def rule(node):
        x = node.x
        axis = node.axis(1 if node.opset < 13 else -1, x.rank)
        if node.opset >= 13 or prod(x.dims[axis + 1 :]) == 1:
            return node.add(nodes.Softmax, x, axis=axis, log=log)
        # Before opset 13 all axes from this one on together.
        flat = node.reshaped(x, (prod(x.dims[:axis]), prod(x.dims[axis:])), "flat")
        return node.reshaped(node.add(nodes.Softmax, flat, axis=1, log=log), x.dims, "axes")

    return rule


def reduced(node: OnnxNode, x: Value, function: str, axes: tuple[int, ...], keep: bool, part: str = "") -> Value:
    """A Reduce of constants of any type, or of a value."""
    return node.add(nodes.Reduce, x, function=function, axes=axes, keep=keep, part=part)


def _reduction(function: str, before: str = "", after: str = "") -> Rule:
    """The rule of a reduction of an activation of the input, and an activation of the result."""

    def rule(node):
        x = node.x
        given, keep = node.setting(1, "axes"), bool(node.number("keepdims", 1))
        if not given and node.number("noop_with_empty_axes", 0):
            axes: tuple[int, ...] = ()
        else:
            axes = tuple(range(x.rank)) if not given else tuple(sorted(set(node.axes_of(given, x.rank))))
        if function == "logsumexp":
            return _log_sum_exp(node, x, axes, keep)
        x = node.activated(x, before, part=before) if before else x
        y = reduced(node, x, function, axes, keep, part="sum" if after else "") if axes else x
        return node.activated(y, after) if after else y

    return rule


def _log_sum_exp(node, x, axes, keep):
    """log of the sum of exp, of what is less than the largest, so that nothing overflows."""
    most = reduced(node, x, "max", axes, True, "max")
    powers = node.activated(node.add(nodes.Subtract, x, most, part="less"), "exp", part="exp")
    total = node.activated(reduced(node, powers, "sum", axes, True, "sum"), "log", part="log")
    y = node.add(nodes.Add, total, most)
    return y if keep else node.reshaped(y, [n for i, n in enumerate(x.dims) if i not in axes], "axes")


DENSE: Rules = {
    "Gemm": _gemm, "MatMul": _matmul, "Einsum": _einsum, "Softmax": _softmax(False), "LogSoftmax": _softmax(True),
    "ReduceMean": _reduction("mean"), "ReduceSum": _reduction("sum"), "ReduceMax": _reduction("max"),
    "ReduceMin": _reduction("min"), "ReduceProd": _reduction("product"), "ReduceL1": _reduction("sum", "abs"),
    "ReduceL2": _reduction("sum", "square", "sqrt"), "ReduceSumSquare": _reduction("sum", "square"),
    "ReduceLogSum": _reduction("sum", "", "log"), "ReduceLogSumExp": _reduction("logsumexp"),
}  # fmt: skip
