"""Rules for operators that are several: attention, rotary embedding, and those of onnxruntime's domain."""

from __future__ import annotations

import math

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.node import Absent, OnnxNode, Result, Rules
from engine.formats.onnx.rules.arithmetic import swish
from engine.formats.onnx.rules.dense import product, swapped
from engine.formats.onnx.rules.layout import sliced
from engine.formats.onnx.rules.norms import layer_norm, normalised, rms_norm
from engine.formats.onnx.rules.windows import fused_activation, fused_conv
from engine.network.graph import nodes
from engine.network.graph.builder import Value


def _heads(node, x, count, part):
    """(N, heads, T, D) of (N, T, heads D), or x as it is."""
    if x.rank == 4:
        return x
    if x.rank != 3 or count < 1 or x.dims[2] % count:
        raise node.refusal(f"it has {count} heads for {x.dims}")
    split = node.reshaped(x, (x.dims[0], x.dims[1], count, x.dims[2] // count), part)
    return node.transposed(split, (0, 2, 1, 3), part)


def attended(
    node: OnnxNode, q: Value, k: Value, v: Value, *, scale: float, mask: Value | None = None, causal: bool = False,
    softcap: float = 0.0,
) -> Value:  # fmt: skip
    """softmax(scale q k + mask) v, of (N, heads, T, D); keys and values of fewer heads are shared by groups."""
    for name, x in (("k", k), ("v", v)):
        if q.rank != 4 or x.rank != 4 or q.dims[1] % x.dims[1]:
            raise node.refusal(f"its heads are {q.dims} and {x.dims}")
        if x.dims[1] < q.dims[1]:
            times, (n, heads, t, d) = q.dims[1] // x.dims[1], x.dims
            wide = node.add(
                nodes.Expand, node.reshaped(x, (n, heads, 1, t, d), name), dims=(n, heads, times, t, d), part=name
            )
            x = node.reshaped(wide, (n, heads * times, t, d), name)
        k, v = (x, v) if name == "k" else (k, x)
    scores = node.scaled(product(node, q, swapped(node, k, "keys")), scale, part="scale")
    if softcap:
        scores = node.scaled(node.activated(node.scaled(scores, 1 / softcap, part="cap"), "tanh", part="cap"), softcap)
    if mask is not None and mask.array is None and node.type_of(mask) == "b":
        scores = node.add(nodes.Where, mask, scores, node.constant(np.float32(-np.inf)), part="mask")
        mask = None
    hidden = _hidden(node, scores.dims, mask, causal)
    if hidden is not None:
        scores = node.add(nodes.Add, scores, hidden, part="mask")
    return product(node, node.add(nodes.Softmax, scores, axis=3, part="weights"), v)


def _hidden(node, dims, mask, causal):
    """What is added to scores of these dims: the mask, minus infinity for later keys; None for nothing."""
    if causal:
        node.fits(dims[-2:])
        later = np.where(np.tri(*dims[-2:]) > 0, 0.0, -np.inf)
    if mask is None or mask.array is None:
        if not causal:
            return mask
        return node.constant(later) if mask is None else node.add(nodes.Add, mask, node.constant(later), part="causal")
    node.fits(mask.dims)
    array = np.where(mask.array, 0.0, -np.inf) if mask.array.dtype.kind == "b" else mask.array.astype(float)
    array = array + later if causal else array
    if (array == -np.inf).all(axis=-1).any():
        raise node.refusal("its mask hides all keys from a query")
    return node.constant(array.astype(np.float32))


ATTRIBUTES = {
    "is_causal", "kv_num_heads", "q_num_heads", "scale", "softcap", "softmax_precision", "qk_matmul_output_mode",
}  # fmt: skip


def _attention(node):
    if set(node.attributes) - ATTRIBUTES:
        raise node.refusal(f"it has {', '.join(sorted(set(node.attributes) - ATTRIBUTES))}, which is not known")
    flat = node.x.rank == 3
    if any(node.input(i) is not None for i in range(4, 7)):
        raise node.refusal("it takes the keys and values of steps before; networks without such a memory can be read")
    heads = node.number("q_num_heads", 0)
    q = _heads(node, node.need(0), heads, "q")
    k, v = (_heads(node, node.need(i), node.number("kv_num_heads", heads), name) for i, name in ((1, "k"), (2, "v")))
    y = attended(
        node, q, k, v, scale=node.number("scale", 1 / math.sqrt(q.dims[-1])), mask=node.input(3),
        causal=bool(node.number("is_causal", 0)), softcap=node.number("softcap", 0.0),
    )  # fmt: skip
    if flat:
        n, count, t, d = y.dims
        y = node.reshaped(node.transposed(y, (0, 2, 1, 3), "order"), (n, t, count * d), "join")
    return [y, *[Absent("an attention's keys, values and products are not kept as outputs")] * 3]


def _rotary(node):
    x, count = node.x, node.number("num_heads", 0)
    cos, sin = node.array(1, "cosines"), node.array(2, "sines")
    flat = x.rank == 3
    heads = _heads(node, x, count, "heads")
    t, d = heads.dims[2:]
    if node.input(3) is not None:
        at = node.array(3, "positions")
        if at.size and not 0 <= at.min() <= at.max() < len(cos):
            raise node.refusal("its positions are out of range")
        cos, sin = cos[at], sin[at]
    turned = node.number("rotary_embedding_dim", 0) or d
    half = turned // 2
    if cos.shape[-2:] != (t, half) or sin.shape != cos.shape or turned > d:
        raise node.refusal(f"its cosines are {cos.shape} for {heads.dims}")
    # (N, T, D) for all heads
    cos, sin = (a.reshape(-1, 1, t, half) if a.ndim == 3 else a for a in (cos, sin))
    if node.number("interleaved", 0):
        pairs = [sliced(node, heads, 3, i, half, 2, part=f"{i}") for i in (0, 1)]
    else:
        pairs = [sliced(node, heads, 3, i * half, half, part=f"{i}") for i in (0, 1)]
    a, b = pairs
    real = node.add(nodes.Subtract, node.scaled(a, cos, part="a cos"), node.scaled(b, sin, part="b sin"), part="real")
    other = node.add(nodes.Add, node.scaled(a, sin, part="a sin"), node.scaled(b, cos, part="b cos"), part="imaginary")
    if node.number("interleaved", 0):
        stack = [node.reshaped(v, (*v.dims, 1), "pair") for v in (real, other)]
        y = node.reshaped(node.add(nodes.Concat, *stack, axis=4, part="pairs"), (*heads.dims[:3], turned), "turned")
    else:
        y = node.add(nodes.Concat, real, other, axis=3, part="turned")
    if turned < d:
        y = node.add(nodes.Concat, y, sliced(node, heads, 3, turned, d - turned, part="rest"), axis=3)
    return node.reshaped(node.transposed(y, (0, 2, 1, 3), "order"), x.dims, "join") if flat else y


# onnxruntime's domain


def _fused_matmul(node):
    if node.number("transBatchA", 0) or node.number("transBatchB", 0):
        raise node.refusal("it transposes the batch")
    a, b = node.need(0), node.need(1)
    return product(node, a, b, None, node.number("alpha", 1.0), 1.0, node.number("transA", 0), node.number("transB", 0))


def _biased(activation: str):
    def rule(node):
        bias = node.input(1)
        x = node.x if bias is None else node.add(nodes.Add, node.x, bias, part="bias")
        return node.activated(x, activation)

    return rule


def _skip_norm(centred: bool):
    def rule(node) -> list[Result]:
        # Without a mean there is no shift, and a bias is added before.
        at = 4 if centred else 3
        total = node.add(nodes.Add, node.need(0), node.need(1), part="sum")
        if node.input(at) is not None:
            total = node.add(nodes.Add, total, node.need(at), part="bias")
        y = normalised(
            node, total, [total.rank - 1], node.need(2), node.input(3) if centred else None,
            epsilon=float(node.number("epsilon", 1e-12 if centred else 1e-6)), centred=centred,
        )  # fmt: skip
        return [y, *[Absent("the mean and deviation of a layer norm are not kept")] * 2, total]

    return rule


def _fused_gemm(node):
    y = product(
        node, node.need(0), node.need(1), node.input(2), node.number("alpha", 1.0), node.number("beta", 1.0),
        node.number("transA", 0), node.number("transB", 0),
    )  # fmt: skip
    return fused_activation(node, y)


def _bias_add(node):
    return node.add(nodes.Add, node.add(nodes.Add, node.need(0), node.need(1), part="bias"), node.need(2))


def _split_gelu(node):
    x = node.add(nodes.Add, node.need(0), node.need(1), part="bias")
    half = x.dims[-1] // 2
    if x.dims[-1] % 2:
        raise node.refusal(f"it halves {short(x.dims)}")
    a, b = (sliced(node, x, x.rank - 1, i * half, half, part=f"{i}") for i in (0, 1))
    return node.add(nodes.Multiply, a, node.activated(b, "gelu", part="gelu"))


ATTENTION: Rules = {"Attention": _attention, "RotaryEmbedding": _rotary}

MICROSOFT: Rules = {
    "Gelu": _biased("gelu"), "FastGelu": _biased("gelu_tanh"), "BiasGelu": _biased("gelu"),
    "QuickGelu": lambda node: swish(node, node.x, node.number("alpha", 1.702)),
    "LayerNormalization": layer_norm, "SimplifiedLayerNormalization": rms_norm, "RMSNormalization": rms_norm,
    "SkipLayerNormalization": _skip_norm(True), "SkipSimplifiedLayerNormalization": _skip_norm(False),
    "FusedConv": fused_conv, "FusedMatMul": _fused_matmul, "FusedGemm": _fused_gemm,
    "BiasAdd": _bias_add, "BiasSplitGelu": _split_gelu,
}  # fmt: skip
