"""Rules for convolutions and pools, of one axis or two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.node import Absent, OnnxNode, Result, Rules
from engine.formats.onnx.rules.arithmetic import clipped
from engine.network.graph import nodes
from engine.network.graph.builder import Value
from engine.network.windows import Window

# The most rows and columns of padding, and of a window.
MOST_EXTENT = 1 << 20


@dataclass(frozen=True)
class Sliding:
    """How a window slides over a map; of one axis the rows are of length 1.

    size, stride, dilation   (rows, columns)
    before, after            padding, (rows, columns)
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """(top, left, bottom, right)."""
        return *self.before, *self.after


def mapped(node: OnnxNode, x: Value) -> Value:
    """A value as a map (1, C, H, W); what has one axis after the channels becomes a row of columns."""
    if x.rank not in (3, 4):
        raise node.refusal(f"it works on {max(x.rank - 2, 0)} axes after the channels; one or two can be read")
    return x if x.rank == 4 else node.reshaped(x, (*x.dims[:2], 1, x.dims[2]), "map")


def unmapped(node: OnnxNode, y: Value, x: Value) -> Value:
    """A map with as many axes as x."""
    return y if x.rank == 4 else node.reshaped(y, (y.dims[0], y.dims[1], y.dims[3]), "row")


def _pair(node, key, count, default, single):
    """(rows, columns) of an attribute with a number for each of `count` axes; single: of the axis that is not there."""
    given = node.numbers(key)
    given = [default] * count if given is None else given
    if len(given) != count or any(abs(n) > MOST_EXTENT for n in given):
        raise node.refusal(f"its {key} are {short(given)}; {count} numbers are needed")
    return (single, *given) if count == 1 else tuple(given)


def sliding(node: OnnxNode, x: Value, size: tuple[int, int] | None) -> Sliding:
    """How a node's window slides over x; size: of its weights, (rows, columns), or None if kernel_shape has it."""
    count = x.rank - 2
    if node.numbers("kernel_shape") is None and size is None:
        raise node.refusal("it has no kernel_shape")
    given = (
        size if size is not None and node.numbers("kernel_shape") is None else _pair(node, "kernel_shape", count, 1, 1)
    )
    if size is not None and given != size:
        raise node.refusal(f"its kernel_shape is {short(given)}, but its weights are of {size}")
    stride, dilation = _pair(node, "strides", count, 1, 1), _pair(node, "dilations", count, 1, 1)
    if min(*stride, *dilation, *given) < 1:
        raise node.refusal(f"its window is {given}, strides {stride}, dilations {dilation}; they must be above 0")
    pads = node.numbers("pads", [0] * 2 * count)
    if len(pads) != 2 * count or any(abs(n) > MOST_EXTENT for n in pads):
        raise node.refusal(f"its pads are {short(pads)}; {2 * count} numbers are needed")
    before, after = ((0, *part) if count == 1 else tuple(part) for part in (pads[:count], pads[count:]))
    return Sliding(given, stride, dilation, before, after)


