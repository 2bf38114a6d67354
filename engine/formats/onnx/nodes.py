"""What each kind of ONNX node does to a chain of layers. A rule takes a node and gives its first output."""

import math
from dataclasses import replace

import numpy as np

from engine.errors import NetworkError
from engine.formats.chain import Affine, Apply, Linear
from engine.formats.files import check_width, told
from engine.formats.onnx.shapes import SHAPES
from engine.formats.onnx.values import (
    PARTS,
    SAME,
    SOFTPLUS_CUT,
    Constant,
    Value,
    elementwise,
    folded,
    one_value,
    refuse_branches,
    two_inputs,
)
from engine.network.activations import Activation

# Linear layers


def _linear(node, x, weights, bias=None):
    """x times the constant weights, (out, in) by now."""
    if weights.ndim != 2 or 0 in weights.shape or weights.dtype.kind != "f":
        raise node.refusal(f"its weights are {weights.dtype} {told(weights.shape)}; a matrix of floats is accepted")
    check_width(weights.shape, node.where)
    return x.settled(node.where).then(Linear(weights, bias, node.where))


def _matmul(node):
    a, b, constant = two_inputs(node)
    if constant:
        raise node.refusal("it multiplies two constants; simplify the file (onnxsim)")
    if isinstance(b, Constant):
        return _linear(node, a, b.array.T)
    if isinstance(a, Constant):
        if b.rank != 1:
            raise node.refusal("its weights stand on the left, so values lie in columns; x MatMul weights is accepted")
        return _linear(node, b, a.array)
    refuse_branches(node)


def _gemm(node):
    a, b, _ = two_inputs(node)
    if isinstance(a, Constant) or not isinstance(b, Constant):
        raise node.refusal("Gemm(x, weights, bias) is accepted, with x from the layer before and constants after it")
    if node.number("transA", 0):
        raise node.refusal("transA = 1 exchanges values and points; transA = 0 is accepted")
    weights = b.array if node.number("transB", 0) else b.array.T
    alpha, beta, c = node.number("alpha", 1.0), node.number("beta", 1.0), node.input(2)
    # Scaled when it is folded, after the size of the whole has been checked.
    result = _linear(node, a, weights).moved(np.float64(alpha), 0.0)
    if c is None:
        return result
    if not isinstance(c, Constant):
        refuse_branches(node)
    return result.moved(1.0, beta * elementwise(c, node))


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
    gain, bias, mean, var = (np.atleast_1d(elementwise(c, node)) for c in constants)
    if len({len(gain), len(bias), len(mean), len(var)}) != 1:
        raise node.refusal("its constants have different lengths")
    with np.errstate(all="ignore"):
        scale = gain / np.sqrt(var + node.number("epsilon", 1e-5))
    return x.settled(node.where).then(Affine(scale, bias - mean * scale, node.where))


# Arithmetic, elementwise


def _add(node, sign=1.0):
    a, b, constant = two_inputs(node)
    if constant:
        return folded(node, np.add if sign > 0 else np.subtract, a, b)
    if isinstance(b, Constant):
        return a.moved(1.0, sign * elementwise(b, node))
    if isinstance(a, Constant):
        return b.moved(sign, elementwise(a, node))
    refuse_branches(node)


def _subtract(node):
    return _add(node, -1.0)


def _negate(node):
    (x,) = node.required(1)
    return folded(node, np.negative, x) if isinstance(x, Constant) else x.moved(-1.0, 0.0)


def _divide(node):
    a, b, constant = two_inputs(node)
    if constant:
        return folded(node, np.divide, a, b)
    if not isinstance(b, Constant):
        raise node.refusal("it divides by what depends on the input; division by constants is accepted")
    divisor = elementwise(b, node)
    if np.any(divisor == 0):
        raise node.refusal("it divides by 0")
    return a.moved(1.0 / divisor, 0.0)


def _multiply(node):
    a, b, constant = two_inputs(node)
    if constant:
        return folded(node, np.multiply, a, b)
    if isinstance(b, Constant):
        return a.moved(elementwise(b, node), 0.0)
    if isinstance(a, Constant):
        return b.moved(elementwise(a, node), 0.0)
    for x, gate in ((a, b), (b, a)):
        product = None
        if gate.form in ("sigmoid", "erf") and x.form not in PARTS:
            product = (_silu if gate.form == "sigmoid" else _gelu)(x.settled(node.where), gate)
        if product is not None:
            return product
    if not a.form and not b.form:
        r = a.ratio(b)
        if r is not None:
            return _square(b, r)
    raise node.refusal(
        "it multiplies two values that depend on the input; accepted are x sigmoid(x), x (1 + erf(x / sqrt 2)) and x x"
    )


def _silu(x, gate):
    """x p sigmoid(g), with x = r g for a number r: p r silu(g)."""
    r = x.ratio(gate.of)
    if r is None or np.any(gate.shift != 0):
        return None
    return gate.of.then(Apply(Activation("silu"))).moved(_near(r) * gate.scale, 0.0)


def _gelu(x, gate):
    """x (p erf(y / sqrt 2) + p), with x = r y for a number r: 2 p r gelu(y)."""
    if not np.allclose(gate.shift, gate.scale, rtol=SAME, atol=0):
        return None
    y = gate.of.moved(math.sqrt(2.0), 0.0)
    r = x.ratio(y)
    if r is None:
        return None
    # 1 / sqrt 2 has been rounded to float32 in the file: take y from x, which has not.
    r = _near(r)
    y = x.moved(1.0 / r, 0.0)
    return y.then(Apply(Activation("gelu"))).moved(2.0 * r * gate.scale, 0.0)


