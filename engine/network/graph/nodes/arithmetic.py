"""Nodes that compute each element from those at the same place of their inputs, which are broadcast as in numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.errors import NetworkError, ShapeError
from engine.network.activations import Activation
from engine.network.graph.nodes.base import Dims, GraphNode, Windows, broadcast, is_float
from engine.network.mlp import real
from engine.network.windows import Window


@dataclass(frozen=True, eq=False)
class Elementwise(GraphNode):
    """An activation, applied to each number."""

    activation: Activation
    kind = "elementwise"

    def check(self) -> None:
        self.put(activation=Activation.parse(self.activation))
        if not self.activation.rule.elementwise:
            raise NetworkError(f"{self.activation} is not elementwise; it is a node of its own")

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return self.activation.value(inputs[0])


@dataclass(frozen=True, eq=False)
class Prelu(GraphNode):
    """x where x > 0, else slopes x; slopes are broadcast to x (He et al. 2015, "Delving deep into rectifiers")."""

    slopes: np.ndarray
    kind = "prelu"

    def check(self) -> None:
        self.put(slopes=np.asarray(real(self.slopes), np.float32))

    def shape(self, *inputs: Dims) -> Dims:
        if broadcast(inputs[0], self.slopes.shape) != inputs[0]:
            raise ShapeError(f"its slopes {self.slopes.shape} do not fit {inputs[0]}")
        return inputs[0]

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return np.where(inputs[0] > 0, inputs[0], self.slopes.astype(float) * inputs[0])

    @property
    def weights_of(self) -> tuple[np.ndarray, ...]:
        return (self.slopes,)


@dataclass(frozen=True, eq=False)
class Affine(GraphNode):
    """scale x + shift, both float64 arrays that are broadcast to x; rounded only where they are used."""

    scale: np.ndarray
    shift: np.ndarray
    kind = "affine"

    def check(self) -> None:
        self.put(scale=np.asarray(real(self.scale), float), shift=np.asarray(real(self.shift), float))

    def shape(self, *inputs: Dims) -> Dims:
        if broadcast(inputs[0], self.scale.shape, self.shift.shape) != inputs[0]:
            raise ShapeError(f"its scale {self.scale.shape} and shift {self.shift.shape} do not fit {inputs[0]}")
        return inputs[0]

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return self.scale * inputs[0] + self.shift

    @property
    def weights_of(self) -> tuple[np.ndarray, ...]:
        return self.scale, self.shift


class Binary(GraphNode):
    """A function of two numbers."""

    least = most = 2
    function: ClassVar[Callable[..., np.ndarray]]

    def shape(self, *inputs: Dims) -> Dims:
        return broadcast(*inputs)

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return np.asarray(type(self).function(*inputs))

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        whole = broadcast(*inputs)
        # What is one number for all places is seen as a whole.
        return tuple((Window(1), Window(1)) if one[-2:] == whole[-2:] else None for one in inputs)


class Add(Binary):
    """The sum of two inputs."""

    kind = "add"
    function = np.add


class Subtract(Binary):
    """The first input less the second."""

    kind = "subtract"
    function = np.subtract


class Multiply(Binary):
    """The product of two inputs."""

    kind = "multiply"
    function = np.multiply


def _divided(a, b):
    # Integers of shapes: towards 0, as in C.
    return a / b if is_float(a) or is_float(b) else (np.sign(a) * np.sign(b) * (abs(a) // abs(b))).astype(a.dtype)


class Divide(Binary):
    """The first input over the second."""

    kind = "divide"
    function = _divided


class Power(Binary):
    """The first input to the power of the second."""

    kind = "power"
    function = np.power


class Maximum(Binary):
    """The larger of two inputs."""

    kind = "maximum"
    function = np.maximum


class Minimum(Binary):
    """The smaller of two inputs."""

    kind = "minimum"
    function = np.minimum


COMPARISONS: dict[str, Callable[..., np.ndarray]] = {
    "==": np.equal, "!=": np.not_equal, ">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal,
    "and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Compare(Binary):
    """Whether a relation of COMPARISONS holds between two inputs: truth values."""

    relation: str
    kind = "compare"

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return COMPARISONS[self.relation](*inputs)


@dataclass(frozen=True, eq=False)
class Where(GraphNode):
    """The second input where the first is true, else the third."""

    kind = "where"
    least = most = 3

    def shape(self, *inputs: Dims) -> Dims:
        return broadcast(*inputs)

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return np.where(inputs[0].astype(bool), *inputs[1:])


CASTS = {"float": float, "int": np.int64, "bool": bool}


@dataclass(frozen=True, eq=False)
class Cast(GraphNode):
    """Numbers of another type, one of CASTS; floats become integers towards 0."""

    to: str
    kind = "cast"

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0].astype(CASTS[self.to])