def _padded_alike(node, slide, lengths):
    """Sliding with the padding that auto_pad stands for, on a map of these lengths."""
    how = node.text("auto_pad", "NOTSET")
    if how in ("NOTSET", ""):
        return slide
    if how == "VALID":
        return Sliding(slide.size, slide.stride, slide.dilation, (0, 0), (0, 0))
    if how not in ("SAME_UPPER", "SAME_LOWER"):
        raise node.refusal(f"auto_pad = {short(how)}; NOTSET, VALID, SAME_UPPER and SAME_LOWER are known")
    spare = [
        max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        for n, s, k, d in zip(lengths, slide.stride, slide.size, slide.dilation, strict=True)
    ]  # so that ceil(n / s) places fit
    small, large = tuple(n // 2 for n in spare), tuple(n - n // 2 for n in spare)
    ends = (small, large) if how == "SAME_UPPER" else (large, small)
    return Sliding(slide.size, slide.stride, slide.dilation, *ends)


def _weights(node, x, i=1):
    """(the weights of an input as (O, I, kh, kw), the bias or None)."""
    weights = node.array(i, "weights")
    if weights.ndim != x.rank:
        raise node.refusal(f"its weights are {weights.shape}; {x.rank} axes are needed for {x.dims}")
    weights = weights.reshape(*weights.shape[:2], 1, weights.shape[2]) if x.rank == 3 else weights
    return weights, None if node.input(i + 1) is None else node.array(i + 1, "biases")


def convolved(node: OnnxNode, weights: np.ndarray, bias: np.ndarray | None, part: str = "") -> Value:
    """The convolution of the first input with weights (O, I / groups, kh, kw)."""
    x = mapped(node, node.x)
    slide = _padded_alike(node, sliding(node, node.x, weights.shape[2:]), x.dims[2:])
    x = _cropped(node, x, slide)
    y = node.add(
        nodes.Convolution, x, part=part, weights=weights, bias=bias, stride=slide.stride,
        padding=tuple(max(n, 0) for n in slide.padding), dilation=slide.dilation, groups=node.number("group", 1),
    )  # fmt: skip
    return unmapped(node, y, node.x)


def _cropped(node, x, slide):
    """A map of which negative padding has been cut off."""
    if min(slide.padding) >= 0:
        return x
    cut = lambda ends: (0, 0, *(min(n, 0) for n in ends))
    return node.add(nodes.Pad, x, part="cut", before=cut(slide.before), after=cut(slide.after))


def _conv(node):
    weights, bias = _weights(node, _ranked(node))
    return convolved(node, weights, bias)


def _ranked(node):
    mapped(node, node.x)
    return node.x


def _transposed(node):
    x = mapped(node, node.x)
    weights, bias = _weights(node, node.x)
    slide = sliding(node, node.x, weights.shape[2:])
    count = node.x.rank - 2
    more = _pair(node, "output_padding", count, 0, 0)
    wanted = node.numbers("output_shape")
    how = node.text("auto_pad", "NOTSET")
    before, after = list(slide.before), list(slide.after)
    for i, n in enumerate(x.dims[2:]):
        whole = slide.stride[i] * (n - 1) + (slide.size[i] - 1) * slide.dilation[i] + 1 + more[i]
        if wanted is not None:
            length = [1, *wanted[-count:]][i - 2 if count == 2 else i]
        elif how in ("SAME_UPPER", "SAME_LOWER"):
            length = n * slide.stride[i]
        elif how in ("NOTSET", "", "VALID"):
            if how == "VALID":
                before[i] = after[i] = 0
            after[i] -= more[i]
            continue
        else:
            raise node.refusal(f"auto_pad = {short(how)}; NOTSET, VALID, SAME_UPPER and SAME_LOWER are known")
        total = whole - length
        small, large = total // 2, total - total // 2
        before[i], after[i] = (small, large) if how == "SAME_UPPER" else (large, small)
        after[i] -= more[i]
    y = node.add(
        nodes.TransposedConvolution, x, weights=weights, bias=bias, stride=slide.stride, padding=(*before, *after),
        dilation=slide.dilation, groups=node.number("group", 1),
    )  # fmt: skip
    return unmapped(node, y, node.x)


def _pool(kind):
    def rule(node):
        x = mapped(node, node.x)
        slide = _padded_alike(node, sliding(node, node.x, None), x.dims[2:])
        ceil = bool(node.number("ceil_mode", 0)) and node.text("auto_pad", "NOTSET") in ("NOTSET", "", "VALID")
        more = {"include_padding": bool(node.number("count_include_pad", 0))} if kind is nodes.AveragePool else {}
        y = node.add(
            kind, x, size=slide.size, stride=slide.stride, padding=slide.padding, ceil=ceil, dilation=slide.dilation,
            **more,
        )  # fmt: skip
        y = unmapped(node, y, node.x)
        return [y, Absent("the places of its maxima are not kept")] if kind is nodes.MaxPool else y

    return rule


def powered(node: OnnxNode, x: Value, p: float, total: Callable[[Value], Value]) -> Value:
    """(total of |x|^p)^(1/p), where `total` adds numbers in some way."""
    size = node.activated(x, "abs", part="abs")
    if p == 1:
        return total(size)
    powers = (
        node.activated(x, "square", part="square") if p == 2 else node.activated(size, f"power({p!r})", part="power")
    )
    return node.activated(total(powers), "sqrt" if p == 2 else f"power({1 / p!r})")


def _lp_pool(node):
    x = mapped(node, node.x)
    slide = _padded_alike(node, sliding(node, node.x, None), x.dims[2:])
    after = list(slide.after)
    if node.number("ceil_mode", 0):
        for i, n in enumerate(x.dims[2:]):
            window = Window(slide.size[i], slide.stride[i], slide.before[i], slide.after[i], slide.dilation[i], True)
            reach = (window.count(n) - 1) * window.stride + window.extent
            after[i] = max(after[i], reach - window.before - n)
    channels = x.dims[1]
    node.fits((channels, *slide.size))
    # The sum in each window is a convolution of each channel with ones.
    total = lambda powers: node.add(
        nodes.Convolution, powers, part="sum", weights=np.ones((channels, 1, *slide.size)), stride=slide.stride,
        padding=(*slide.before, *after), dilation=slide.dilation, groups=channels,
    )  # fmt: skip
    return unmapped(node, powered(node, x, node.number("p", 2), total), node.x)


def _spatial(node):
    if node.x.rank < 3:
        raise node.refusal(f"it works on {node.x.dims}, which has no axes after the channels")
    return tuple(range(2, node.x.rank))


def _global(function):
    return lambda node: node.add(nodes.Reduce, node.x, function=function, axes=_spatial(node), keep=True)


def _global_lp(node):
    axes = _spatial(node)
    total = lambda powers: node.add(nodes.Reduce, powers, part="sum", function="sum", axes=axes, keep=True)
    return powered(node, node.x, node.number("p", 2), total)


def _local_normalise(node):
    fields = {key: node.number(key, default) for key, default in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0))}
    return node.add(nodes.LocalNormalise, node.x, size=node.number("size", 0), **fields)