def _near(r):
    """A ratio of rounded constants as the small fraction it was meant to be, if there is one."""
    return next((k for k in (1.0, 0.5, 2.0, -1.0) if abs(r - k) <= SAME * abs(k)), r)


def _square(x, factor=1.0):
    return Value(x.steps, np.float64(factor), np.float64(0), x.rank, "square", x)


def _power(node):
    x, exponent, constant = two_inputs(node)
    if constant:
        return folded(node, np.power, x, exponent)
    if isinstance(x, Constant) or not isinstance(exponent, Constant) or exponent.array.size != 1:
        raise node.refusal("only x to the power 2, as part of exp(-x x), is accepted")
    if float(exponent.array.reshape(())) != 2:
        hint = "; the tanh form of gelu is another function than gelu" if float(exponent.array.reshape(())) == 3 else ""
        raise node.refusal(f"only x to the power 2, as part of exp(-x x), is accepted{hint}")
    return _square(x.settled(node.where))


def _exp(node):
    (x,) = node.required(1)
    if isinstance(x, Constant):
        return folded(node, np.exp, x)
    if x.form != "square" or np.any(x.shift != 0) or not np.all(x.scale < 0):
        raise node.refusal("exp is accepted of -x x only, a gaussian")
    return x.of.moved(np.sqrt(-x.scale), 0.0).then(Apply(Activation("gaussian")))


def _sqrt(node):
    (x,) = node.required(1)
    if isinstance(x, Constant):
        return folded(node, np.sqrt, x)
    raise node.refusal("a square root is accepted of constants only")


# Activations


def _activation(name):
    def rule(node):
        return one_value(node).then(Apply(Activation.parse(name), node.where))

    return rule


def _with(name, key, default):
    def rule(node):
        return _parsed(node, one_value(node), f"{name}({node.number(key, default)!r})")

    return rule


def _parsed(node, x, text):
    try:
        return x.then(Apply(Activation.parse(text), node.where))
    except NetworkError as error:
        raise node.refusal(str(error).rstrip(".")) from None


def _open(form):
    def rule(node):
        x = one_value(node)
        return Value(x.steps, np.float64(1), np.float64(0), x.rank, form, x)

    return rule


def _gelu_node(node):
    if node.text("approximate", "none") != "none":
        raise node.refusal("approximate=tanh is another function than gelu; approximate=none is accepted")
    return _activation("gelu")(node)


def _swish(node):
    alpha = node.number("alpha", 1.0)
    if not (math.isfinite(alpha) and alpha != 0):
        raise node.refusal(f"alpha = {alpha:g}; any other number is accepted")
    return one_value(node).moved(alpha, 0.0).then(Apply(Activation("silu"), node.where)).moved(1.0 / alpha, 0.0)


def _prelu(node):
    x, slope, _ = two_inputs(node)
    if isinstance(x, Constant) or not isinstance(slope, Constant) or slope.array.size != 1:
        raise node.refusal("one slope for all values, a constant, is accepted")
    return _parsed(node, x.settled(node.where), f"leaky_relu({float(slope.array.reshape(()))!r})")


def _greater(node):
    x, threshold, _ = two_inputs(node)
    if isinstance(x, Constant) or not isinstance(threshold, Constant) or threshold.array.size != 1:
        raise node.refusal(PARTS["above"])
    x = x.settled(node.where)
    return Value(x.steps, np.float64(1), -np.float64(threshold.array.reshape(())), x.rank, "above", x)


def _where(node):
    """x where x > 20, else softplus(x): PyTorch's own cut, where the two are the same float32."""
    condition, x, smooth = node.required(3)
    forms = [v.form if isinstance(v, Value) else None for v in (condition, x, smooth)]
    if forms == ["above", "", "softplus"] and np.all(smooth.shift == 0):
        scale, slope = condition.of.ratio(smooth.of), x.ratio(smooth.of)
        same = slope is not None and np.allclose(slope, smooth.scale, rtol=SAME, atol=0)
        if same and scale is not None and scale > 0 and -condition.shift / scale >= SOFTPLUS_CUT:
            return smooth
    raise node.refusal(PARTS["above"])


def _sin(node):
    x = one_value(node)
    k = float(x.scale) if np.ndim(x.scale) == 0 else 0.0
    if not 0 < k <= 1e6:
        return _parsed(node, x, "sine(1)")
    # k (W x + b) is a sine's frequency, rather than weights k times as large.
    return _parsed(node, replace(x, scale=np.float64(1), shift=x.shift / k), f"sine({k!r})")


def _softmax(node):
    x = one_value(node)
    axis = node.number("axis", -1)
    # Of values in rows the last axis is 1, which older files write.
    if axis != -1 and axis != (1 if x.rank is None else x.rank - 1):
        raise node.refusal(f"axis = {axis}; the last axis is accepted")
    return x.then(Apply(Activation("softmax"), node.where))


NODES = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "Add": _add,
    "Sub": _subtract,
    "Neg": _negate,
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
    "LeakyRelu": _with("leaky_relu", "alpha", 0.01),
    "Elu": _with("elu", "alpha", 1.0),
    "PRelu": _prelu,
    "Gelu": _gelu_node,
    "Swish": _swish,
    "Sin": _sin,
    "Softmax": _softmax,
    **SHAPES,
}
