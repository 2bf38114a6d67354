"""Rows for operators in which many numbers meet: products, convolutions, normalisations, pools, sums along axes."""

from __future__ import annotations

import importlib
import math

import numpy as np

from engine.formats.torch.aten.call import Call, Row, array_of, pair
from engine.formats.torch.aten.layout import cut
from engine.network.graph import nodes
from engine.network.graph.builder import Value


def _dense(call: Call, value: Value, weights: np.ndarray, bias: np.ndarray | None) -> Value:
    return call.add(nodes.Dense, value, weights=weights, bias=bias)


def _linear(call: Call):
    weights, bias, value = call.constant("weight"), call.constant("bias"), call.value("input")
    if weights is not None and (call.get("bias") is None or bias is not None):
        return _dense(call, value, weights, bias)
    turned = call.add(nodes.Transpose, "weight", axes=(1, 0))
    product = call.add(nodes.MatMul, value, turned)
    return product if call.get("bias") is None else call.add(nodes.Add, product, "bias")


def _product(left: str, right: str) -> Row:
    def row(call):
        weights, value = call.constant(right), call.value(left)
        if weights is not None and weights.ndim == 2 and value.rank and not value.is_constant:
            return _dense(call, value, weights.T, None)
        return call.add(nodes.MatMul, value, right)

    return row


def _sum_and_product(left: str, right: str) -> Row:
    """beta self + alpha left right."""

    def row(call):
        alpha, beta = float(call.get("alpha", 1)), float(call.get("beta", 1))
        weights, shift, value = call.constant(right), call.constant("self"), call.value(left)
        if weights is not None and shift is not None and weights.ndim == 2 and shift.size == weights.shape[1]:
            if alpha != 1:
                weights = weights * alpha
            return _dense(call, value, weights.T, shift.reshape(-1) if beta == 1 else shift.reshape(-1) * beta)
        product = call.add(nodes.MatMul, value, right)
        product = product if alpha == 1 else call.add(nodes.Multiply, product, alpha)
        return call.add(nodes.Add, product, "self" if beta == 1 else call.add(nodes.Multiply, "self", beta))

    return row


def _convolution(call: Call):
    weights, bias, value = call.constant("weight"), call.constant("bias"), call.value("input")
    if weights is None or (call.get("bias") is not None and bias is None):
        raise call.refusal("its weights depend on the input")
    if weights.ndim > 4:
        raise call.refusal("it slides over three axes; maps of rows and columns are shown")
    line = weights.ndim == 3
    if line:  # along one axis: maps of one row
        weights = weights[:, :, None]
        value = call.reshaped(value, (*value.dims[:-1], 1, value.dims[-1]))
    stride, dilation = ((1, *call[k]) if line else pair(call[k]) for k in ("stride", "dilation"))
    before = (0, *call["padding"]) if line else pair(call["padding"])
    fields = dict(weights=weights, bias=bias, stride=stride, dilation=dilation, groups=call.get("groups", 1))
    if call.get("transposed", False):
        more = (0, *call["output_padding"]) if line else pair(call["output_padding"], (0, 0))
        padding = (*before, before[0] - more[0], before[1] - more[1])
        result = call.add(nodes.TransposedConvolution, value, padding=padding, **fields)
    else:
        result = call.add(nodes.Convolution, value, padding=(*before, *before), **fields)
    return call.reshaped(result, (*result.dims[:2], result.dims[3])) if line else result


def _batch_norm(call: Call):
    value = call.value("input")
    mean, var = call.constant("running_mean"), call.constant("running_var")
    if mean is None or var is None or call.get("training", False):
        raise call.refusal("it has no running mean: it depends on the batch. Train it with track_running_stats")
    gain, shift = call.constant("weight"), call.constant("bias")
    # The whole in float64, rounded once where it is used.
    scale = (1.0 if gain is None else gain.astype(float)) / np.sqrt(var.astype(float) + float(call["eps"]))
    shift = (0.0 if shift is None else shift.astype(float)) - mean.astype(float) * scale
    dims = (1, -1, *[1] * (value.rank - 2))
    result = call.add(nodes.Affine, value, scale=scale.reshape(dims), shift=shift.reshape(dims))
    return result if call.operator == "aten.batch_norm" else (result, None, None)


