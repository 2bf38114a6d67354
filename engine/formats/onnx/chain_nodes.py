"""What each kind of ONNX node does to a chain of layers. A rule takes a node and gives its first output."""

import math
from dataclasses import replace

import numpy as np

from engine.errors import NetworkError
from engine.formats.chain import SOFTPLUS_CUT, Affine, Linear, Width
from engine.formats.files import MAX_WIDTH, check_width, short
from engine.formats.onnx.chain_values import PARTS, SAME, Value
from engine.formats.onnx.graph import ON_CONSTANTS, Constant, Rules, axes, dropout, same, target_shape


def _value(node):
    """The Value a node works on, for nodes that take nothing else of it."""
    return node.variable().settled(node.where)


def _elementwise(constant, node):
    """A constant that acts on the last axis, as a scalar or (n,) in float64."""
    array = constant.array
    if array.dtype.kind not in "fiu":
        raise node.refusal("its constant is not a number")
    if array.size == 1:
        return np.float64(array.reshape(())[()])
    if array.size != array.shape[-1] or array.size > MAX_WIDTH:
        raise node.refusal(f"its constant is {short(array.shape)}; a number or one of each value (n,) is accepted")
    return array.reshape(-1).astype(float)


def _with_number(node, why):
    """(Value, number) of a node that takes a Value and a constant of one number; refuses others, saying why."""
    x, constant = node.required(2)
    if isinstance(x, Constant) or not isinstance(constant, Constant) or constant.array.size != 1:
        raise node.refusal(why)
    return x, float(constant.array.reshape(()))


def _operands(node):
    """The first two inputs, not both of them constants."""
    a, b = node.required(2)
    if isinstance(a, Constant) and isinstance(b, Constant):
        raise node.refusal("it has inputs besides its two constants")
    return a, b


def _branches(node):
    return node.refusal("it joins two values that both depend on the input; only a chain without branches is accepted")


# Linear layers


def _linear(node, x, weights, bias=None):
    """x times the constant weights, (out, in) by now."""
    if weights.ndim != 2 or 0 in weights.shape or weights.dtype.kind != "f":
        raise node.refusal(f"its weights are {weights.dtype} {short(weights.shape)}; a matrix of floats is accepted")
    check_width(weights.shape, node.where)
    return x.settled(node.where).then(Linear(weights, bias, node.where))


def _matmul(node):
    a, b = node.required(2)
    if isinstance(a, Constant) and isinstance(b, Constant):
        raise node.refusal("it multiplies two constants; simplify the file (onnxsim)")
    if isinstance(b, Constant):
        return _linear(node, a, b.array.T)
    if isinstance(a, Constant):
        if b.rank != 1:
            raise node.refusal("its weights stand on the left, so values lie in columns; x MatMul weights is accepted")
        return _linear(node, b, a.array)
    raise _branches(node)


def _gemm(node):
    a, b = node.required(2)
    if isinstance(a, Constant) or not isinstance(b, Constant):
        raise node.refusal("Gemm(x, weights, bias) is accepted, with x from the layer before and constants after it")
    if node.number("transA", 0):
        raise node.refusal("transA = 1 exchanges values and points; transA = 0 is accepted")
    weights = b.array if node.number("transB", 0) else b.array.T
    alpha, beta, c = node.number("alpha", 1.0), node.number("beta", 1.0), node.input(2)
    # Scaled when it is folded, after the size of the whole has been checked.
    result = _linear(node, a, weights).moved(alpha)
    if c is None:
        return result
    if not isinstance(c, Constant):
        raise _branches(node)
    return result.moved(1.0, beta * _elementwise(c, node))


def _batch_norm(node):
    x, *constants = node.required(5)
    if (
        isinstance(x, Constant)
        or not all(isinstance(c, Constant) for c in constants)
        or node.number("training_mode", 0)
    ):
        raise node.refusal("it is in training mode; export the model in eval()")
    if x.rank not in (None, 2):
        raise node.refusal(f"it works on axis 1 of {x.rank}; values in rows (N, n) are accepted")
    gain, bias, mean, var = (np.atleast_1d(_elementwise(c, node)) for c in constants)
    if len({len(gain), len(bias), len(mean), len(var)}) != 1:
        raise node.refusal("its constants have different lengths")
    with np.errstate(all="ignore"):
        scale = gain / np.sqrt(var + node.number("epsilon", 1e-5))
    return x.settled(node.where).then(Affine(scale, bias - mean * scale, node.where))


