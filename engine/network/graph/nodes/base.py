"""What all nodes of a graph have in common; the input and constants.

A node is a row of the table of operators: what it computes in float64, the shape of the result, and what it costs.
Shapes are whole: an image is (1, C, H, W), a vector (1, n), tokens are (1, N, D).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.errors import NetworkError, ShapeError, located
from engine.network.mlp import weight_array
from engine.network.windows import Window

Dims = tuple[int, ...]
# The windows over rows and columns through which a node sees an input.
Windows = tuple[Window, Window]


@dataclass(frozen=True, eq=False)
class GraphNode:
    """One step of the graph.

    name     unique in its graph
    inputs   names of the nodes it takes, in order
    """

    name: str
    inputs: tuple[str, ...]
    kind: ClassVar[str] = ""
    least: ClassVar[int] = 1
    most: ClassVar[float] = 1

    def __post_init__(self):
        with located(f"Node `{self.name}` ({self.kind}): ", "."):
            object.__setattr__(self, "inputs", tuple(self.inputs))
            if not self.least <= len(self.inputs) <= self.most:
                more = "" if self.least == self.most else " or more"
                raise NetworkError(f"it takes {len(self.inputs)} inputs; it needs {self.least}{more}")
            self.check()

    def put(self, **fields: Any) -> None:
        """Sets fields while the node is being made."""
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    def check(self) -> None:
        """Converts its fields to their types; raises ShapeError or NetworkError with the reason, without the node."""

    def shape(self, *inputs: Dims) -> Dims:
        """The shape of its output from those of its inputs. Raises ShapeError with the reason if they do not fit."""
        return inputs[0]

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        """Its output, computed by numpy: float64 from floats, exact from integers."""
        raise NotImplementedError

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        """For each of its inputs the Windows through which an element sees it; None where it sees all of it."""
        return ((Window(1), Window(1)),) * len(inputs)

    def work(self, *inputs: Dims) -> int:
        """Multiply-adds of one run."""
        return 0

    @property
    def weights_of(self) -> tuple[np.ndarray, ...]:
        """The arrays that were trained."""
        return ()

    @property
    def weight_count(self) -> int:
        return sum(array.size for array in self.weights_of)


class SeesAll(GraphNode):
    """A node of which each element depends on the whole of each input."""

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        return (None,) * len(inputs)


@dataclass(frozen=True, eq=False)
class Input(GraphNode):
    """An input of the graph; size: its whole shape."""

    size: Dims
    kind = "input"
    least = most = 0

    def check(self) -> None:
        self.put(size=whole("size", self.size))

    def shape(self, *inputs: Dims) -> Dims:
        return self.size


@dataclass(frozen=True, eq=False)
class Constant(GraphNode):
    """An array: weights that no other node holds, such as a class token; floats, or integers of exporters' shapes."""

    array: np.ndarray
    kind = "constant"
    least = most = 0

    def check(self) -> None:
        array = np.asarray(self.array)
        if array.dtype.kind not in "fiub":
            raise NetworkError(f"it holds {array.dtype}; numbers are accepted")
        self.put(array=array)

    def shape(self, *inputs: Dims) -> Dims:
        return self.array.shape

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return self.array.astype(float) if self.array.dtype.kind == "f" else self.array

    @property
    def weights_of(self) -> tuple[np.ndarray, ...]:
        return (self.array,) if self.array.dtype.kind == "f" else ()


@dataclass(frozen=True, eq=False)
class Weighted(GraphNode):
    """A node with weights and a bias for each of its outputs; axes: what those of the weights are, for messages."""

    weights: np.ndarray
    bias: np.ndarray = None  # type: ignore[assignment]  # `check` makes it an array
    axes: ClassVar[tuple[str, ...]] = ()
    out: ClassVar[int] = 0  # the axis of the outputs

    def check(self) -> None:
        weights = weight_array(self.weights, "its weights", self.axes)
        count = self.outputs(weights)
        bias = weight_array(np.zeros(count) if self.bias is None else self.bias, "its biases", ("O",))
        if bias.shape != (count,):
            raise ShapeError(f"its biases are {bias.shape}, but its weights {weights.shape} need ({count},)")
        self.put(weights=weights, bias=bias)

    def outputs(self, weights: np.ndarray) -> int:
        return weights.shape[self.out]

    @property
    def weights_of(self) -> tuple[np.ndarray, ...]:
        return self.weights, self.bias


def whole(what: str, given: Any, length: int | None = None, least: int = 0) -> tuple[int, ...]:
    """Whole numbers, `length` of them if it is given, each at least `least`. Raises ShapeError for anything else."""
    try:
        values = tuple(int(n) for n in given)
        right = all(n == m for n, m in zip(values, given, strict=True))
    except (TypeError, ValueError, OverflowError):
        values, right = (), False
    if not right or length not in (None, len(values)) or any(not least <= n < 1 << 31 for n in values):
        of = "whole numbers" if length is None else f"{length} whole numbers"
        raise ShapeError(f"its {what} is {given}; it must be {of} of at least {least}")
    return values


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from 0. Raises ShapeError if there is none of that number."""
    if not -rank <= axis < rank:
        raise ShapeError(f"it works on axis {axis} of {rank}")
    return axis % rank


def broadcast(*inputs: Dims) -> Dims:
    """The shape to which all are broadcast, as in numpy. Raises ShapeError if they do not fit."""
    try:
        return np.broadcast_shapes(*inputs)
    except ValueError:
        raise ShapeError(f"it joins {' and '.join(map(str, inputs))}, which do not fit each other") from None


def size_of(dims: Sequence[int]) -> int:
    """The number of elements of an array of this shape."""
    return math.prod(dims)


def is_float(array: np.ndarray) -> bool:
    return array.dtype.kind == "f"
