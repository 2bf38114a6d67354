"""Rows for the layers of Keras: the nodes that compute each. Maps are (1, H, W, C); passes turn them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.files import short
from engine.formats.sampling import Sampling
from engine.network.activations import Activation
from engine.network.graph import nodes
from engine.network.graph.builder import Builder, Value
from engine.network.graph.nodes import GraphNode

# Activations that Keras calls otherwise, or gives another parameter.
ACTIVATIONS = {"exponential": "exp", "swish": "silu", "leaky_relu": "leaky_relu(0.2)"}


@dataclass(frozen=True)
class KerasLayer:
    """A layer of a model: its configuration and its weights, in Keras' order."""

    builder: Builder
    name: str
    kind: str
    config: Mapping[str, Any]
    weights: list[np.ndarray]

    def get(self, key: str, default: Any = None) -> Any:
        found = self.config.get(key)
        return default if found is None else found

    def add(self, kind: type[GraphNode], *values: Value, **fields: Any) -> Value:
        return self.builder.add(kind, self.name, values, **fields)

    def activated(self, value: Value, text: Any) -> Value:
        """The activation with which a layer ends, by its name."""
        if text is None or text == "linear":
            return value
        if text in ("softmax", "log_softmax"):
            return self.add(nodes.Softmax, value, axis=value.rank - 1, log=text != "softmax")
        try:
            return self.add(nodes.Elementwise, value, activation=Activation.parse(ACTIVATIONS.get(text, text)))
        except (NetworkError, TypeError):
            raise self.refusal(f"ends in {short(text)}, a function of its own") from None

    def refusal(self, why: str) -> NetworkError:
        return NetworkError(f"Layer `{short(self.name)}` ({self.kind}) of {self.builder.name} {why}.")

    def turned(self, value: Value, *axes: int) -> Value:
        return self.add(nodes.Transpose, value, axes=axes)

    def inward(self, value: Value) -> Value:
        """A map as (1, C, H, W)."""
        if value.rank != 4:
            raise self.refusal(f"takes {value.dims}; maps are read")
        return value if self.get("data_format") == "channels_first" else self.turned(value, 0, 3, 1, 2)

    def outward(self, value: Value) -> Value:
        return value if self.get("data_format") == "channels_first" else self.turned(value, 0, 2, 3, 1)


