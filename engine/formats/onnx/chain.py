"""ONNX files with a multilayer perceptron: the graph is read as one chain from its input to its output.

A name stands for a Value: the chain so far, with an elementwise scale and shift, and possibly an open form: a function
(erf, sigmoid, a square) that becomes an activation together with a later node, since exporters write silu as
x sigmoid(x), gelu with erf, and a gaussian as exp(-x x).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import NetworkError, ShapeError
from engine.formats.chain import SOFTPLUS_CUT, Affine, Apply, Linear, Number, Step, Width, fold
from engine.formats.files import MAX_WIDTH, check_width, short
from engine.formats.onnx.graph import Constant, OnnxNode, Rules, evaluated, only_input, same
from engine.formats.onnx.model import read
from engine.formats.onnx.nodes import SHARED, activated
from engine.network.activations import Activation
from engine.network.mlp import Mlp

# Relative tolerance for constants in a file, which are float32: 1 / sqrt(2) is exact to 3e-8 there.
SAME = 1e-6

# Open forms that are not activations by themselves: {form: the expression in which it is accepted, for messages}.
PARTS = {
    "erf": "erf is accepted as part of gelu, x (1 + erf(x / sqrt 2)) / 2, only",
    "square": "a square is accepted as part of exp(-x x) only",
    "above": "a comparison is accepted as part of softplus, x where x > 20, only",
}


def load(path: Path, activations: Any = None) -> Mlp:
    """The network in an .onnx file.

    Raises NetworkError naming the first node that cannot be shown, and if activations are given: the file has its own.
    """
    name, model = read(path)
    if activations is not None:
        raise NetworkError(f"{name} has its own activations, but `{short(activations)}` is given. Leave them out.")
    rank, width = _declared(only_input(model.graph, name))
    end = evaluated(model.graph, Value(None, 1.0, 0.0, rank), RULES, name)
    net = fold(end.settled(f"The output of {name}").chain(), name)
    if width and rank is not None and rank <= 2 and net.inputs != width:
        raise ShapeError(f"{name} declares {width} inputs, but its layers take {net.inputs}. Export it again.")
    return net


def _declared(value_info):
    """(rank, size of the last axis or None) that a graph declares for its input; rank None if it declares none."""
    if not value_info.type.HasField("tensor_type"):
        raise NetworkError(f"`{short(value_info.name)}` is not a tensor; only one tensor in and one out can be shown.")
    kind = value_info.type.tensor_type
    if not kind.HasField("shape"):
        return None, None
    dims = kind.shape.dim
    return len(dims), dims[-1].dim_value if dims and dims[-1].HasField("dim_value") else None


@dataclass(frozen=True, eq=False)
class Value:
    """scale f(chain) + shift, where f is the open form, or the identity.

    steps   (steps before, step), or None at the input: a linked list, of which branches share the beginning
    scale   float64, a scalar or (n,); shift alike
    form    "" or the name of an open form; it is applied to `of`, a Value without form
    """

    steps: tuple | None
    scale: Number
    shift: Number
    rank: int | None
    form: str = ""
    of: Value | None = None

    def then(self, step: Step) -> Value:
        """A Value with one more step after its scale and shift; an open form becomes a step before it."""
        x = self.settled(step.where)
        return Value(((x.steps, Affine(x.scale, x.shift)), step), 1.0, 0.0, x.rank)

    def moved(self, scale: Number, shift: Number = 0.0) -> Value:
        """scale times this + shift."""
        return replace(self, scale=self.scale * scale, shift=self.shift * scale + shift)

    def opened(self, form: str, scale: Number = 1.0, shift: Number = 0.0) -> Value:
        """scale form(this) + shift."""
        return Value(self.steps, scale, shift, self.rank, form, self)

    def settled(self, where: str) -> Value:
        """This Value without an open form: an activation becomes a step; any other form raises an error."""
        if self.form in PARTS:
            raise NetworkError(f"{where} cannot be shown: {PARTS[self.form]}.")
        return self._applied if self.form else self

    @cached_property
    def _applied(self):
        # Cached, so that two uses of the same sigmoid give the same object.
        assert self.of is not None
        return replace(self.of.then(Apply(Activation(self.form))), scale=self.scale, shift=self.shift)

    def chain(self) -> list[Step]:
        """The steps in the order they are applied."""
        found: list[Step] = [Affine(self.scale, self.shift)]
        at = self.steps
        while at is not None:
            at, step = at
            found.append(step)
        return found[::-1]

    def ratio(self, other: Value) -> float | None:
        """The number r with self = r other, or None."""
        if self.steps is not other.steps or self.form or other.form:
            return None
        both = [np.stack(np.broadcast_arrays(v.scale, v.shift)).reshape(2, -1) for v in (self, other)]
        if len({x.shape[1] for x in both} - {1}) > 1:
            return None
        mine, its = (x.reshape(-1) for x in np.broadcast_arrays(*both))
        pivot = np.argmax(np.abs(its))
        r = mine[pivot] / its[pivot] if its[pivot] else math.nan
        return float(r) if math.isfinite(r) and np.allclose(mine, r * its, rtol=SAME, atol=0) else None

    # The methods of a Signal

    def factor(self, node: OnnxNode, array: np.ndarray) -> Number:
        if array.dtype.kind not in "fiu":
            raise node.refusal("its constant is not a number")
        if array.size == 1:
            return np.float64(array.reshape(())[()])
        if array.size != array.shape[-1] or array.size > MAX_WIDTH:
            raise node.refusal(f"its constant is {short(array.shape)}; a number or one of each value (n,) is accepted")
        return array.reshape(-1).astype(float)

    def affine(self, node: OnnxNode, scale: Number, shift: Number = 0.0) -> Value:
        return self.moved(scale, shift)

    def normalised(self, node: OnnxNode, scale: np.ndarray, shift: np.ndarray) -> Value:
        if self.rank not in (None, 2):
            raise node.refusal(f"it works on axis 1 of {self.rank}; values in rows (N, n) are accepted")
        return self.then(Affine(scale, shift, node.where))

    def activated(self, node: OnnxNode, activation: Activation) -> Value:
        return self.then(Apply(activation, node.where))

    def dense(self, node: OnnxNode, weights: np.ndarray) -> Value:
        check_width(weights.shape, node.where)
        return self.then(Linear(weights, None, node.where))

    def plus(self, node: OnnxNode, other: Value, sign: float) -> Value:
        raise node.refusal("it joins two values that depend on the input; only a chain without branches is accepted")

    def times(self, node: OnnxNode, other: Value) -> Value:
        for x, gate in ((self, other), (other, self)):
            product = None
            if gate.form in ("sigmoid", "erf") and x.form not in PARTS:
                product = (_silu if gate.form == "sigmoid" else _gelu)(x.settled(node.where), gate)
            if product is not None:
                return product
        r = self.ratio(other)
        if r is not None:
            return other.opened("square", r)
        raise node.refusal(
            "it multiplies two values that depend on the input; accepted are x sigmoid(x), x (1 + erf(x / sqrt 2)) and "
            "x x"
        )


def _silu(x, gate):
    """x p sigmoid(g), if x = r g for a number r: p r silu(g)."""
    r = x.ratio(gate.of)
    if r is None or np.any(gate.shift != 0):
        return None
    return gate.of.then(Apply(Activation("silu"))).moved(_near(r) * gate.scale)


def _gelu(x, gate):
    """x (p erf(y / sqrt 2) + p), if x = r y for a number r: 2 p r gelu(y)."""
    if not np.allclose(gate.shift, gate.scale, rtol=SAME, atol=0):
        return None
    r = x.ratio(gate.of.moved(math.sqrt(2.0)))
    if not r:
        return None
    # y is computed from x, because the file's 1 / sqrt 2 has been rounded to float32.
    r = _near(r)
    return x.moved(1.0 / r).then(Apply(Activation("gelu"))).moved(2.0 * r * gate.scale)


def _near(r):
    """A ratio of rounded constants, replaced by a nearby simple fraction if there is one."""
    return next((k for k in (1.0, 0.5, 2.0, -1.0) if abs(r - k) <= SAME * abs(k)), r)


def _value(node):
    return node.variable().settled(node.where)


def _open(form):
    return lambda node: _value(node).opened(form)


def _with_number(node, why):
    """(Value, number) of a node with a Value and a constant number as inputs; raises an error with `why` for others."""
    x, constant = node.required(2)
    if isinstance(x, Constant) or not isinstance(constant, Constant) or constant.array.size != 1:
        raise node.refusal(why)
    return x.settled(node.where), float(constant.array.reshape(()))


def _power(node):
    why = "only x to the power 2, as part of exp(-x x), is accepted"
    x, exponent = _with_number(node, why)
    if exponent != 2:
        hint = "; the tanh form of gelu is another function than gelu" if exponent == 3 else ""
        raise node.refusal(f"{why}{hint}")
    return x.opened("square")


def _exp(node):
    x = node.variable()
    if x.form != "square" or np.any(x.shift != 0) or not np.all(x.scale < 0):
        raise node.refusal("exp is accepted of -x x only, a gaussian")
    return x.of.moved(np.sqrt(-x.scale)).then(Apply(Activation("gaussian")))


def _greater(node):
    x, threshold = _with_number(node, PARTS["above"])
    return x.opened("above", shift=-threshold)


def _where(node):
    """x where x > 20, else softplus(x): PyTorch's form of softplus, which is equal to it in float32."""
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
        return activated(node, x, "sine(1)")
    # The factor k in sin(k (W x + b)) becomes the sine's frequency, instead of being multiplied into the weights.
    return activated(node, replace(x, scale=1.0, shift=x.shift / k), f"sine({k!r})")


