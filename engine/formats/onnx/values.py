"""What a name in an ONNX graph stands for: a Constant, or a Value, which is what became of the network's input.

A Value is the chain so far with an elementwise scale and shift on it, and sometimes one open form (erf, sigmoid,
a square) that becomes an activation when its partner arrives: exporters write silu as x sigmoid(x), gelu by erf,
a gaussian as exp(-x x).
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.errors import NetworkError
from engine.formats.chain import Affine, Apply
from engine.formats.files import MAX_WIDTH, told
from engine.network.activations import Activation

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


def elementwise(constant, node):
    """A constant that acts on the last axis, as a scalar or (n,) in float64."""
    array = constant.array
    if array.dtype.kind not in "fiu":
        raise node.refusal("its constant is not a number")
    if array.size == 1:
        return np.float64(array.reshape(())[()])
    if array.size != array.shape[-1] or array.size > MAX_WIDTH:
        raise node.refusal(f"its constant is {told(array.shape)}; a number or one of each value (n,) is accepted")
    return array.reshape(-1).astype(float)


def folded(node, function, *constants):
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


def two_inputs(node, count=2):
    """A node's first inputs; all constant or not."""
    inputs = node.required(count)
    return *inputs, all(isinstance(x, Constant) for x in inputs)


def one_value(node):
    """The Value a node works on, for nodes that take nothing else of it."""
    (x,) = node.required(1)
    if isinstance(x, Constant):
        raise node.refusal("it works on a constant; simplify the file (onnxsim, or export with constant folding)")
    return x.settled(node.where)


def refuse_branches(node):
    raise node.refusal("it joins two values that both depend on the input; only a chain without branches is accepted")
