"""One call of an operator of PyTorch's core library (ATen) while its graph is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.files import short
from engine.network.graph import nodes
from engine.network.graph.builder import Builder, Value
from engine.network.graph.nodes import Dims, GraphNode


@dataclass(frozen=True, eq=False)
class Call:
    """What a row of the tables gets.

    builder     of the graph that is being made
    label       name for the nodes
    operator    its name, such as `aten.linear`
    arguments   {name in the operator's schema: Value, tensor, number, list or None}, defaults included
    run         the operator itself
    """

    builder: Builder
    label: str
    operator: str
    arguments: Mapping[str, Any]
    run: Callable[..., Any]

    def __getitem__(self, key: str) -> Any:
        return self.arguments[key]

    def get(self, key: str, default: Any = None) -> Any:
        """An argument; the default where it is None or the operator has none of that name."""
        found = self.arguments.get(key)
        return default if found is None else found

    def value(self, key: str | Any) -> Value:
        """An argument, or anything that stands for one, as a Value."""
        found = self.arguments[key] if isinstance(key, str) else key
        if isinstance(found, Value):
            return found
        return self.builder.constant(array_of(found))

    def constant(self, key: str) -> np.ndarray | None:
        """An argument as an array; None if it depends on the input or is not given."""
        found = self.arguments.get(key)
        if found is None or isinstance(found, Value):
            return found.array if isinstance(found, Value) else None
        return array_of(found)

    def add(self, kind: type[GraphNode], *values: str | Any, **fields: Any) -> Value:
        """A new node on these arguments."""
        return self.builder.add(kind, self.label, [self.value(value) for value in values], **fields)

    def applied(self, activation: str, value: Any = None) -> Value:
        """An elementwise function of the first argument, or of a Value."""
        return self.add(
            nodes.Elementwise, next(iter(self.arguments)) if value is None else value, activation=activation
        )

    def reshaped(self, value: Any, dims: Sequence[int]) -> Value:
        value = self.value(value)
        return value if value.dims == tuple(dims) else self.add(nodes.Reshape, value, dims=tuple(dims))

    def axes(self, key: str, value: Value) -> tuple[int, ...]:
        """A list of axes, counted from 0; all of them if none is given."""
        given = self.get(key)
        given = [given] if isinstance(given, int) else given
        return tuple(axis % value.rank for axis in given) if given else tuple(range(value.rank))

    def refusal(self, why: str) -> NetworkError:
        return NetworkError(
            f"`{short(self.label)}` ({self.operator.removeprefix('aten.')}) of {self.builder.name}: {why}."
        )


Row = Callable[[Call], Any]


def array_of(value: Any) -> np.ndarray:
    """A tensor or number as an array of its own; half precision as float32."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if value.dtype.is_floating_point and value.element_size() < 4:
            value = value.float()
        value = value.numpy()
    return np.array(value)


def pair(values: Any, default: Any = None) -> tuple[int, int]:
    """(rows, columns) of a list of one or two numbers."""
    values = list(default if values in (None, []) else values)
    return (int(values[0]), int(values[-1]))


def dims_of(sizes: Sequence[int], count: int) -> Dims:
    """A shape in which one -1 stands for what is left of `count` numbers."""
    known = 1
    for n in sizes:
        known *= n if n >= 0 else 1
    return tuple(int(n) if n >= 0 else count // max(known, 1) for n in sizes)