def _pair(value):
    return (int(value), int(value)) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _around(layer, value, size, stride, dilation=(1, 1)):
    """(top, left, bottom, right) of the padding: half of what is missing before, the rest after."""
    if layer.get("padding", "valid") == "valid":
        return (0, 0, 0, 0)
    if layer.get("padding") != "same":
        raise layer.refusal(f"pads `{short(layer.get('padding'))}`; valid and same are read")
    ends = []
    for n, k, s, d in zip(value.dims[2:], size, stride, dilation, strict=True):
        whole = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        ends.append((whole // 2, whole - whole // 2))
    return (ends[0][0], ends[1][0], ends[0][1], ends[1][1])


def _dense(layer, value):
    kernel, *bias = layer.weights
    made = layer.add(nodes.Dense, value, weights=kernel.T, bias=bias[0] if bias else None)
    return layer.activated(made, layer.get("activation"))


def _convolution(layer, value):
    kernel, *bias = layer.weights
    seen, stride, dilation = layer.inward(value), _pair(layer.get("strides", 1)), _pair(layer.get("dilation_rate", 1))
    groups = layer.get("groups", 1)
    if layer.kind == "DepthwiseConv2D":  # (rows, columns, I, outputs of each)
        groups = kernel.shape[2]
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    made = layer.add(
        nodes.Convolution, seen, weights=kernel.transpose(3, 2, 0, 1), bias=bias[0] if bias else None, stride=stride,
        padding=_around(layer, seen, kernel.shape[:2], stride, dilation), dilation=dilation, groups=groups,
    )  # fmt: skip
    return layer.activated(layer.outward(made), layer.get("activation"))


def _separable(layer, value):
    depth, point, *bias = layer.weights
    seen, stride = layer.inward(value), _pair(layer.get("strides", 1))
    apart = depth.reshape(*depth.shape[:2], 1, -1).transpose(3, 2, 0, 1)
    padding = _around(layer, seen, depth.shape[:2], stride)
    made = layer.add(nodes.Convolution, seen, weights=apart, stride=stride, padding=padding, groups=depth.shape[2])
    made = layer.add(nodes.Convolution, made, weights=point.transpose(3, 2, 0, 1), bias=bias[0] if bias else None)
    return layer.activated(layer.outward(made), layer.get("activation"))


def _transposed(layer, value):
    kernel, *bias = layer.weights  # (rows, columns, O, I)
    stride, size = _pair(layer.get("strides", 1)), kernel.shape[:2]
    if _pair(layer.get("dilation_rate", 1)) != (1, 1) or layer.get("output_padding") is not None:
        raise layer.refusal("has a dilation or an output padding")
    cut = [k - s if layer.get("padding") == "same" else min(k - s, 0) for k, s in zip(size, stride, strict=True)]
    before = [max(n, 0) // 2 for n in cut]
    padding = (*before, *(n - b for n, b in zip(cut, before, strict=True)))
    made = layer.add(
        nodes.TransposedConvolution, layer.inward(value), weights=kernel.transpose(3, 2, 0, 1),
        bias=bias[0] if bias else None, stride=stride, padding=padding,
    )  # fmt: skip
    return layer.activated(layer.outward(made), layer.get("activation"))


def _pool(kind):
    def row(layer, value):
        seen, size = layer.inward(value), _pair(layer.get("pool_size", 2))
        stride = _pair(layer.get("strides", size))
        return layer.outward(
            layer.add(kind, seen, size=size, stride=stride, padding=_around(layer, seen, size, stride))
        )

    return row


def _global(function):
    def row(layer, value):
        axes: tuple[int, ...] = (2, 3) if layer.get("data_format") == "channels_first" else (1, 2)
        if value.rank == 3:
            axes = axes[:1]
        return layer.add(nodes.Reduce, value, function=function, axes=axes, keep=bool(layer.get("keepdims", False)))

    return row


def _batch_norm(layer, value):
    arrays = list(layer.weights)
    gain = arrays.pop(0) if layer.get("scale", True) else 1.0
    shift = arrays.pop(0) if layer.get("center", True) else 0.0
    mean, variance = (x.astype(float) for x in arrays[:2])
    scale = gain / np.sqrt(variance + float(layer.get("epsilon", 1e-3)))
    return _along(layer, value, scale, shift - mean * scale)


def _along(layer, value, scale, shift):
    axis = layer.get("axis", -1)
    axis = axis[0] if isinstance(axis, list | tuple) else axis
    dims = [1] * value.rank
    dims[axis] = -1
    return layer.add(nodes.Affine, value, scale=scale.reshape(dims), shift=np.asarray(shift, float).reshape(dims))


def _layer_norm(layer, value):
    axes = layer.get("axis", -1)
    axes = tuple(axis % value.rank for axis in ([axes] if isinstance(axes, int) else axes))
    dims = [n if i in axes else 1 for i, n in enumerate(value.dims)]
    arrays = list(layer.weights)
    gain = arrays.pop(0).reshape(dims) if layer.get("scale", True) else np.ones(dims)
    bias = arrays.pop(0).reshape(dims) if layer.get("center", True) and arrays else np.zeros(dims)
    fields = dict(gain=gain, bias=bias, epsilon=float(layer.get("epsilon", 1e-3)))
    return layer.add(nodes.Normalise, value, axes=axes, centred=layer.kind != "RMSNormalization", **fields)


def _normalization(layer, value):
    mean, variance = (np.asarray(layer.get(key)) for key in ("mean", "variance"))
    if layer.get("mean") is None:
        mean, variance = layer.weights[:2]
    scale = 1 / np.maximum(np.sqrt(variance.astype(float)), 1e-7)
    if layer.get("invert", False):
        return layer.add(nodes.Affine, value, scale=1 / scale, shift=mean)
    return layer.add(nodes.Affine, value, scale=scale, shift=-mean * scale)


def _rescaled(layer, value):
    scale, shift = (np.asarray(layer.get(key, usual)) for key, usual in (("scale", 1.0), ("offset", 0.0)))
    return layer.add(nodes.Affine, value, scale=scale, shift=shift)


def _relu(layer, value):
    most, slope, least = (layer.get(key) for key in ("max_value", "negative_slope", "threshold"))
    if least or (most is not None and slope):
        raise layer.refusal("has a threshold, or a slope and a limit")
    text = (
        f"clipped_relu({float(most)!r})" if most is not None else f"leaky_relu({float(slope)!r})" if slope else "relu"
    )
    return layer.add(nodes.Elementwise, value, activation=text)


def _leaky(layer, value):
    slope = layer.get("negative_slope", layer.get("alpha", 0.3))
    return layer.add(nodes.Elementwise, value, activation=f"leaky_relu({float(slope)!r})")


def _prelu(layer, value):
    return layer.add(nodes.Prelu, value, slopes=layer.weights[0][None])


def _flat(layer, value):
    return layer.add(nodes.Reshape, value, dims=(1, int(np.prod(value.dims))))


def _reshaped(layer, value):
    target = list(layer.get("target_shape"))
    rest = int(np.prod(value.dims)) // int(np.prod([n for n in target if n != -1]))
    return layer.add(nodes.Reshape, value, dims=(1, *(rest if n == -1 else n for n in target)))


def _padded(layer, value):
    (top, bottom), (left, right) = layer.get("padding")
    spatial = (2, 3) if layer.get("data_format") == "channels_first" else (1, 2)
    before, after = [0] * 4, [0] * 4
    sign = -1 if layer.kind == "Cropping2D" else 1
    for axis, a, b in zip(spatial, (top, left), (bottom, right), strict=True):
        before[axis], after[axis] = sign * a, sign * b
    return layer.add(nodes.Pad, value, before=tuple(before), after=tuple(after))


def _cropped(layer, value):
    config = {**layer.config, "padding": layer.get("cropping")}
    return _padded(KerasLayer(layer.builder, layer.name, layer.kind, config, []), value)


def _grown(layer, value):
    seen, times = layer.inward(value), _pair(layer.get("size", 2))
    mode = layer.get("interpolation", "nearest")
    if mode not in ("nearest", "bilinear"):
        raise layer.refusal(f"resizes by `{short(mode)}`")
    named = "nearest" if mode == "nearest" else "linear"
    rows, columns = (Sampling(n, n * t, t, named).matrix() for n, t in zip(seen.dims[2:], times, strict=True))
    return layer.outward(layer.add(nodes.Resize, seen, rows=rows, columns=columns, mode=named))


def _joined(layer, *values):
    return layer.add(nodes.Concat, *values, axis=layer.get("axis", -1) % values[0].rank)


def _merged(kind, mean=False):
    def row(layer, *values):
        made = values[0]
        for other in values[1:]:
            made = layer.add(kind, made, other)
        return made if not mean else layer.add(nodes.Affine, made, scale=np.array(1 / len(values)), shift=np.array(0.0))

    return row


def _text(form, *keys):
    def row(layer, value):
        given = ",".join(repr(float(layer.get(key, 1.0))) for key in keys)
        return layer.add(nodes.Elementwise, value, activation=f"{form}({given})" if keys else form)

    return row


Row = Callable[..., Value]
ROWS: dict[str, Row] = {
    **dict.fromkeys(
        ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
         "ActivityRegularization", "Identity"),
        lambda layer, value: value,
    ),
    "Dense": _dense,
    "Activation": lambda layer, value: layer.activated(value, layer.get("activation")),
    "Softmax": lambda layer, value: layer.add(nodes.Softmax, value, axis=layer.get("axis", -1) % value.rank),
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "PReLU": _prelu,
    "ELU": _text("elu", "alpha"),
    "Flatten": _flat,
    "Reshape": _reshaped,
    "Permute": lambda layer, value: layer.turned(value, 0, *layer.get("dims")),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _layer_norm,
    "Normalization": _normalization,
    "Rescaling": _rescaled,
    "Concatenate": _joined,
    "Add": _merged(nodes.Add),
    "Subtract": _merged(nodes.Subtract),
    "Multiply": _merged(nodes.Multiply),
    "Maximum": _merged(nodes.Maximum),
    "Minimum": _merged(nodes.Minimum),
    "Average": _merged(nodes.Add, mean=True),
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "SeparableConv2D": _separable,
    "Conv2DTranspose": _transposed,
    "MaxPooling2D": _pool(nodes.MaxPool),
    "AveragePooling2D": _pool(nodes.AveragePool),
    "GlobalAveragePooling1D": _global("mean"),
    "GlobalAveragePooling2D": _global("mean"),
    "GlobalMaxPooling2D": _global("max"),
    "ZeroPadding2D": _padded,
    "Cropping2D": _cropped,
    "UpSampling2D": _grown,
}  # fmt: skip