def _softmax(node):
    x = _value(node)
    axis = node.number("axis", -1)
    # Older files write the last axis of values in rows as 1.
    if axis != -1 and axis != (1 if x.rank is None else x.rank - 1):
        raise node.refusal(f"axis = {axis}; the last axis is accepted")
    return activated(node, x, "softmax")


# Nodes that only move values; they are accepted if they change nothing


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
    """x with all axes after the first flattened to one, which within the chain changes nothing."""
    if x.rank is not None and x.rank > 2 and (x.steps is not None or np.ndim(x.scale) or np.ndim(x.shift)):
        raise node.refusal(f"it flattens {x.rank} axes after a layer; flattening is accepted of the input")
    return replace(x if width is None else x.then(Width(width, node.where)), rank=2)


def _reshape(node):
    dims, x = node.required_list(1, "sizes"), node.variable()
    if len(dims) == 2 and dims[1] > 0 and dims[0] in (-1, 0, 1):
        return _rows(node, x, dims[1])
    if dims in ([0, -1], [1, -1]):
        return _rows(node, x)
    if dims == [-1] and node.last:
        return x.then(Width(1, node.where))
    raise node.refusal(f"to {short(dims)}; only flattening to rows, as (-1, n), is accepted")


def _transpose(node):
    order = node.integers("perm")
    if order is None or order != tuple(range(len(order))):
        raise node.refusal("transposing is accepted of constants only")
    return same(node)


def _squeeze(node):
    """Removes the axis of a single output; allowed only at the end, since constants would then act on points."""
    x = node.variable()
    if node.last and node.setting(1, "axes") in ([-1], [1 if x.rank is None else x.rank - 1]):
        return x.then(Width(1, node.where))
    raise node.refusal("it is accepted of constants, and of a single output's axis at the end")


def _only_constants(node):
    raise node.refusal("it is accepted of constants only")


RULES: Rules = {
    **SHARED,
    "Pow": _power,
    "Sqrt": _only_constants,
    "Exp": _exp,
    "Erf": _open("erf"),
    "Sigmoid": _open("sigmoid"),
    "Softplus": _open("softplus"),
    "Greater": _greater,
    "Where": _where,
    "Sin": _sin,
    "Softmax": _softmax,
    "Cast": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _only_constants,
}