def _gain(call: Call, dims: tuple[int, ...]):
    gain, bias = call.constant("weight"), call.constant("bias")
    return dict(
        gain=np.ones(dims) if gain is None else gain.reshape(dims),
        bias=np.zeros(dims) if bias is None else bias.reshape(dims),
        epsilon=float(call.get("eps") if call.get("eps") is not None else np.finfo(np.float32).eps),
    )


def _layer_norm(call: Call):
    value, shape = call.value("input"), tuple(call["normalized_shape"])
    axes = tuple(range(value.rank - len(shape), value.rank))
    centred = "rms" not in call.operator
    result = call.add(nodes.Normalise, value, axes=axes, centred=centred, **_gain(call, shape))
    return (result, None, None) if "native" in call.operator or "fused" in call.operator else result


def _group_norm(call: Call):
    value = call.value("input")
    groups = call.get("group", call.get("num_groups"))
    fields = _gain(call, (value.dims[1], *[1] * (value.rank - 2)))
    result = call.add(nodes.Normalise, value, groups=groups, **fields)
    return (result, None, None) if "native" in call.operator else result


def _instance_norm(call: Call):
    if not call["use_input_stats"]:
        return _batch_norm(call)[0]
    value = call.value("input")
    fields = _gain(call, (value.dims[1], *[1] * (value.rank - 2)))
    return call.add(nodes.Normalise, value, axes=tuple(range(2, value.rank)), **fields)


def _map(call: Call, value: Value) -> Value:
    """A map with a batch axis, of one row if it has only columns."""
    return call.reshaped(value, (1,) * (4 - value.rank) + value.dims) if value.rank < 4 else value


def _max_pool(call: Call):
    size = pair(call["kernel_size"])
    fields = dict(size=size, stride=pair(call.get("stride"), size), dilation=pair(call.get("dilation"), (1, 1)))
    padding = pair(call.get("padding"), (0, 0))
    result = call.add(nodes.MaxPool, "self", padding=(*padding, *padding), ceil=bool(call.get("ceil_mode")), **fields)
    return (result, None) if "with_indices" in call.operator else result


def _average_pool(call: Call):
    if call.get("divisor_override"):
        raise call.refusal("it divides by a number of its own")
    value, line = call.value("self"), "1d" in call.operator
    size = (1, *call["kernel_size"]) if line else pair(call["kernel_size"])
    stride = call.get("stride") or size[-len(call["kernel_size"]) :]
    stride, padding = ((1, *stride), (0, *call["padding"])) if line else (pair(stride), pair(call["padding"]))
    if line:
        dims = value.dims
        value = call.reshaped(value, (*dims[:-1], 1, dims[-1]))
    result = call.add(
        nodes.AveragePool, value, size=size, stride=stride, padding=(*padding, *padding),
        ceil=bool(call.get("ceil_mode")), include_padding=bool(call.get("count_include_pad", True)),
    )  # fmt: skip
    return call.reshaped(result, (*result.dims[:2], result.dims[3])) if line else result


def _average_over_channels(call: Call):
    """An average pool of three axes whose window has one row and one column, as local response norms are written."""
    value, size, padding = call.value("self"), call["kernel_size"], call["padding"]
    plain = list(size[1:]) == [1, 1] and value.dims[:-3] == (1, 1) and set(call.get("stride") or [1]) == {1}
    if not plain or not call.get("count_include_pad", True) or call.get("divisor_override"):
        raise call.refusal("it pools over three axes; maps of rows and columns are shown")
    flat = call.reshaped(value, (1, 1, value.dims[2], value.dims[3] * value.dims[4]))
    result = call.add(
        nodes.AveragePool, flat, size=(size[0], 1), stride=(1, 1), padding=(padding[0], 0) * 2, include_padding=True
    )
    return call.reshaped(result, (1, 1, result.dims[2], *value.dims[3:]))


def _adaptive_average(call: Call):
    value = call.value("self")
    sizes = [n or old for n, old in zip(call["output_size"], value.dims[-len(call["output_size"]) :], strict=True)]
    axes = tuple(range(value.rank - len(sizes), value.rank))
    if all(n == 1 for n in sizes):
        return call.add(nodes.Reduce, value, function="mean", axes=axes)
    seen = _map(call, value)
    wanted = [*seen.dims[-2:-1], *sizes][-2:]
    rows, columns = (_means(old, new) for old, new in zip(seen.dims[-2:], wanted, strict=True))
    result = call.add(nodes.Resize, seen, rows=rows, columns=columns, mode="area")
    return call.reshaped(result, (*value.dims[: -len(sizes)], *sizes))


