"""What each kind of ONNX node does to a chain of layers.

A node's result is a Constant, or a Value: what became of the network's input. A Value is the chain so far with
an elementwise scale and shift on it, and sometimes one open form (erf, sigmoid, a square) that becomes an
activation when its partner arrives: exporters write silu as x * sigmoid(x), gelu by erf, a gaussian as exp(-x x).
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.errors import NetworkError
from engine.network.activations import Activation
from engine.network.formats.chain import Affine, Apply, Linear, Width
from engine.network.formats.files import MAX_WIDTH, check_width, told

# Constants in a file are float32: 1 / sqrt(2) stands there to 3e-8. No other function is meant that near.
SAME = 1e-6

# Past this softplus is the line to less than float32 can tell: e^-15 is 3e-7.
SOFTPLUS_CUT = 15.0

# Open forms that are activations by themselves, and those that are not, with what they are accepted in.
ALONE = ("sigmoid", "softplus")
PARTS = {
    "erf": "erf is accepted as part of gelu, x (1 + erf(x / sqrt 2)) / 2, only",
    "square": "a square is accepted as part of exp(-x x) only",
    "above": "a comparison is accepted as part of softplus, x where x > 20, only",
}


@dataclass(frozen=True)
class Constant:
    """An array that does not depend on the input; stored: it is the file's own, not computed here."""

    array: np.ndarray
    stored: bool = False


@dataclass(frozen=True, eq=False)
class Value:
    """scale f(chain) + shift, where f is the open form, or nothing.

    steps   (steps before, step) or None at the input: a list that branches share
    scale   float64, a scalar or (n,); shift alike
    form    "" or one of ALONE and PARTS: of `of`, a Value without form
    rank    axes of the tensor, the batch's included; None if the file does not say
    """

    steps: tuple | None
    scale: np.ndarray
    shift: np.ndarray
    rank: int | None
    form: str = ""
    of: "Value | None" = None

    @staticmethod
    def input(rank):
        return Value(None, np.float64(1), np.float64(0), rank)

    def then(self, step):
        """A Value with one more step, after its own scale and shift."""
        return Value(((self.steps, Affine(self.scale, self.shift)), step), np.float64(1), np.float64(0), self.rank)

    def moved(self, scale, shift):
        return replace(self, scale=self.scale * scale, shift=self.shift * scale + shift)

    def settled(self, where):
        """The same without an open form: an activation becomes a step; a part of one cannot stand alone."""
        if self.form in PARTS:
            raise NetworkError(f"{where} cannot be shown: {PARTS[self.form]}.")
        return self._applied if self.form else self

    @cached_property
    def _applied(self):
        # Kept, so that two uses of one sigmoid know each other as the same.
        return replace(self.of.then(Apply(Activation(self.form))), scale=self.scale, shift=self.shift, form="", of=None)

    def chain(self):
        """The steps in the order they are applied."""
        found, at = [Affine(self.scale, self.shift)], self.steps
        while at is not None:
            at, step = at
            found.append(step)
        return found[::-1]

    def ratio(self, other):
        """The number r with self = r other, or None."""
        if self.steps is not other.steps or self.form or other.form:
            return None
        mine, its = (np.stack(np.broadcast_arrays(v.scale, v.shift)).reshape(2, -1) for v in (self, other))
        if mine.shape[1] != its.shape[1] and 1 not in (mine.shape[1], its.shape[1]):
            return None
        mine, its = (x.ravel() for x in np.broadcast_arrays(mine, its))
        pivot = np.argmax(np.abs(its))
        r = mine[pivot] / its[pivot] if its[pivot] else math.nan
        return float(r) if math.isfinite(r) and np.allclose(mine, r * its, rtol=SAME, atol=0) else None


def _elementwise(constant, node):
    """A constant that acts on the last axis, as a scalar or (n,) in float64."""
    array = constant.array
    if array.dtype.kind not in "fiu":
        raise node.refusal("its constant is not a number")
    if array.size == 1:
        return np.float64(array.reshape(())[()])
    if array.size != array.shape[-1] or array.size > MAX_WIDTH:
        raise node.refusal(f"its constant is {told(array.shape)}; a number or one of each value (n,) is accepted")
    return array.reshape(-1).astype(float)


def _folded(node, function, *constants):
    """The same node on constants only, within bounds of size."""
    arrays = [c.array for c in constants]
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError:
        raise node.refusal("the shapes of its constants do not fit") from None
    if math.prod(shape) > MAX_WIDTH * MAX_WIDTH:
        raise node.refusal(f"its result would be {told(shape)}")
    try:
        with np.errstate(all="ignore"):
            return Constant(np.asarray(function(*arrays)))
    except (ValueError, TypeError) as error:
        raise node.refusal(told(error)) from None


def _values(node, count=2):
    """A node's first inputs; all constant or not."""
    inputs = node.required(count)
    return *inputs, all(isinstance(x, Constant) for x in inputs)


