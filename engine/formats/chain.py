"""From a chain of steps, as modules and graphs are written, to the layers of an Mlp.

A step is Linear, Affine (elementwise scale and shift), Apply (an activation) or Width (a claim). Every
chain of them is an Mlp: an Affine is folded into the layer before it or the one after, and where an
activation has no linear layer of its own it gets one with the identity matrix. Folding is done in
float64 and rounded once; a chain without Affine keeps its weights to the bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError, ShapeError
from engine.formats.files import check_layers, check_weights, check_width
from engine.network.activations import Activation
from engine.network.mlp import Mlp

# A scalar, or one for each value.
Number = float | np.floating | np.ndarray

# Past this softplus is the line to less than float32 can tell: e^-15 is 3e-7.
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
        """How wide x must be, or None if any width will do."""
        return next((len(x) for x in (self.scale, self.shift) if isinstance(x, np.ndarray) and x.ndim), None)

    @property
    def trivial(self) -> bool:
        return bool(np.all(self.scale == 1) and np.all(self.shift == 0))

    def after(self, first: "Affine") -> "Affine":
        """This affine map applied to the result of the first."""
        return Affine(self.scale * first.scale, self.scale * first.shift + self.shift, self.where)


@dataclass(frozen=True)
class Apply:
    """x -> activation(x)."""

    activation: Activation
    where: str = "an activation"


@dataclass(frozen=True)
class Width:
    """x must be `width` wide here."""

    width: int
    where: str = "a reshape"


Step = Linear | Affine | Apply | Width


def to_float32(array: ArrayLike) -> np.ndarray:
    """An array as float32; what is too large for it becomes infinite, which Mlp refuses with its place."""
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


def _check(steps, name):
    """Refuses sizes that do not follow on each other or are too large, before anything is computed."""
    width, count, layers, open_layer = _input_width(steps, name), 0, 0, False
    for step in steps:
        if isinstance(step, Linear):
            check_width(step.weights.shape, f"{step.where} of {name}")
            wanted = (step.weights.shape[0],)
            if step.weights.shape[1] != width:
                raise ShapeError(
                    f"{step.where} of {name} is {step.weights.shape} as (out, in), but {width} values arrive there, "
                    f"so it must be (out, {width})."
                )
            if step.bias is not None and np.shape(step.bias) != wanted:
                raise ShapeError(f"The bias of {step.where} of {name} is {np.shape(step.bias)}; it must be {wanted}.")
            width = wanted[0]
        elif not isinstance(step, Apply) and step.width not in (None, width):
            raise ShapeError(f"{step.where} of {name} is {step.width} wide, but {width} values arrive there.")
        # An Apply or Affine with no linear layer before it may need an identity matrix of its own.
        needs_layer = isinstance(step, Linear) or (not isinstance(step, Width) and not open_layer)
        if needs_layer:
            layers, count = layers + 1, count + width * (step.weights.shape[1] if isinstance(step, Linear) else width)
        if not isinstance(step, Width):
            open_layer = not isinstance(step, Apply)
    check_width((width,), name)
    check_layers(layers, name)
    check_weights(count, name)


def fold(steps: Sequence[Step], name: str) -> Mlp:
    """The Mlp that computes the steps one after another.

    steps   Linear, Affine, Apply and Width, in the order they are applied
    name    the network's, for messages

    Raises ShapeError where sizes do not follow on each other, NetworkError where there is no linear layer
    or the network is too large.
    """
    steps = [s for s in steps if not (isinstance(s, Affine) and s.trivial and s.width is None)]
    _check(steps, name)
    with np.errstate(all="ignore"):  # what is not finite in the end is refused with its place
        return _folded(steps, name)


def _folded(steps, name):
    width = _input_width(steps, name)
    layers: list[list] = []  # [weights, bias, activation or None while more may be folded in]
    waiting = None  # an Affine that no layer has taken yet

    def begin(weights, bias):
        if layers:
            # Rounded as soon as nothing more can be folded in: float64 of a whole network takes twice its memory.
            last = layers[-1]
            layers[-1] = [to_float32(last[0]), last[1], last[2] or Activation("identity")]
        layers.append([weights, bias, None])

    def begin_own(affine):
        # scale x + shift as a layer by itself: diagonal, and just as exact.
        scale, shift = (1.0, 0.0) if affine is None else (affine.scale, affine.shift)
        begin(np.diag(np.broadcast_to(scale, width).astype(float)), np.broadcast_to(shift, width))

    for step in steps:
        is_open = bool(layers) and layers[-1][2] is None
        if isinstance(step, Linear):
            weights, bias = step.weights, step.bias
            if waiting is not None and not waiting.trivial:
                w = weights.astype(float)
                moved = w @ np.broadcast_to(waiting.shift, weights.shape[1])
                weights, bias = w * waiting.scale, moved + (0.0 if bias is None else bias)
            begin(weights, bias)
            width, waiting = weights.shape[0], None
        elif isinstance(step, Affine):
            if is_open:
                weights, bias, _ = layers[-1]
                bias = np.zeros(width) if bias is None else np.asarray(bias, float)
                scale = np.broadcast_to(step.scale, width)
                layers[-1][:2] = weights.astype(float) * scale[:, None], bias * scale + step.shift
            else:
                waiting = step if waiting is None else step.after(waiting)
        elif isinstance(step, Apply):
            if not is_open:
                begin_own(waiting)
                waiting = None
            layers[-1][2] = step.activation
    if waiting is not None and not waiting.trivial:
        begin_own(waiting)
    return Mlp(
        [to_float32(weights) for weights, _, _ in layers],
        [None if bias is None else to_float32(bias) for _, bias, _ in layers],
        [activation or Activation("identity") for *_, activation in layers],
        name=name,
    )
