"""Makes graphs node by node, as readers of files do. What depends on no input is computed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from engine.errors import NetworkError, located
from engine.network.graph import nodes
from engine.network.graph.graph import Graph, free_name
from engine.network.graph.nodes import Dims, GraphNode

# Elements of one constant that is computed while reading, and of all together: 512 MiB and 2 GiB as float32.
MOST_COMPUTED, MOST_IN_ALL = 1 << 27, 1 << 29
MOST_NODES = 20_000
# Nodes that only move numbers, so that constants keep their type.
MOVING = (nodes.Reshape, nodes.Transpose, nodes.Slice, nodes.Concat, nodes.Expand, nodes.Gather, nodes.Pad)


@dataclass(frozen=True, eq=False)
class Value:
    """What a node gives: an output of the graph being made, or an array that depends on no input.

    dims    its shape
    name    of its node; "" for an array
    array   None unless it depends on no input
    label   of an array: its name in the file, or ""
    """

    dims: Dims
    name: str = ""
    array: np.ndarray | None = None
    label: str = ""

    @property
    def rank(self) -> int:
        return len(self.dims)

    @property
    def is_constant(self) -> bool:
        return self.array is not None

    def numbers(self) -> list[int] | None:
        """The whole numbers of a short constant list, or None for anything else."""
        if self.array is None or self.array.dtype.kind not in "iub" or self.array.size > 64:
            return None
        return [int(n) for n in self.array.reshape(-1)]


class Chain:
    """A graph of one vector (1, width) while it is made step by step.

    value   what has been computed so far; label: the name of the next nodes
    """

    def __init__(self, builder: Builder, width: int):
        self.builder, self.label = builder, ""
        self.value = builder.input("input", (1, width))

    def add(self, kind: type[GraphNode], *more: Value, **fields: Any) -> Value:
        """A step: a node on the value, and on more inputs."""
        self.value = self.builder.add(kind, self.label, [self.value, *more], **fields)
        return self.value

    def affine(self, scale: Any, shift: Any = 0.0) -> None:
        """The step scale x + shift."""
        self.add(nodes.Affine, scale=np.asarray(scale, float), shift=np.asarray(shift, float))

    def graph(self) -> Graph:
        return self.builder.graph([self.value])


class Builder:
    """A graph while it is being made; `name` is its file's, for messages."""

    def __init__(self, name: str):
        self.name = name
        self._nodes: dict[str, GraphNode] = {}
        self._kept: dict[int, tuple[Value, str]] = {}  # {id of a constant Value: (it, the name of its node)}
        self._computed = 0

    def input(self, label: str, dims: Sequence[int]) -> Value:
        """An input of the graph, of this whole shape."""
        return self._put(nodes.Input(self._free(label), (), tuple(dims)), tuple(dims))

    def constant(self, array: Any, label: str = "") -> Value:
        """An array that depends on no input."""
        array = np.asarray(array)
        return Value(array.shape, array=array, label=label)

    def add(self, kind: type[GraphNode], label: str, values: Sequence[Value], **fields: Any) -> Value:
        """The Value of a new node of the class `kind`; its inputs are `values`, its other fields `fields`.

        Raises ShapeError or NetworkError that says what does not fit, with the node's name.
        """
        if all(value.is_constant for value in values):
            return self._folded(kind, label, values, fields)
        inputs = tuple(self._name_of(value) for value in values)  # first, since constants may take the name
        node = kind(self._free(label), inputs, **fields)
        return self._put(node, self._shape(node, values))

    def graph(self, outputs: Sequence[Value]) -> Graph:
        """The Graph with these outputs. Raises NetworkError for one that does not depend on an input."""
        for value in outputs:
            if value.is_constant:
                raise NetworkError(f"The output of {self.name} does not depend on its input.")
        return Graph(self._nodes.values(), [value.name for value in outputs], name=self.name)

    def _folded(self, kind, label, values, fields):
        node = kind(label or "node", tuple(f"{i}" for i in range(len(values))), **fields)
        dims = self._shape(node, values)
        self._computed += prod(dims)
        if prod(dims) > MOST_COMPUTED or self._computed > MOST_IN_ALL:
            raise NetworkError(
                f"Node `{label}` of {self.name} makes a constant of {dims}, which takes too much memory."
            )
        arrays = [value.array for value in values]
        if not isinstance(node, MOVING):
            arrays = [a.astype(float) if a.dtype.kind == "f" else a for a in arrays]
        with np.errstate(all="ignore"), located(f"Node `{label}` ({node.kind}) of {self.name}: ", "."):
            try:
                array = node.value(*arrays)
            except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError) as error:
                raise NetworkError(f"it cannot be computed: {str(error)[:120]}") from None
        return Value(array.shape, array=array, label=values[0].label if isinstance(node, MOVING) else label)

    def _shape(self, node, values):
        with located(f"Node `{node.name}` ({node.kind}) of {self.name}: ", "."):
            return node.shape(*(value.dims for value in values))

    def _put(self, node, dims):
        if len(self._nodes) >= MOST_NODES:
            raise NetworkError(f"{self.name} has more than {MOST_NODES} nodes. Use a simpler network.")
        self._nodes[node.name] = node
        return Value(dims, node.name)

    def _name_of(self, value):
        """The name of a value's node; a constant gets a node when it is first used."""
        if value.array is None:
            return value.name
        if id(value) not in self._kept:
            name = self._free(value.label or "constant")
            self._put(nodes.Constant(name, (), value.array), value.dims)
            self._kept[id(value)] = value, name
        return self._kept[id(value)][1]

    def _free(self, label):
        """An unused name: the label, with a number if necessary."""
        return free_name((label or "node").strip("/") or "node", self._nodes)
