"""Rows for operators that compute each number by itself, or from one of each of two tensors."""

from __future__ import annotations

import math
from typing import Any

from engine.errors import NetworkError
from engine.formats.torch.aten.call import Call, Row
from engine.formats.torch.chain import softplus
from engine.network.graph import nodes
from engine.network.graph.nodes import GraphNode

# Operators that are an activation without parameters, under the same name.
NAMED = (
    "relu", "tanh", "sigmoid", "silu", "mish", "selu", "hardsigmoid", "hardswish", "relu6", "sin", "cos", "exp", "log",
    "sqrt", "rsqrt", "reciprocal", "abs", "erf", "atan", "asin", "acos", "tan", "sinh", "cosh", "asinh", "acosh",
    "atanh", "square", "floor", "ceil", "round", "sign", "log_sigmoid", "softsign", "tanhshrink",
)  # fmt: skip

BINARY: dict[str, type[GraphNode]] = {"mul": nodes.Multiply, "maximum": nodes.Maximum, "minimum": nodes.Minimum,
                                      "pow": nodes.Power}  # fmt: skip
RELATIONS = {"eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "logical_and": "and",
             "logical_or": "or", "logical_xor": "xor", "bitwise_and": "and",
             "bitwise_or": "or", "bitwise_xor": "xor"}  # fmt: skip
SELF = ("self", "input")


def _one(call: Call) -> str:
    return next(key for key in SELF if key in call.arguments)


def _named(text: str) -> Row:
    return lambda call: call.applied(text, call.value(_one(call)))


def _with(name: str, *keys: str) -> Row:
    """An activation whose parameters are arguments."""
    return lambda call: call.applied(f"{name}({','.join(repr(float(call[key])) for key in keys)})")


def _sum(kind: type[GraphNode]) -> Row:
    def row(call):
        other = call.value("other")
        alpha = call.get("alpha", 1)
        return call.add(kind, "self", other if alpha == 1 else call.add(nodes.Multiply, other, float(alpha)))

    return row


def _reversed(call: Call):
    scaled = call.value("self") if call.get("alpha", 1) == 1 else call.add(nodes.Multiply, "self", float(call["alpha"]))
    return call.add(nodes.Subtract, "other", scaled)


def _divided(call: Call):
    result = call.add(nodes.Divide, "self", "other")
    mode = call.get("rounding_mode")
    if mode == "floor":
        return call.applied("floor", result)
    if mode is not None:
        raise call.refusal("it rounds towards 0, which is not shown")
    return result


def _power(call: Call):
    exponent = call.constant("exponent")
    simple = {2: "square", 0.5: "sqrt", -0.5: "rsqrt", -1: "reciprocal"}
    if exponent is not None and exponent.size == 1 and float(exponent.item()) in simple:
        return call.applied(simple[float(exponent.item())])
    return call.add(nodes.Power, "self", "exponent")


def _between(call: Call, low: float, high: float):
    if low == 0 and high > 0:
        return call.applied(f"clipped_relu({float(high)!r})")
    return call.applied(f"hardtanh({float(low)!r},{float(high)!r})")


def _clamped(call: Call):
    low, high = call.get("min"), call.get("max")
    numbers = [x for x in (low, high) if x is not None]
    if len(numbers) == 2 and all(isinstance(x, int | float) for x in numbers):
        return _between(call, low, high)
    if high is None and low == 0 and isinstance(low, int | float):
        return call.applied("relu")
    result = call.value("self")
    if low is not None:
        result = call.add(nodes.Maximum, result, low)
    return result if high is None else call.add(nodes.Minimum, result, high)


def _gelu(call: Call):
    return call.applied("gelu_tanh" if call.get("approximate") == "tanh" else "gelu")


def _elu(call: Call):
    alpha, scale, inner = (float(call.get(key, 1.0)) for key in ("alpha", "scale", "input_scale"))
    if inner == 1 and scale == 1:
        return call.applied(f"elu({alpha!r})")
    if inner == 1 and abs(scale - 1.0507009873554805) < 1e-7 and abs(alpha - 1.6732632423543772) < 1e-7:
        return call.applied("selu")
    if scale != 1 or abs(inner * alpha - 1) > 1e-6:
        raise call.refusal(f"it is elu of alpha {alpha:g}, scale {scale:g} and input scale {inner:g}")
    return call.applied(f"celu({alpha!r})")


def _rrelu(call: Call):
    """In eval() mode the mean of the slopes that it draws."""
    return call.applied(f"leaky_relu({(float(call['lower']) + float(call['upper'])) / 2!r})")


def _softplus(call: Call):
    try:
        return call.applied(softplus(float(call.get("beta", 1.0)), float(call.get("threshold", 20.0))))
    except NetworkError as error:
        raise call.refusal(str(error)) from None


def _prelu(call: Call):
    slopes, value = call.constant("weight"), call.value("self")
    if slopes is None:
        raise call.refusal("its slopes depend on the input")
    # One slope for each channel, which is axis 1.
    shape = (1, -1, *[1] * (value.rank - 2)) if slopes.ndim < value.rank and slopes.size > 1 else slopes.shape
    return call.add(nodes.Prelu, value, slopes=slopes.reshape(shape))


def _binary(kind: type[GraphNode]) -> Row:
    return lambda call: call.add(kind, "self", "other")


def _compared(relation: str) -> Row:
    return lambda call: call.add(nodes.Compare, "self", "other", relation=relation)


def _where(call: Call):
    return call.add(nodes.Where, "condition", "self", "other")


def _filled(call: Call):
    return call.add(nodes.Where, "mask", "value", "self")