# Arithmetic, elementwise


def _add(node, sign=1.0):
    a, b = _operands(node)
    if isinstance(b, Constant):
        return a.moved(1.0, sign * _elementwise(b, node))
    if isinstance(a, Constant):
        return b.moved(sign, _elementwise(a, node))
    raise _branches(node)


def _divide(node):
    a, b = _operands(node)
    if not isinstance(b, Constant):
        raise node.refusal("it divides by what depends on the input; division by constants is accepted")
    divisor = _elementwise(b, node)
    if np.any(divisor == 0):
        raise node.refusal("it divides by 0")
    return a.moved(1.0 / divisor)


def _multiply(node):
    a, b = _operands(node)
    if isinstance(b, Constant):
        return a.moved(_elementwise(b, node))
    if isinstance(a, Constant):
        return b.moved(_elementwise(a, node))
    for x, gate in ((a, b), (b, a)):
        product = None
        if gate.form in ("sigmoid", "erf") and x.form not in PARTS:
            product = (_silu if gate.form == "sigmoid" else _gelu)(x.settled(node.where), gate)
        if product is not None:
            return product
    if not a.form and not b.form:
        r = a.ratio(b)
        if r is not None:
            return b.opened("square", r)
    raise node.refusal(
        "it multiplies two values that depend on the input; accepted are x sigmoid(x), x (1 + erf(x / sqrt 2)) and x x"
    )


def _silu(x, gate):
    """x p sigmoid(g), with x = r g for a number r: p r silu(g)."""
    r = x.ratio(gate.of)
    if r is None or np.any(gate.shift != 0):
        return None
    return gate.of.activated("silu").moved(_near(r) * gate.scale)


def _gelu(x, gate):
    """x (p erf(y / sqrt 2) + p), with x = r y for a number r: 2 p r gelu(y)."""
    if not np.allclose(gate.shift, gate.scale, rtol=SAME, atol=0):
        return None
    y = gate.of.moved(math.sqrt(2.0))
    r = x.ratio(y)
    if not r:
        return None
    # 1 / sqrt 2 has been rounded to float32 in the file: take y from x, which has not.
    r = _near(r)
    y = x.moved(1.0 / r)
    return y.activated("gelu").moved(2.0 * r * gate.scale)


def _near(r):
    """A ratio of rounded constants as the small fraction it was meant to be, if there is one."""
    return next((k for k in (1.0, 0.5, 2.0, -1.0) if abs(r - k) <= SAME * abs(k)), r)


def _power(node):
    why = "only x to the power 2, as part of exp(-x x), is accepted"
    x, exponent = _with_number(node, why)
    if exponent != 2:
        hint = "; the tanh form of gelu is another function than gelu" if exponent == 3 else ""
        raise node.refusal(f"{why}{hint}")
    return x.settled(node.where).opened("square")


def _exp(node):
    x = node.variable()
    if x.form != "square" or np.any(x.shift != 0) or not np.all(x.scale < 0):
        raise node.refusal("exp is accepted of -x x only, a gaussian")
    return x.of.moved(np.sqrt(-x.scale)).activated("gaussian")


def _sqrt(node):
    raise node.refusal("a square root is accepted of constants only")


# Activations


def _activation(name, key=None, default=0.0):
    """A rule for an activation, whose parameter is an attribute if there is a key."""

    def rule(node):
        return _activated(node, _value(node), name if key is None else f"{name}({node.number(key, default)!r})")

    return rule


def _activated(node, x, text):
    try:
        return x.activated(text, node.where)
    except NetworkError as error:
        raise node.refusal(str(error).rstrip(".")) from None


def _open(form):
    return lambda node: _value(node).opened(form)


def _gelu_node(node):
    if node.text("approximate", "none") != "none":
        raise node.refusal("approximate=tanh is another function than gelu; approximate=none is accepted")
    return _activation("gelu")(node)


def _swish(node):
    alpha = node.number("alpha", 1.0)
    if not (math.isfinite(alpha) and alpha != 0):
        raise node.refusal(f"alpha = {alpha:g}; any other number is accepted")
    return _value(node).moved(alpha).activated("silu", node.where).moved(1.0 / alpha)


def _prelu(node):
    x, slope = _with_number(node, "one slope for all values, a constant, is accepted")
    return _activated(node, x.settled(node.where), f"leaky_relu({slope!r})")


