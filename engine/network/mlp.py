"""Multilayer perceptrons: layers of float32 weights, each with a bias and an activation."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError, ShapeError, located
from engine.network.activations import Activation
from engine.network.units.mixed import LayerActivation, Mixed, check, parse

# Characters of a shape's activations that are written.
LONGEST = 120


@dataclass(frozen=True)
class Shape:
    """The sizes and activations on which generated code depends. Hashable.

    sizes         (inputs, hidden ..., outputs)
    activations   one per layer of weights, len(sizes) - 1; of a layer whose units differ a Mixed
    """

    sizes: tuple[int, ...]
    activations: tuple[LayerActivation, ...]

    @property
    def weight_count(self) -> int:
        """The number of all weights and biases."""
        return sum(out * (inputs + 1) for inputs, out in itertools.pairwise(self.sizes))

    def __str__(self):
        text = ",".join(dict.fromkeys(map(str, self.activations)))
        return f"{sizes_text(self.sizes)} {text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'}"


def sizes_text(sizes: Iterable[int]) -> str:
    """Layer sizes as text: 3-8-1, and 2-30x27-3 for four and more equal ones."""
    runs = [(size, len(list(run))) for size, run in itertools.groupby(sizes)]
    return "-".join(f"{n}x{times}" if times > 3 else "-".join([str(n)] * times) for n, times in runs)


@dataclass(frozen=True, eq=False)
class Layer:
    """h = activation(weights x + bias).

    weights      (out, in), float32, read-only
    bias         (out,), float32, read-only
    """

    weights: np.ndarray
    bias: np.ndarray
    activation: LayerActivation


def real(array: ArrayLike, what: str = "its weights") -> np.ndarray:
    """An array as numpy's. Raises NetworkError for complex numbers, whose imaginary parts numpy would drop."""
    found = np.asarray(array)
    if found.dtype.kind == "c":
        raise NetworkError(f"{what} are {found.dtype}; they must be real numbers, so give both parts as weights")
    return found


def _is_constant(array):
    """Whether an array is as `weight_array` makes them, and neither it nor what it is a view of is writeable."""
    is_made_so = array.dtype == np.float32 and array.flags.c_contiguous
    while isinstance(array, np.ndarray) and not array.flags.writeable:
        if array.base is None:
            return is_made_so
        array = array.base
    return False


def weight_array(array: ArrayLike, what: str, axes: Sequence[str]) -> np.ndarray:
    """A read-only float32 copy of weights, so that changes of the caller's array do not change the network.

    what   their name in messages

    Raises ShapeError for other axes or no numbers, NetworkError for values that are not finite as float32.
    """
    try:
        with np.errstate(over="ignore"):
            array = real(array, what)
            array = array if _is_constant(array) else np.array(array, np.float32, order="C")
    except (ValueError, TypeError):
        raise ShapeError(f"{what} must be an array of real numbers with rows of one length") from None
    if array.ndim != len(axes) or 0 in array.shape:
        raise ShapeError(f"{what} are {array.shape}; they must be ({', '.join(axes)}), none of them 0")
    # Both are NaN where a number is; no array of truth values is made.
    if not (np.isfinite(array.min()) and np.isfinite(array.max())):
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise NetworkError(f"{what} have {array[at]} at {at}; every weight must be a finite float32")
    array.setflags(write=False)
    return array