def _one_value(node):
    """The Value a node works on, for nodes that take nothing else of it."""
    (x,) = node.required(1)
    if isinstance(x, Constant):
        raise node.refusal("it works on a constant; simplify the file (onnxsim, or export with constant folding)")
    return x.settled(node.where)


def _refuse_branches(node):
    raise node.refusal("it joins two values that both depend on the input; only a chain without branches is accepted")


# Linear layers


def _linear(node, x, weights, bias=None):
    """x times the constant weights, (out, in) by now."""
    if weights.ndim != 2 or 0 in weights.shape or weights.dtype.kind != "f":
        raise node.refusal(f"its weights are {weights.dtype} {told(weights.shape)}; a matrix of floats is accepted")
    check_width(weights.shape, node.where)
    return x.settled(node.where).then(Linear(weights, bias, node.where))


def _matmul(node):
    a, b, constant = _values(node)
    if constant:
        raise node.refusal("it multiplies two constants; simplify the file (onnxsim)")
    if isinstance(b, Constant):
        return _linear(node, a, b.array.T)
    if isinstance(a, Constant):
        if b.rank != 1:
            raise node.refusal("its weights stand on the left, so values lie in columns; x MatMul weights is accepted")
        return _linear(node, b, a.array)
    _refuse_branches(node)


def _gemm(node):
    a, b, _ = _values(node)
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
        _refuse_branches(node)
    return result.moved(1.0, beta * _elementwise(c, node))


# Arithmetic, elementwise


def _add(node, sign=1.0):
    a, b, constant = _values(node)
    if constant:
        return _folded(node, np.add if sign > 0 else np.subtract, a, b)
    if isinstance(b, Constant):
        return a.moved(1.0, sign * _elementwise(b, node))
    if isinstance(a, Constant):
        return b.moved(sign, _elementwise(a, node))
    _refuse_branches(node)


def _subtract(node):
    return _add(node, -1.0)


def _negate(node):
    (x,) = node.required(1)
    return _folded(node, np.negative, x) if isinstance(x, Constant) else x.moved(-1.0, 0.0)


def _divide(node):
    a, b, constant = _values(node)
    if constant:
        return _folded(node, np.divide, a, b)
    if not isinstance(b, Constant):
        raise node.refusal("it divides by what depends on the input; division by constants is accepted")
    divisor = _elementwise(b, node)
    if np.any(divisor == 0):
        raise node.refusal("it divides by 0")
    return a.moved(1.0 / divisor, 0.0)


def _multiply(node):
    a, b, constant = _values(node)
    if constant:
        return _folded(node, np.multiply, a, b)
    if isinstance(b, Constant):
        return a.moved(_elementwise(b, node), 0.0)
    if isinstance(a, Constant):
        return b.moved(_elementwise(a, node), 0.0)
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
    x, exponent, constant = _values(node)
    if constant:
        return _folded(node, np.power, x, exponent)
    if isinstance(x, Constant) or not isinstance(exponent, Constant) or exponent.array.size != 1:
        raise node.refusal("only x to the power 2, as part of exp(-x x), is accepted")
    if float(exponent.array.reshape(())) != 2:
        hint = "; the tanh form of gelu is another function than gelu" if float(exponent.array.reshape(())) == 3 else ""
        raise node.refusal(f"only x to the power 2, as part of exp(-x x), is accepted{hint}")
    return _square(x.settled(node.where))


def _exp(node):
    (x,) = node.required(1)
    if isinstance(x, Constant):
        return _folded(node, np.exp, x)
    if x.form != "square" or np.any(x.shift != 0) or not np.all(x.scale < 0):
        raise node.refusal("exp is accepted of -x x only, a gaussian")
    return x.of.moved(np.sqrt(-x.scale), 0.0).then(Apply(Activation("gaussian")))


def _sqrt(node):
    (x,) = node.required(1)
    if isinstance(x, Constant):
        return _folded(node, np.sqrt, x)
    raise node.refusal("a square root is accepted of constants only")


# Activations


def _activation(name):
    def rule(node):
        return _one_value(node).then(Apply(Activation.parse(name), node.where))

    return rule


def _with(name, key, default):
    def rule(node):
        return _parsed(node, _one_value(node), f"{name}({node.number(key, default)!r})")

    return rule


def _parsed(node, x, text):
    try:
        return x.then(Apply(Activation.parse(text), node.where))
    except NetworkError as error:
        raise node.refusal(str(error).rstrip(".")) from None


def _open(form):
    def rule(node):
        x = _one_value(node)
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
    return _one_value(node).moved(alpha, 0.0).then(Apply(Activation("silu"), node.where)).moved(1.0 / alpha, 0.0)


def _prelu(node):
    x, slope, _ = _values(node)
    if isinstance(x, Constant) or not isinstance(slope, Constant) or slope.array.size != 1:
        raise node.refusal("one slope for all values, a constant, is accepted")
    return _parsed(node, x.settled(node.where), f"leaky_relu({float(slope.array.reshape(()))!r})")


