"""Makes the layers of an Mlp from a chain of steps, in which modules and graphs are read.

An Affine is folded into the layer before it or the one after it. An activation without a linear layer before it gets
one with the identity matrix. Folding is done in float64 and rounded once; without an Affine, weights are unchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError, ShapeError
from engine.formats.files import check_layers, check_weights
from engine.network.activations import Activation
from engine.network.mlp import Mlp

# A scalar, or an array with one number for each value.
Number = float | np.floating | np.ndarray

# Above this softplus(x) is x within float32's rounding: e^-15 is 3e-7.
SOFTPLUS_CUT = 15.0


@dataclass(frozen=True, eq=False)
class Linear:
    """x -> weights x + bias; weights (out, in), bias (out,) or None. `where` names it in messages."""

    weights: np.ndarray
    bias: np.ndarray | None
    where: str = "a layer"


@dataclass(frozen=True, eq=False)
class Affine:
    """x -> scale x + shift, elementwise; each a scalar or (n,), float64."""

    scale: Number
    shift: Number
    where: str = "a scale"

    @property
    def width(self) -> int | None:
        """The width that x must have, or None for any."""
        return next((len(x) for x in (self.scale, self.shift) if isinstance(x, np.ndarray) and x.ndim), None)

    @property
    def trivial(self) -> bool:
        return bool(np.all(self.scale == 1) and np.all(self.shift == 0))

    def after(self, first: "Affine") -> "Affine":
        """The Affine that applies `first`, then this."""
        return Affine(self.scale * first.scale, self.scale * first.shift + self.shift, self.where)


@dataclass(frozen=True)
class Apply:
    """x -> activation(x)."""

    activation: Activation
    where: str = "an activation"


@dataclass(frozen=True)
class Width:
    """States that x has this width here; computes nothing."""

    width: int
    where: str = "a reshape"


Step = Linear | Affine | Apply | Width


def to_float32(array: ArrayLike) -> np.ndarray:
    """An array as float32; values too large for it become infinite, which Mlp refuses, naming the place."""
    with np.errstate(over="ignore"):
        return np.asarray(array).astype(np.float32, copy=False)


def _input_width(steps, name):
    for step in steps:
        if isinstance(step, Linear):
            return step.weights.shape[1]
        width = None if isinstance(step, Apply) else step.width
        if width is not None:
            return width
    raise NetworkError(f"{name} has no linear layer; give a network with at least one matrix of weights.")


@dataclass(eq=False)
class _Folded:
    """A layer that is still being collected.

    width        of its inputs
    linear       its weights; None for the identity matrix
    before       the Affine folded in before the weights, or None; `after`: those after the weights, in order
    activation   None while more Affines may be folded in
    """

    width: int
    linear: Linear | None
    before: Affine | None
    after: list[Affine] = field(default_factory=list)
    activation: Activation | None = None

    @property
    def outputs(self):
        return self.width if self.linear is None else len(self.linear.weights)

    def arrays(self):
        """(weights, bias or None) as float32; the only place where they are rounded."""
        before = self.before or Affine(1.0, 0.0)
        weights: np.ndarray
        bias: np.ndarray | None
        if self.linear is None:
            # scale x + shift as a layer of its own, with a diagonal matrix.
            weights = np.diag(np.broadcast_to(before.scale, self.width).astype(float))
            bias = np.broadcast_to(before.shift, self.width)
        elif before.trivial:
            weights, bias = self.linear.weights, self.linear.bias
        else:
            weights = self.linear.weights.astype(float)
            bias = weights @ np.broadcast_to(before.shift, self.width)
            bias = bias + (0.0 if self.linear.bias is None else self.linear.bias)
            weights = weights * before.scale
        for step in self.after:
            scale = np.broadcast_to(step.scale, len(weights))
            bias = np.zeros(len(weights)) if bias is None else np.asarray(bias, float)
            weights, bias = weights.astype(float) * scale[:, None], bias * scale + step.shift
        return to_float32(weights), None if bias is None else to_float32(bias)


def fold(steps: Sequence[Step], name: str) -> Mlp:
    """The Mlp named `name` that computes the steps one after another.

    Raises ShapeError if the sizes of successive steps differ, and NetworkError without a linear layer or if the network
    is too large; all before anything is computed.
    """
    steps = [s for s in steps if not (isinstance(s, Affine) and s.trivial and s.width is None)]
    width = _input_width(steps, name)
    layers: list[_Folded] = []
    waiting = None  # an Affine before the first layer, not folded yet
    with np.errstate(all="ignore"):  # Mlp refuses results that are not finite
        for step in steps:
            is_open = bool(layers) and layers[-1].activation is None
            if isinstance(step, Linear):
                _check(step, width, name)
                layers.append(_Folded(width, step, waiting))
                width, waiting = len(step.weights), None
            elif isinstance(step, Apply):
                if not is_open:
                    layers.append(_Folded(width, None, waiting))
                    waiting = None
                layers[-1].activation = step.activation
            elif step.width not in (None, width):
                raise ShapeError(f"{step.where} of {name} is {step.width} wide, but {width} values arrive there.")
            elif isinstance(step, Affine) and is_open:
                layers[-1].after.append(step)
            elif isinstance(step, Affine):
                waiting = step if waiting is None else step.after(waiting)
        if waiting is not None and not waiting.trivial:
            layers.append(_Folded(width, None, waiting))
        check_layers(len(layers), name)
        check_weights(sum(layer.width * layer.outputs for layer in layers), name)
        weights, biases = zip(*(layer.arrays() for layer in layers), strict=True)
    return Mlp(weights, biases, [layer.activation or Activation("identity") for layer in layers], name=name)


def _check(step, width, name):
    """Refuses a Linear whose input size is not `width`, or which is too large."""
    shape = step.weights.shape
    check_weights(shape[0] * shape[1], f"{step.where} of {name}")
    if shape[1] != width:
        raise ShapeError(
            f"{step.where} of {name} is {shape} as (out, in), but {width} values arrive there, so it must be "
            f"(out, {width})."
        )
    if step.bias is not None and np.shape(step.bias) != shape[:1]:
        raise ShapeError(f"The bias of {step.where} of {name} is {np.shape(step.bias)}; it must be {shape[:1]}.")
