"""Rules for functions of each number, arithmetic, comparisons, and changes of type."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from engine.formats.onnx.node import Absent, OnnxNode, Result, Rule, Rules
from engine.network.graph import nodes
from engine.network.graph.builder import Value

# The largest numbers of float16 and float32, which old files write for "no bound".
NO_BOUND = 3.4e38


def _is_whole(value: Value) -> bool:
    return value.array is not None and value.array.dtype.kind in "iub"


def _plain(activation: str, function: Callable | None = None) -> Rule:
    """The rule of a function without attributes; function: what computes it for constants, of any type."""

    def rule(node):
        if function is not None and node.x.array is not None:
            return node.computed(function, node.x.array)
        return node.activated(node.x, activation)

    return rule


def _with(activation: str, **defaults: float) -> Rule:
    """The rule of an activation whose parameters are attributes of these names, in this order."""

    def rule(node):
        given = [node.number(key, default) for key, default in defaults.items()]
        return node.activated(node.x, f"{activation}({','.join(map(repr, given))})")

    return rule


def negative(node: OnnxNode) -> Value:
    """-x."""
    x = node.x
    return node.scaled(x, -1.0) if x.array is None else node.computed(np.negative, x.array)


def _selu(node):
    # The attributes' defaults are the activation's own numbers, rounded to float32.
    alpha, gamma = node.number("alpha", 1.6732632), node.number("gamma", 1.0507010)
    if abs(alpha - 1.6732632) < 1e-6 and abs(gamma - 1.0507010) < 1e-6:
        return node.activated(node.x, "selu")
    return node.scaled(node.activated(node.x, f"elu({alpha!r})", part="elu"), gamma)


def _gelu(node):
    how = node.text("approximate", "none")
    if how not in ("none", "tanh"):
        raise node.refusal(f"approximate = {how}; none and tanh are known")
    return node.activated(node.x, "gelu" if how == "none" else "gelu_tanh")


def swish(node: OnnxNode, x: Value, alpha: float) -> Value:
    """x sigmoid(alpha x)."""
    if alpha == 1:
        return node.activated(x, "silu")
    if alpha > 0 and math.isfinite(alpha):
        return node.activated(x, f"swish({alpha!r})")
    gate = node.activated(node.scaled(x, alpha, part="scale"), "sigmoid", part="sigmoid")
    return node.add(nodes.Multiply, x, gate)


def _hard_sigmoid(node):
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    # The default's sixth is rounded to float32.
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return node.activated(node.x, "hard_sigmoid")
    return clipped(node, node.scaled(node.x, alpha, beta, part="scale"), 0.0, 1.0)


def _shrink(node):
    return node.activated(node.x, f"shrink({node.number('bias', 0.0)!r},{node.number('lambd', 0.5)!r})")


def clipped(node: OnnxNode, x: Value, low: float, high: float) -> Value:
    """x within bounds, either of which may be infinite."""
    low, high = (x if abs(x) < NO_BOUND else math.copysign(math.inf, x) for x in (low, high))
    if math.isnan(low) or math.isnan(high):
        raise node.refusal("a bound is not a number")
    if low >= high:
        # The upper bound wins, as in onnx.
        return node.add(nodes.Minimum, node.add(nodes.Maximum, x, node.constant(low), part="max"), node.constant(high))
    if x.array is not None:
        return node.computed(lambda a: np.clip(a, low, high), x.array)
    if low == -math.inf and high == math.inf:
        return x
    if high == math.inf:
        # The larger of x and the bound is a relu of their difference.
        base = node.scaled(x, 1.0, -low, part="shift") if low else x
        kept = node.activated(base, "relu", part="relu" if low else "")
        return node.scaled(kept, 1.0, low) if low else kept
    if low == -math.inf:
        kept = node.activated(node.scaled(x, -1.0, high, part="shift"), "relu", part="relu")
        return node.scaled(kept, -1.0, high)
    return node.activated(x, f"clipped_relu({high!r})" if low == 0 else f"hardtanh({low!r},{high!r})")


def _clip(node):
    bounds = []
    for i, (key, none) in enumerate((("min", -math.inf), ("max", math.inf)), start=1):
        given = node.input(i)
        if given is None:
            bounds.append(float(node.number(key, none)))
        elif given.array is None:
            return _clip_by_values(node)
        elif given.array.size != 1:
            raise node.refusal(f"its bound {key} is {given.dims}; one number is needed")
        else:
            bounds.append(float(given.array.reshape(())))
    if _is_whole(node.x):
        return node.computed(lambda a: np.clip(a, bounds[0], bounds[1]).astype(a.dtype), node.x.array)
    return clipped(node, node.x, *bounds)


def _clip_by_values(node):
    x = node.x
    for i, kind in ((1, nodes.Maximum), (2, nodes.Minimum)):
        bound = node.input(i)
        if bound is not None:
            x = node.add(kind, x, bound, part="" if node.input(2) is None or i == 2 else "max")
    return x


def binary(kind: type[nodes.GraphNode], **fields: str) -> Rule:
    """The rule of a function of two inputs."""
    return lambda node: node.add(kind, node.need(0), node.need(1), **fields)


def _divide(node):
    a, b = node.need(0), node.need(1)
    if b.array is not None and b.array.size and not b.array.all() and not a.is_constant:
        raise node.refusal("it divides by 0")
    if not (a.is_constant and b.is_constant) and {node.type_of(a), node.type_of(b)} == {"i"}:
        raise node.refusal("it divides whole numbers that are computed from the network's input")
    return node.add(nodes.Divide, a, b)


def _power(node):
    x, exponent = node.need(0), node.need(1)
    if _is_whole(x) and exponent.array is not None:
        kind = x.array.dtype
        return node.computed(lambda a, b: np.power(a.astype(float), b).astype(kind), x.array, exponent.array)
    return node.add(nodes.Power, x, exponent)


def folded(kind: type[nodes.GraphNode], divide: bool = False) -> Rule:
    """The rule of a sum, or a largest or least, of any number of inputs; divide: their mean."""

    def rule(node):
        values = [node.need(i) for i in range(max(len(node.inputs), 1))]
        last = len(values) - 1
        if kind in (nodes.Maximum, nodes.Minimum) and len(values) == 2:
            # With one number, as relu is often written.
            for x, bound in (values, values[::-1]):
                if not x.is_constant and bound.array is not None and bound.array.size == 1 and bound.rank <= x.rank:
                    number = float(bound.array.reshape(()))
                    return clipped(node, x, *((number, math.inf) if kind is nodes.Maximum else (-math.inf, number)))
        total = values[0]
        for i, value in enumerate(values[1:], start=1):
            total = node.add(kind, total, value, part="" if i == last and not divide else "sum")
        return node.scaled(total, 1.0 / len(values)) if divide else total

    return rule


def _mod(node):
    a, b = node.need(0), node.need(1)
    if a.array is not None and b.array is not None:
        return node.computed(np.fmod if node.number("fmod", 0) else np.mod, a.array, b.array)
    if b.array is None or not (np.isfinite(b.array).all() and b.array.all()):
        raise node.refusal("its divisor is 0, not finite, or computed from the network's input")
    if node.number("fmod", 0):
        # Of the dividend's sign: a - b trunc(a / b), with trunc(q) = sign(q) floor(|q|).
        q = node.add(nodes.Divide, a, b, part="quotient")
        size = node.activated(node.activated(q, "abs", part="abs"), "floor", part="floor")
        times = node.add(nodes.Multiply, node.activated(q, "sign", part="sign"), size, part="trunc")
    else:
        times = node.activated(node.add(nodes.Divide, a, b, part="quotient"), "floor", part="floor")
    return node.add(nodes.Subtract, a, node.add(nodes.Multiply, b, times, part="whole"))


def _compare(relation: str) -> Rule:
    return lambda node: node.add(nodes.Compare, node.need(0), node.need(1), relation=relation)


def _not(node):
    return node.add(nodes.Compare, node.x, node.constant(True), relation="xor")


def _prelu(node):
    x, slopes = node.need(0), node.need(1)
    if slopes.array is None:
        below = node.scaled(node.activated(node.scaled(x, -1.0, part="turned"), "relu", part="below"), -1.0, part="low")
        scaled = node.add(nodes.Multiply, slopes, below, part="slope")
        return node.add(nodes.Add, node.activated(x, "relu", part="above"), scaled)
    array = slopes.array
    # Before opset 9, and still from exporters: one slope for each channel, as (C,).
    if array.ndim == 1 and array.size > 1 and x.rank > 2 and array.size == x.dims[1] != x.dims[-1]:
        array = array.reshape(-1, *[1] * (x.rank - 2))
    if array.size == 1 and abs(float(array.reshape(()))) <= 1e6:
        return node.activated(x, f"leaky_relu({float(array.reshape(()))!r})")
    return node.add(nodes.Prelu, x, slopes=array)


def same(node: OnnxNode) -> Value:
    """The first input, unchanged."""
    return node.x


def _dropout(node):
    training = node.input(2)
    if training is not None and (training.array is None or training.array.any()):
        raise node.refusal("it is in training mode; export the model in eval()")
    return node.x, Absent("its mask is all of true values, which is not kept")


# {TensorProto.DataType: what a cast to it is}
CASTS = {
    **dict.fromkeys((1, 10, 11, *range(16, 21)), "float"),
    **dict.fromkeys((2, 3, 4, 5, 6, 7, 12, 13), "int"),
    9: "bool",
}


def cast(node: OnnxNode, to: int) -> Result:
    """The first input as another type, a number of TensorProto.DataType."""
    x, kind = node.x, CASTS.get(to)
    if kind is None:
        raise node.refusal(f"it casts to ONNX data type {to}, which holds no numbers")
    if kind[0] == node.type_of(x):
        return x
    if x.array is not None and x.array.dtype.kind == "f":
        # What no integer can hold is defined nowhere; exporters mean the largest.
        return node.computed(
            lambda a: np.nan_to_num(a).clip(-(2.0**62), 2.0**62).astype({"int": np.int64, "bool": bool}[kind]), x.array
        )
    return node.add(nodes.Cast, x, to=kind)


def _where(node):
    return node.add(nodes.Where, node.need(0), node.need(1), node.need(2))


def _on_constant(function: Callable) -> Rule:
    return lambda node: node.computed(function, node.array(0, "numbers"))


ARITHMETIC: Rules = {
    "Abs": _plain("abs", np.abs), "Acos": _plain("acos", np.arccos), "Acosh": _plain("acosh", np.arccosh),
    "Asin": _plain("asin", np.arcsin), "Asinh": _plain("asinh", np.arcsinh), "Atan": _plain("atan", np.arctan),
    "Atanh": _plain("atanh", np.arctanh), "Ceil": _plain("ceil", np.ceil), "Cos": _plain("cos(1)", np.cos),
    "Cosh": _plain("cosh", np.cosh), "Erf": _plain("erf"), "Exp": _plain("exp", np.exp),
    "Floor": _plain("floor", np.floor), "HardSwish": _plain("hard_swish"), "Log": _plain("log", np.log),
    "Mish": _plain("mish"), "Reciprocal": _plain("reciprocal", np.reciprocal),
    "Relu": _plain("relu", lambda a: np.maximum(a, 0)), "Round": _plain("round", np.round),
    "Sigmoid": _plain("sigmoid"), "Sign": _plain("sign", np.sign), "Sin": _plain("sine(1)", np.sin),
    "Sinh": _plain("sinh", np.sinh), "Softplus": _plain("softplus"), "Softsign": _plain("softsign"),
    "Sqrt": _plain("sqrt", np.sqrt), "Tan": _plain("tan", np.tan), "Tanh": _plain("tanh", np.tanh),
    "Celu": _with("celu", alpha=1.0), "Elu": _with("elu", alpha=1.0), "LeakyRelu": _with("leaky_relu", alpha=0.01),
    "ThresholdedRelu": _with("thresholded_relu", alpha=1.0), "Selu": _selu, "Gelu": _gelu,
    "Swish": lambda node: swish(node, node.x, node.number("alpha", 1.0)), "HardSigmoid": _hard_sigmoid,
    "Shrink": _shrink, "Clip": _clip, "PRelu": _prelu, "Neg": negative,
    "Add": binary(nodes.Add), "Sub": binary(nodes.Subtract), "Mul": binary(nodes.Multiply), "Div": _divide,
    "Pow": _power, "Mod": _mod, "Sum": folded(nodes.Add), "Mean": folded(nodes.Add, divide=True),
    "Max": folded(nodes.Maximum), "Min": folded(nodes.Minimum),
    "Equal": _compare("=="), "Greater": _compare(">"), "GreaterOrEqual": _compare(">="), "Less": _compare("<"),
    "LessOrEqual": _compare("<="), "And": _compare("and"), "Or": _compare("or"), "Xor": _compare("xor"), "Not": _not,
    "Where": _where, "Identity": same, "Dropout": _dropout,
    "Cast": lambda node: cast(node, node.number("to", 1)),
    "CastLike": lambda node: cast(node, {"f": 1, "i": 7, "b": 9}[node.type_of(node.need(1))]),
    "IsNaN": _on_constant(np.isnan), "IsInf": _on_constant(np.isinf),
}  # fmt: skip