def _greater(node):
    x, threshold, _ = _values(node)
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
    x = _one_value(node)
    k = float(x.scale) if np.ndim(x.scale) == 0 else 0.0
    if not 0 < k <= 1e6:
        return _parsed(node, x, "sine(1)")
    # k (W x + b) is a sine's frequency, rather than weights k times as large.
    return _parsed(node, replace(x, scale=np.float64(1), shift=x.shift / k), f"sine({k!r})")


def _softmax(node):
    x = _one_value(node)
    axis = node.number("axis", -1)
    # Of values in rows the last axis is 1, which older files write.
    if axis != -1 and axis != (1 if x.rank is None else x.rank - 1):
        raise node.refusal(f"axis = {axis}; the last axis is accepted")
    return x.then(Apply(Activation("softmax"), node.where))


# Shapes


def _same(node):
    (x,) = node.required(1)
    return x


def _dropout(node):
    training = node.input(2)
    if training is not None and not (isinstance(training, Constant) and not training.array.any()):
        raise node.refusal("it is in training mode; export the model in eval()")
    return _same(node)


def _cast(node):
    (x,) = node.required(1)
    to = node.number("to", 1)
    kinds = {1: np.float32, 10: np.float16, 11: np.float64, 6: np.int32, 7: np.int64}
    if isinstance(x, Constant) and to in kinds:
        return _folded(node, lambda a: a.astype(kinds[to]), x)
    if isinstance(x, Constant) or to not in (1, 11):
        raise node.refusal("a cast to float or double is accepted")
    return x


def _flatten(node):
    (x,) = node.required(1)
    if isinstance(x, Constant) or node.number("axis", 1) != 1 or x.rank == 1:
        raise node.refusal("axis = 1 of the layer before is accepted")
    return _rows(node, x)


def _rows(node, x, width=None):
    """x with all axes but the first made one; within the chain it has one already."""
    if x.rank is not None and x.rank > 2 and (x.steps is not None or np.ndim(x.scale) or np.ndim(x.shift)):
        raise node.refusal(f"it flattens {x.rank} axes after a layer; flattening is accepted of the input")
    x = x if width is None else x.settled(node.where).then(Width(width, node.where))
    return replace(x, rank=2)


def _reshape(node):
    x, shape, constant = _values(node)
    if not isinstance(shape, Constant) or shape.array.ndim != 1 or shape.array.size > 16:
        raise node.refusal("its shape is not a constant list")
    dims = [int(n) for n in shape.array]
    if constant:
        return _reshaped(node, x, lambda a: a.reshape([a.shape[i] if n == 0 else n for i, n in enumerate(dims)]))
    if len(dims) == 2 and dims[1] > 0 and dims[0] in (-1, 0, 1):
        return _rows(node, x, dims[1])
    if len(dims) == 2 and dims in ([0, -1], [1, -1]):
        return _rows(node, x)
    raise node.refusal(f"to {told(dims)}; only flattening to rows, as (-1, n), is accepted")


def _reshaped(node, x, function):
    try:
        return Constant(function(x.array))
    except (ValueError, IndexError) as error:
        raise node.refusal(told(error)) from None


def _transpose(node):
    (x,) = node.required(1)
    axes = node.integers("perm")
    if isinstance(x, Constant):
        return _reshaped(node, x, lambda a: a.transpose(axes))
    if axes is not None and axes == tuple(range(len(axes))):
        return x
    raise node.refusal("transposing is accepted of constants only")


def _axes(node):
    """The axes of Squeeze and Unsqueeze: an attribute in old files, an input in newer ones."""
    axes = node.input(1)
    if axes is None:
        return node.integers("axes")
    if not isinstance(axes, Constant) or axes.array.size > 16:
        raise node.refusal("its axes are not constants")
    return tuple(int(n) for n in axes.array.reshape(-1))


def _squeeze(node):
    x = node.required(1)[0]
    if not isinstance(x, Constant):
        raise node.refusal("it is accepted of constants only; keep the outputs as (N, out)")
    return _reshaped(node, x, lambda a: np.squeeze(a, _axes(node)))


def _unsqueeze(node):
    x = node.required(1)[0]
    if not isinstance(x, Constant):
        raise node.refusal("it is accepted of constants only")
    return _reshaped(node, x, lambda a: np.expand_dims(a, _axes(node) or ()))


def _constant(node):
    if "value" in node.attributes:
        return Constant(node.tensor("value"))
    for key, kind in (("value_float", np.float32), ("value_int", np.int64)):
        if key in node.attributes:
            return Constant(np.asarray(node.number(key, 0), kind))
    for key, kind in (("value_floats", np.float32), ("value_ints", np.int64)):
        if key in node.attributes:
            attribute = node.attributes[key]
            return Constant(np.array(attribute.floats if key == "value_floats" else attribute.ints, kind))
    raise node.refusal("it is not a constant of numbers")


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
    "Identity": _same,
    "Dropout": _dropout,
    "Cast": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Constant": _constant,
}