# Activations in fused convolutions: {name: (text with places for parameters, their defaults)}
FUSED = {
    "Relu": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "LeakyRelu": "leaky_relu({})", "HardSigmoid": "",
    "Clip": "", "HardSwish": "hard_swish",
}  # fmt: skip


def fused_activation(node: OnnxNode, y: Value) -> Result:
    """The activation that a fused node of onnxruntime applies at its end."""
    name, given = node.text("activation"), node.numbers("activation_params", [])
    if not name:
        return y
    if name == "Clip":
        return clipped(node, y, *(given or [-np.inf, np.inf]))
    if name == "HardSigmoid":
        alpha, beta = given or [0.2, 0.5]
        return clipped(node, node.scaled(y, alpha, beta, part="scale"), 0.0, 1.0)
    if name not in FUSED:
        raise node.refusal(f"its activation is {short(name)}; {', '.join(FUSED)} are known")
    return node.activated(y, FUSED[name].format(*(given or [0.01])), part=name.lower())


WINDOWS: Rules = {
    "Conv": _conv, "ConvTranspose": _transposed, "MaxPool": _pool(nodes.MaxPool), "LpPool": _lp_pool,
    "AveragePool": _pool(nodes.AveragePool), "GlobalAveragePool": _global("mean"), "GlobalMaxPool": _global("max"),
    "GlobalLpPool": _global_lp, "LRN": _local_normalise,
}  # fmt: skip


def fused_conv(node: OnnxNode) -> Result:
    """onnxruntime's convolution with an activation, and a sum before it."""
    weights, bias = _weights(node, _ranked(node))
    y = convolved(node, weights, bias, part="convolution")
    if node.input(3) is not None:
        y = node.add(nodes.Add, y, node.need(3), part="sum")
    return fused_activation(node, y)
