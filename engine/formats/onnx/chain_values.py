"""The Value of a name in an ONNX graph read as a chain: what the network computes up to there.

A Value is the chain so far with an elementwise scale and shift on it, and sometimes one open form (erf, sigmoid,
a square) that becomes an activation when its partner arrives: exporters write silu as x sigmoid(x), gelu by erf,
a gaussian as exp(-x x).
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.errors import NetworkError
from engine.formats.chain import Affine, Apply, Number, Step
from engine.network.activations import Activation

# Constants in a file are float32: 1 / sqrt(2) stands there to 3e-8. No other function is meant that near.
SAME = 1e-6

# Open forms that are activations by themselves, and those that are not, with what they are accepted in.
ALONE = ("sigmoid", "softplus")
PARTS = {
    "erf": "erf is accepted as part of gelu, x (1 + erf(x / sqrt 2)) / 2, only",
    "square": "a square is accepted as part of exp(-x x) only",
    "above": "a comparison is accepted as part of softplus, x where x > 20, only",
}


@dataclass(frozen=True, eq=False)
class Value:
    """scale f(chain) + shift, where f is the open form, or nothing.

    steps   (steps before, step) or None at the input: a list that branches share
    scale   float64, a scalar or (n,); shift alike
    form    "" or one of ALONE and PARTS: of `of`, a Value without form
    rank    axes of the tensor, the batch's included; None if the file does not say
    """

    steps: tuple | None
    scale: Number
    shift: Number
    rank: int | None
    form: str = ""
    of: "Value | None" = None

    @staticmethod
    def input(rank: int | None) -> "Value":
        """The network's input itself."""
        return Value(None, 1.0, 0.0, rank)

    def then(self, step: Step) -> "Value":
        """A Value with one more step, after its own scale and shift."""
        return Value(((self.steps, Affine(self.scale, self.shift)), step), 1.0, 0.0, self.rank)

    def moved(self, scale: Number, shift: Number = 0.0) -> "Value":
        """scale times this + shift."""
        return replace(self, scale=self.scale * scale, shift=self.shift * scale + shift)

    def opened(self, form: str, scale: Number = 1.0, shift: Number = 0.0) -> "Value":
        """scale form(this) + shift."""
        return Value(self.steps, scale, shift, self.rank, form, self)

    def activated(self, activation: str, where: str = "an activation") -> "Value":
        """Raises NetworkError, the reason alone, for what is no activation."""
        return self.then(Apply(Activation.parse(activation), where))

    def settled(self, where: str) -> "Value":
        """The same without an open form: an activation becomes a step; a part of one cannot stand alone."""
        if self.form in PARTS:
            raise NetworkError(f"{where} cannot be shown: {PARTS[self.form]}.")
        return self._applied if self.form else self

    @cached_property
    def _applied(self):
        # Kept, so that two uses of one sigmoid know each other as the same.
        assert self.of is not None
        return replace(self.of.activated(self.form), scale=self.scale, shift=self.shift)

    def chain(self) -> list[Step]:
        """The steps in the order they are applied."""
        found: list[Step] = [Affine(self.scale, self.shift)]
        at = self.steps
        while at is not None:
            at, step = at
            found.append(step)
        return found[::-1]

    def ratio(self, other: "Value") -> float | None:
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