def _means(old: int, new: int) -> np.ndarray:
    """(new, old): each row is the mean of elements floor(i old / new) to ceil((i + 1) old / new)."""
    found = np.zeros((new, old))
    for i in range(new):
        first, last = i * old // new, -(-(i + 1) * old // new)
        found[i, first:last] = 1 / (last - first)
    return found


def _adaptive_max(call: Call):
    value, sizes = call.value("self"), call["output_size"]
    if any(old % new for old, new in zip(value.dims[-2:], sizes, strict=True)):
        raise call.refusal(f"it makes {tuple(sizes)} of {value.dims[-2:]}, which takes windows of different sizes")
    size = tuple(old // new for old, new in zip(value.dims[-2:], sizes, strict=True))
    return call.add(nodes.MaxPool, value, size=size, stride=size), None


def _resized(call: Call):
    """What the operator makes of each row alone, the columns being one, and of each column alone."""
    torch = importlib.import_module("torch")
    value = call.value(next(iter(call.arguments)))
    height, width = value.dims[-2:]
    others = {key: given for key, given in call.arguments.items() if key not in ("input", "self")}
    if others.get("output_size") is None:
        sizes = [int(n * s) for n, s in zip((height, width), others["scale_factors"], strict=True)]
    else:
        sizes = list(others["output_size"])
    # With scale factors torch computes places from these, not from the sizes, so both are given as they are.
    rows = call.run(torch.eye(height, dtype=torch.float64)[None, :, :, None], **_along(others, sizes, 0))
    columns = call.run(torch.eye(width, dtype=torch.float64)[None, :, None, :], **_along(others, sizes, 1))
    mode = next((mode for mode in ("nearest", "cubic") if mode in call.operator), "linear")
    return call.add(
        nodes.Resize, value, rows=array_of(rows[0, :, :, 0].T), columns=array_of(columns[0, :, 0].T), mode=mode
    )


def _along(others, sizes, axis):
    """The arguments of a resize with one element along the other axis."""
    found = dict(others)
    if found.get("output_size") is not None:
        found["output_size"] = [sizes[0], 1] if axis == 0 else [1, sizes[1]]
    if found.get("scale_factors") is not None:
        scales = found["scale_factors"]
        found["scale_factors"] = [scales[0], 1.0] if axis == 0 else [1.0, scales[1]]
    for i, key in enumerate(("scales_h", "scales_w")):
        if key in found and i != axis:
            found[key] = None
    return found


def _shuffled(call: Call):
    value, r = call.value("self"), call["upscale_factor"]
    n, c, h, w = value.dims
    apart = call.reshaped(value, (n, c // r**2, r, r, h, w))
    return call.reshaped(call.add(nodes.Transpose, apart, axes=(0, 1, 4, 2, 5, 3)), (n, c // r**2, h * r, w * r))


def _softmax(log: bool) -> Row:
    return lambda call: call.add(nodes.Softmax, "self", axis=call["dim"] % call.value("self").rank, log=log)


def _reduced(function: str) -> Row:
    def row(call):
        if "other" in call.arguments:  # torch.max(a, b)
            return call.add(nodes.Maximum if function == "max" else nodes.Minimum, "self", "other")
        value = call.value("self")
        axes = call.axes("dim", value)
        result = call.add(nodes.Reduce, value, function=function, axes=axes, keep=bool(call.get("keepdim", False)))
        return (result, None) if call.operator in ("aten.max", "aten.min") and "dim" in call.arguments else result

    return row


def _variance(call: Call):
    value = call.value("self")
    axes = call.axes("dim", value)
    keep = bool(call.get("keepdim", False))
    mean = call.add(nodes.Reduce, value, function="mean", axes=axes)
    squares = call.applied("square", call.add(nodes.Subtract, value, mean))
    count = math.prod(value.dims[axis] for axis in axes)
    correction = call.get("correction", 1 if call.get("unbiased", True) else 0)
    result = call.add(nodes.Reduce, squares, function="mean", axes=axes, keep=keep)
    if correction:
        result = call.add(nodes.Multiply, result, count / max(count - correction, 1e-300))
    if "std" in call.operator:
        result = call.applied("sqrt", result)
    if "_mean" in call.operator:
        return result, call.add(nodes.Reduce, value, function="mean", axes=axes, keep=keep)
    return result


def _norm(call: Call):
    if call.get("ord", call.get("p", 2)) != 2:
        raise call.refusal("only the Euclidean norm is shown")
    value = call.value("self")
    squares, axes = call.applied("square", value), call.axes("dim", value)
    return call.applied(
        "sqrt", call.add(nodes.Reduce, squares, function="sum", axes=axes, keep=bool(call.get("keepdim", False)))
    )


def _shared(call: Call, heads: Value, query: Value) -> Value:
    """Keys or values, each of whose heads serves several of the queries' in a row (Ainslie et al. 2023)."""
    if heads.dims[:-2] == query.dims[:-2]:
        return heads
    alike = heads.rank == query.rank and heads.dims[:-3] == query.dims[:-3]
    if not alike or query.dims[-3] % heads.dims[-3]:
        raise call.refusal(f"its queries are {query.dims} and its keys or values {heads.dims}: heads that do not fit")
    indices = np.repeat(np.arange(heads.dims[-3]), query.dims[-3] // heads.dims[-3])
    return call.add(nodes.Gather, heads, indices=indices, axis=heads.rank - 3)


def _attention(call: Call):
    """softmax(q k^T scale + mask) v (Vaswani et al. 2017)."""
    query, key, value = (call.value(name) for name in ("query", "key", "value"))
    key, value = (_shared(call, heads, query) for heads in (key, value))
    scale = float(call.get("scale") or query.dims[-1] ** -0.5)
    axes = (*range(key.rank - 2), key.rank - 1, key.rank - 2)
    weights = call.add(nodes.MatMul, query, call.add(nodes.Transpose, key, axes=axes))
    weights = call.add(nodes.Multiply, weights, scale)
    mask = call.constant("attn_mask")
    if call.get("is_causal", False):
        mask = np.tril(np.ones((query.dims[-2], key.dims[-2]), bool))
    if mask is not None and mask.dtype.kind == "b":
        # Far below every score, but finite: its softmax is 0.
        mask = np.where(mask, 0.0, -1e9)
    if mask is not None or call.get("attn_mask") is not None:
        finite = "attn_mask" if mask is None else np.maximum(mask, -1e9)
        weights = call.add(nodes.Add, weights, finite)
    return call.add(nodes.MatMul, call.add(nodes.Softmax, weights, axis=weights.rank - 1), value)


def _glu(call: Call):
    value = call.value("self")
    axis = call.get("dim", -1) % value.rank
    half = value.dims[axis] // 2
    gate = call.applied("sigmoid", cut(call, value, axis, half, half))
    return call.add(nodes.Multiply, cut(call, value, axis, 0, half), gate)


ROWS: dict[str, Row] = {
    "linear": _linear,
    "mm": _product("self", "mat2"),
    "bmm": _product("self", "mat2"),
    "mv": _product("self", "vec"),
    "matmul": _product("self", "other"),
    "dot": _product("self", "tensor"),
    "addmm": _sum_and_product("mat1", "mat2"),
    "baddbmm": _sum_and_product("batch1", "batch2"),
    "convolution": _convolution,
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "_native_batch_norm_legit": _batch_norm,
    "native_layer_norm": _layer_norm,
    "layer_norm": _layer_norm,
    "rms_norm": _layer_norm,
    "_fused_rms_norm": _layer_norm,
    "native_group_norm": _group_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "max_pool2d": _max_pool,
    "max_pool2d_with_indices": _max_pool,
    "avg_pool1d": _average_pool,
    "avg_pool2d": _average_pool,
    "avg_pool3d": _average_over_channels,
    **dict.fromkeys(("adaptive_avg_pool1d", "_adaptive_avg_pool2d", "adaptive_avg_pool2d"), _adaptive_average),
    "adaptive_max_pool2d": _adaptive_max,
    **dict.fromkeys(
        ("upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d", "_upsample_nearest_exact2d"), _resized
    ),
    "pixel_shuffle": _shuffled,
    **dict.fromkeys(("softmax", "_softmax"), _softmax(False)),
    **dict.fromkeys(("log_softmax", "_log_softmax"), _softmax(True)),
    "mean": _reduced("mean"),
    "sum": _reduced("sum"),
    **dict.fromkeys(("amax", "max"), _reduced("max")),
    **dict.fromkeys(("amin", "min"), _reduced("min")),
    "prod": _reduced("product"),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), _variance),
    "linalg_vector_norm": _norm,
    "norm": _norm,
    "scaled_dot_product_attention": _attention,
    "glu": _glu,
}