class Mlp:
    """A fully connected network of any depth. Immutable: editing returns a new one.

    weights       list of (out, in) arrays; rows are neurons, as in torch.nn.Linear
    biases        list of (out,) arrays; None (the whole list or an entry) for zeros
    activations   one per layer as Activation, Mixed or text (`tanh`, `sine(30)`, `5 relu + 3 identity`); one alone is
                  used for the hidden layers with identity last
    name          its file or origin, for messages and captions

    Raises ShapeError if sizes do not fit, NetworkError for weights that are not finite, for no layers, for activations
    of another number of units, and for softmax before the last layer.
    """

    def __init__(self, weights, biases=None, activations="tanh", *, name="network"):
        with located("", "."):
            weights = [weight_array(w, f"Layer {i} weights of {name}", ("out", "in")) for i, w in enumerate(weights)]
        count = len(weights)
        if count == 0:
            raise NetworkError(f"{name} has no layers; an Mlp needs at least one matrix of weights.")
        biases = [None] * count if biases is None else list(biases)
        if isinstance(activations, str | Activation | Mixed):
            activations = [activations] * (count - 1) + ["identity"]
        activations = [parse(a) for a in activations]
        for what, got in (("biases", len(biases)), ("activations", len(activations))):
            if got != count:
                raise ShapeError(f"{name} has {count} layers of weights but {got} {what}. Give one per layer.")
        self.name = str(name)
        self.layers = tuple(
            self._layer(i, w, b, a, weights, name)
            for i, (w, b, a) in enumerate(zip(weights, biases, activations, strict=True))
        )
        for i, a in enumerate(activations[:-1]):
            if a.is_whole:
                raise NetworkError(f"Layer {i} of {name} is {a}, which can only be the last layer's activation.")

    @staticmethod
    def _layer(i, w, b, activation, weights, name):
        if i and w.shape[1] != weights[i - 1].shape[0]:
            wanted = weights[i - 1].shape[0]
            hint = " Are rows and columns swapped?" if w.shape[0] == wanted else ""
            raise ShapeError(
                f"Layer {i} weights of {name} are {w.shape}, but layer {i - 1} gives {wanted} values, "
                f"so they must be (out, {wanted}).{hint}"
            )
        with located("", "."):
            b = weight_array(np.zeros(len(w)) if b is None else b, f"Layer {i} biases of {name}", ("out",))
        if b.shape != (w.shape[0],):
            raise ShapeError(f"Layer {i} biases of {name} are {b.shape}; its weights {w.shape} need ({w.shape[0]},).")
        check(activation, len(w), f"Layer {i} of {name}")
        return Layer(w, b, activation)

    @property
    def weights(self) -> list[np.ndarray]:
        """The (out, in) matrices, layer by layer; `biases` and `activations` likewise."""
        return [x.weights for x in self.layers]

    @property
    def biases(self) -> list[np.ndarray]:
        return [x.bias for x in self.layers]

    @property
    def activations(self) -> list[LayerActivation]:
        return [x.activation for x in self.layers]

    @property
    def shape(self) -> Shape:
        """Layer sizes and activations: the key under which generated code is cached."""
        return Shape((self.inputs, *map(len, self.biases)), tuple(self.activations))

    @property
    def inputs(self) -> int:
        return self.layers[0].weights.shape[1]

    @property
    def outputs(self) -> int:
        return len(self.layers[-1].bias)

    @property
    def weight_count(self) -> int:
        return self.shape.weight_count

    def __call__(self, points: ArrayLike) -> np.ndarray:
        """The network's value in float64.

        points   (N, inputs) or (inputs,)
        returns  (N, outputs) or (outputs,)
        Raises ShapeError if points are not as wide as the input layer.
        """
        h = np.asarray(points, float)
        if h.ndim not in (1, 2) or h.shape[-1] != self.inputs:
            raise ShapeError(f"Points are {h.shape}, but {self} needs (N, {self.inputs}).")
        for layer in self.layers:
            h = layer.activation.value(h @ layer.weights.T.astype(float) + layer.bias)
        return h

    def changed(
        self,
        *,
        weights: Sequence[ArrayLike] | None = None,
        biases: Sequence[ArrayLike] | None = None,
        activations: Sequence[LayerActivation | str] | None = None,
        name: str | None = None,
    ) -> Mlp:
        """A copy with these weights, biases, activations or name instead of its own."""
        return Mlp(
            self.weights if weights is None else weights,
            self.biases if biases is None else biases,
            self.activations if activations is None else activations,
            name=self.name if name is None else name,
        )

    def edited(self, layer: int, row: int, column: int, value: float) -> Mlp:
        """A copy with one weight changed, rounded to float32; column -1 is the bias."""
        arrays = self.biases if column == -1 else self.weights
        arrays[layer] = np.array(arrays[layer])
        arrays[layer][row if column == -1 else (row, column)] = value
        return self.changed(biases=arrays) if column == -1 else self.changed(weights=arrays)

    def equals(self, other: object) -> bool:
        """True if the shape and all weights are equal to the bit."""
        if not isinstance(other, Mlp) or self.shape != other.shape:
            return False
        return all(map(np.array_equal, [*self.weights, *self.biases], [*other.weights, *other.biases]))

    def __str__(self):
        return f"{self.name} ({self.shape})"

    def __repr__(self):
        return f"<Mlp {self}>"
