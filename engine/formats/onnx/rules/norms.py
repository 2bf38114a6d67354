"""Rules for normalisations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.node import Absent, OnnxNode, Result, Rules
from engine.formats.onnx.rules.dense import reduced
from engine.network.graph import nodes
from engine.network.graph.builder import Value

# Added to lengths, so that 0 by length 0 is 0, as onnx has it; every other length is larger by far.
LEAST = 1e-30
ONE, ZERO = np.ones(1, np.float32), np.zeros(1, np.float32)


def _batch_norm(node):
    x, arrays = node.x, [node.array(i, "constants") for i in range(1, 5)]
    if node.number("training_mode", 0) or any(node.proto.output[1:]):
        raise node.refusal("it is in training mode; export the model in eval()")
    channels = x.dims[1] if x.rank > 1 else 1
    if any(a.shape != (channels,) for a in arrays) or not node.number("spatial", 1):
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise node.refusal(f"its constants are {shapes}; one number for each of {channels} channels is needed")
    gain, bias, mean, var = (a.astype(float).reshape(-1, *[1] * max(x.rank - 2, 0)) for a in arrays)
    scale = gain / np.sqrt(var + node.number("epsilon", 1e-5))
    shift = bias - mean * scale
    if not (np.isfinite(scale).all() and np.isfinite(shift).all()):
        raise node.refusal("its scale or shift is not finite")
    return node.scaled(x, scale, shift)


def normalised(
    node: OnnxNode,
    x: Value,
    axes: Sequence[int],
    gain: Value | None,
    bias: Value | None = None,
    *,
    epsilon: float = 1e-5,
    centred: bool = True,
) -> Value:
    """x with mean 0 and variance 1 over axes, times gain + bias; centred False: over its root mean square only."""
    stored = all(v is None or v.is_constant for v in (gain, bias))
    arrays = [
        v.array if stored and v is not None and v.array is not None else a for v, a in ((gain, ONE), (bias, ZERO))
    ]
    part = "" if stored else "norm"
    y = node.add(
        nodes.Normalise,
        x,
        gain=arrays[0],
        bias=arrays[1],
        axes=tuple(axes),
        epsilon=epsilon,
        centred=centred,
        part=part,
    )
    if stored:
        return y
    y = y if gain is None else node.add(nodes.Multiply, y, gain, part="gain")
    return y if bias is None else node.add(nodes.Add, y, bias, part="bias")


def _epsilon(node, default=1e-5):
    return float(node.number("epsilon", default))


def layer_norm(node: OnnxNode) -> Sequence[Result]:
    """Layer norm over the last axes."""
    x = node.x
    axes = range(node.axis(-1, x.rank), x.rank)
    y = normalised(node, x, axes, node.input(1), node.input(2), epsilon=_epsilon(node))
    return [y, *[Absent("the mean and deviation of a layer norm are not kept")] * 2]


def rms_norm(node: OnnxNode) -> Sequence[Result]:
    """RMS norm over the last axes."""
    x = node.x
    axes = range(node.axis(-1, x.rank), x.rank)
    return [normalised(node, x, axes, node.input(1), epsilon=_epsilon(node), centred=False)]


def _per_channel(node, value, rank):
    """A constant (C,) as one that is broadcast to channels; None as it is."""
    return None if value is None else node.reshaped(value, (value.dims[0], *[1] * (rank - 2)), "channels")


def _instance_norm(node):
    x = node.x
    if x.rank < 3:
        raise node.refusal(f"it works on {x.dims}, which has no axes after the channels")
    gain, bias = (_per_channel(node, node.need(i), x.rank) for i in (1, 2))
    return normalised(node, x, range(2, x.rank), gain, bias, epsilon=_epsilon(node))


def _group_norm(node):
    x, groups = node.x, node.number("num_groups", 0)
    gain, bias = (node.array(i, "constants") for i in (1, 2))
    if groups < 1 or x.rank < 2 or x.dims[1] % groups:
        raise node.refusal(f"it has {groups} groups, into which {x.dims} cannot be cut")
    # Up to opset 20 a number for each group.
    channels = x.dims[1]
    gain, bias = (np.repeat(a, channels // groups) if len(a) == groups != channels else a for a in (gain, bias))
    if gain.shape != (channels,) or bias.shape != (channels,):
        raise node.refusal(f"its constants are {gain.shape}; one number for each of {channels} channels is needed")
    each = (-1, *[1] * (x.rank - 2))
    return node.add(
        nodes.Normalise, x, gain=gain.reshape(each), bias=bias.reshape(each), groups=groups, epsilon=_epsilon(node)
    )


def _lp_norm(node):
    x, p = node.x, node.number("p", 2)
    axis = node.axis(-1, x.rank)
    return lp_normalised(node, x, axis, {1: "L1", 2: "L2"}.get(p, str(p)))


def lp_normalised(node: OnnxNode, x: Value, axis: int, norm: str) -> Value:
    """x divided by its norm along an axis: L1, L2 or MAX."""
    if norm == "L2":
        squares = reduced(node, node.activated(x, "square", part="square"), "sum", (axis,), True, "sum")
        length = node.activated(squares, "sqrt", part="length")
        return node.add(nodes.Divide, x, node.scaled(length, 1.0, LEAST, part="above 0"))
    if norm not in ("L1", "MAX"):
        raise node.refusal(f"its norm is {short(norm)}; L1, L2 and MAX are known")
    size = node.activated(x, "abs", part="abs")
    length = reduced(node, size, "sum" if norm == "L1" else "max", (axis,), True, "length")
    return node.add(nodes.Divide, x, node.scaled(length, 1.0, LEAST, part="above 0"))


def _mean_variance(node):
    axes = node.axes_of(node.numbers("axes", [0, 2, 3]), node.x.rank)
    # The definition adds 1e-9 to the deviation.
    return normalised(node, node.x, axes, None, epsilon=1e-18)


NORMS: Rules = {
    "BatchNormalization": _batch_norm, "LayerNormalization": layer_norm, "RMSNormalization": rms_norm,
    "SimplifiedLayerNormalization": rms_norm, "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm, "LpNormalization": _lp_norm, "MeanVarianceNormalization": _mean_variance,
}  # fmt: skip