def _greater(node):
    x, threshold = _with_number(node, PARTS["above"])
    return x.settled(node.where).opened("above", shift=-threshold)


def _where(node):
    """x where x > 20, else softplus(x): PyTorch's own cut, where the two are the same float32."""
    condition, x, smooth = node.required(3)
    forms = [v.form if isinstance(v, Value) else None for v in (condition, x, smooth)]
    if forms == ["above", "", "softplus"] and np.all(smooth.shift == 0):
        scale, slope = condition.of.ratio(smooth.of), x.ratio(smooth.of)
        is_slope = slope is not None and np.allclose(slope, smooth.scale, rtol=SAME, atol=0)
        if is_slope and scale is not None and scale > 0 and -condition.shift / scale >= SOFTPLUS_CUT:
            return smooth
    raise node.refusal(PARTS["above"])


def _sin(node):
    x = _value(node)
    k = float(x.scale) if np.ndim(x.scale) == 0 else 0.0
    if not 0 < k <= 1e6:
        return _activated(node, x, "sine(1)")
    # k (W x + b) is a sine's frequency, rather than weights k times as large.
    return _activated(node, replace(x, scale=1.0, shift=x.shift / k), f"sine({k!r})")


def _softmax(node):
    x = _value(node)
    axis = node.number("axis", -1)
    # Of values in rows the last axis is 1, which older files write.
    if axis != -1 and axis != (1 if x.rank is None else x.rank - 1):
        raise node.refusal(f"axis = {axis}; the last axis is accepted")
    return x.activated("softmax", node.where)


# Nodes that move values without computing, where nothing changes


def _cast(node):
    if node.number("to", 1) not in (1, 11):
        raise node.refusal("a cast to float or double is accepted")
    return same(node)


def _flatten(node):
    x = node.variable()
    if node.number("axis", 1) != 1 or x.rank == 1:
        raise node.refusal("axis = 1 of the layer before is accepted")
    return _rows(node, x)


def _rows(node, x, width=None):
    """x with all axes but the first made one; within the chain it has one already."""
    if x.rank is not None and x.rank > 2 and (x.steps is not None or np.ndim(x.scale) or np.ndim(x.shift)):
        raise node.refusal(f"it flattens {x.rank} axes after a layer; flattening is accepted of the input")
    return replace(x if width is None else _width(node, x, width), rank=2)


def _width(node, x, width):
    return x.settled(node.where).then(Width(width, node.where))


def _reshape(node):
    dims, x = target_shape(node), node.variable()
    if len(dims) == 2 and dims[1] > 0 and dims[0] in (-1, 0, 1):
        return _rows(node, x, dims[1])
    if dims in ([0, -1], [1, -1]):
        return _rows(node, x)
    if dims == [-1] and node.last:
        return _width(node, x, 1)
    raise node.refusal(f"to {short(dims)}; only flattening to rows, as (-1, n), is accepted")


def _transpose(node):
    order = node.integers("perm")
    if order is None or order != tuple(range(len(order))):
        raise node.refusal("transposing is accepted of constants only")
    return same(node)


def _squeeze(node):
    """One value each point loses its axis; only at the end, for constants would then mean points."""
    x = node.variable()
    if node.last and axes(node) in ((-1,), (1 if x.rank is None else x.rank - 1,)):
        return _width(node, x, 1)
    raise node.refusal("it is accepted of constants, and of a single output's axis at the end")


def _unsqueeze(node):
    raise node.refusal("it is accepted of constants only")


RULES: Rules = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "Add": _add,
    "Sub": lambda node: _add(node, -1.0),
    "Neg": lambda node: node.variable().moved(-1.0),
    "Mul": _multiply,
    "Div": _divide,
    "Pow": _power,
    "Sqrt": _sqrt,
    "Exp": _exp,
    "Erf": _open("erf"),
    "Sigmoid": _open("sigmoid"),
    "Relu": _activation("relu"),
    "Tanh": _activation("tanh"),
    "Softplus": _open("softplus"),
    "Greater": _greater,
    "Where": _where,
    "LeakyRelu": _activation("leaky_relu", "alpha", 0.01),
    "Elu": _activation("elu", "alpha", 1.0),
    "PRelu": _prelu,
    "Gelu": _gelu_node,
    "Swish": _swish,
    "Sin": _sin,
    "Softmax": _softmax,
    "Identity": same,
    "Dropout": dropout,
    "Cast": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Constant": ON_CONSTANTS["Constant"],
}