def _remainder(call: Call):
    """x - floor(x / y) y, of the sign of y."""
    whole = call.applied("floor", call.add(nodes.Divide, "self", "other"))
    return call.add(nodes.Subtract, "self", call.add(nodes.Multiply, whole, "other"))


def _whole(call: Call, value: Any):
    """The whole part of a number, which is towards 0."""
    return call.add(nodes.Multiply, call.applied("sign", value), call.applied("floor", call.applied("abs", value)))


def _left_over(call: Call):
    """x less y times the whole part of x / y, of the sign of x."""
    whole = _whole(call, call.add(nodes.Divide, "self", "other"))
    return call.add(nodes.Subtract, "self", call.add(nodes.Multiply, whole, "other"))


def _scaled_log(factor: float, shift: float = 0.0) -> Row:
    def row(call):
        value = call.add(nodes.Add, "self", shift) if shift else call.value("self")
        found = call.applied("log", value)
        return found if factor == 1 else call.add(nodes.Multiply, found, factor)

    return row


def _hypotenuse(call: Call):
    squares = [call.applied("square", call.value(key)) for key in ("self", "other")]
    return call.applied("sqrt", call.add(nodes.Add, *squares))


def _log_of_sum(call: Call):
    """log(exp a + exp b) = b + softplus(a - b)."""
    return call.add(nodes.Add, "other", call.applied("softplus", call.add(nodes.Subtract, "self", "other")))


def _distances(call: Call):
    """Distances of the rows of two matrices (..., P, M) and (..., R, M), by differences."""
    a, b, p = call.value("x1"), call.value("x2"), call["p"]
    if p != 2:
        raise call.refusal(f"it has p = {p:g}; euclidean distances, p = 2, are shown")
    a = call.reshaped(a, (*a.dims[:-1], 1, a.dims[-1]))
    b = call.reshaped(b, (*b.dims[:-2], 1, *b.dims[-2:]))
    squares = call.applied("square", call.add(nodes.Subtract, a, b))
    return call.applied("sqrt", call.add(nodes.Reduce, squares, function="sum", axes=(squares.rank - 1,), keep=False))


def _bilinear(call: Call):
    """x1^T W_o x2 + bias for each output o."""
    a, b, weights = call.value("input1"), call.value("input2"), call.constant("weight")
    if weights is None:
        raise call.refusal("its weights depend on the input")
    outputs, n, m = weights.shape
    first = call.add(nodes.Dense, a, weights=weights.transpose(0, 2, 1).reshape(-1, n), bias=None)
    first = call.reshaped(first, (*a.dims[:-1], outputs, m))
    each = call.add(nodes.Multiply, first, call.reshaped(b, (*b.dims[:-1], 1, m)))
    found = call.add(nodes.Reduce, each, function="sum", axes=(each.rank - 1,), keep=False)
    return found if call.get("bias") is None else call.add(nodes.Add, found, "bias")


def _same(call: Call):
    return call.value(_one(call))


def _cast(call: Call):
    value, dtype = call.value(_one(call)), call.get("dtype")
    if dtype is None:
        return value
    if dtype.is_floating_point:
        return value if not value.is_constant else call.add(nodes.Cast, value, to="float")
    return call.add(nodes.Cast, value, to="bool" if str(dtype) == "torch.bool" else "int")


ROWS: dict[str, Row] = {
    **{key: _named(key) for key in NAMED},
    **{key: _binary(kind) for key, kind in BINARY.items()},
    **{key: _compared(relation) for key, relation in RELATIONS.items()},
    "add": _sum(nodes.Add),
    "sub": _sum(nodes.Subtract),
    "rsub": _reversed,
    "div": _divided,
    "pow": _power,
    "neg": lambda call: call.add(nodes.Multiply, "self", -1.0),
    "clamp": _clamped,
    "clamp_min": _clamped,
    "clamp_max": _clamped,
    "hardtanh": lambda call: _between(call, call["min_val"], call["max_val"]),
    "leaky_relu": _with("leaky_relu", "negative_slope"),
    "softshrink": _with("softshrink", "lambd"),
    "hardshrink": _with("hardshrink", "lambd"),
    "threshold": _with("threshold", "threshold", "value"),
    "celu": _with("celu", "alpha"),
    "log_sigmoid_forward": lambda call: (call.applied("log_sigmoid"), None),
    "rrelu_with_noise_functional": lambda call: (_rrelu(call), None),
    "rrelu": _rrelu,
    "gelu": _gelu,
    "elu": _elu,
    "softplus": _softplus,
    "prelu": _prelu,
    "_prelu_kernel": _prelu,
    "where": _where,
    **dict.fromkeys(("logical_not", "bitwise_not"), lambda call: call.add(nodes.Compare, "self", 0.0, relation="==")),
    "remainder": _remainder,
    "fmod": _left_over,
    "trunc": lambda call: _whole(call, call.value("self")),
    "frac": lambda call: call.add(nodes.Subtract, "self", _whole(call, call.value("self"))),
    "log1p": _scaled_log(1.0, 1.0),
    "log2": _scaled_log(1 / math.log(2)),
    "log10": _scaled_log(1 / math.log(10)),
    "exp2": lambda call: call.applied("exp", call.add(nodes.Multiply, "self", math.log(2))),
    "expm1": lambda call: call.add(nodes.Subtract, call.applied("exp"), 1.0),
    "hypot": _hypotenuse,
    "logaddexp": _log_of_sum,
    "cdist": _distances,
    "_cdist_forward": _distances,
    "bilinear": _bilinear,
    "masked_fill": _filled,
    **dict.fromkeys(
        ("alias", "clone", "contiguous", "detach", "lift_fresh_copy", "dropout", "alpha_dropout", "feature_dropout"),
        _same,
    ),
    "native_dropout": lambda call: (_same(call), None),
    "_to_copy": _cast,
}
