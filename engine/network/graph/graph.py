"""Graphs: a network as named nodes, each an operator on the outputs of others, with the shape of every output."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError, ShapeError, located, near
from engine.kept import once
from engine.network.graph import nodes
from engine.network.graph.nodes import Dims, GraphNode


class Graph:
    """A network of any form. Immutable.

    nodes     in any order; those on which no output depends are left out, except inputs
    outputs   names of the nodes that are its outputs; the first is meant where one is wanted
    name      its file or origin, for messages and captions

    Raises NetworkError or ShapeError naming the node that does not fit.
    """

    def __init__(self, nodes: Iterable[GraphNode], outputs: Sequence[str], *, name: str = "network"):
        self.name, self.outputs = str(name), tuple(outputs)
        by_name: dict[str, GraphNode] = {}
        for node in nodes:
            if node.name in by_name:
                raise NetworkError(f"{name} has two nodes called `{node.name}`; give each a name of its own.")
            by_name[node.name] = node
        self.nodes = _sorted(by_name, self.outputs, self.name)
        self._by_name = {node.name: node for node in self.nodes}
        self.dims: dict[str, Dims] = {}
        for node in self.nodes:
            with located(f"Node `{node.name}` ({node.kind}) of {self.name}: ", "."):
                self.dims[node.name] = node.shape(*(self.dims[key] for key in node.inputs))

    @property
    def inputs(self) -> tuple[nodes.Input, ...]:
        return tuple(node for node in self.nodes if isinstance(node, nodes.Input))

    @property
    def output(self) -> GraphNode:
        """The node of the first output."""
        return self._by_name[self.outputs[0]]

    def node(self, name: GraphNode | str) -> GraphNode:
        """The node of that name; a node is returned unchanged. Raises NetworkError for an unknown name."""
        if isinstance(name, GraphNode):
            return name
        if name not in self._by_name:
            raise NetworkError(f"In {self.name}: {near(name, self._by_name, noun='node')}")
        return self._by_name[name]

    def sources(self, node: GraphNode | str) -> tuple[GraphNode, ...]:
        """The nodes whose outputs this one takes, in order."""
        return tuple(self._by_name[key] for key in self.node(node).inputs)

    def consumers(self, name: GraphNode | str) -> tuple[GraphNode, ...]:
        """The nodes that have this one's output as an input, in order."""
        return self._consumers[self.node(name).name]

    @once
    def _consumers(self):
        found: dict[str, list[GraphNode]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for key in dict.fromkeys(node.inputs):
                found[key].append(node)
        return {key: tuple(nodes) for key, nodes in found.items()}

    def sole_consumer(self, name: GraphNode | str) -> GraphNode | None:
        """The one node that takes this one's output, if there is only one and it is no output of the graph."""
        node, after = self.node(name), self.consumers(name)
        return after[0] if len(after) == 1 and node.name not in self.outputs else None

    @property
    def weight_count(self) -> int:
        return sum(node.weight_count for node in self.nodes)

    @property
    def neuron_count(self) -> int:
        """The number of outputs of all nodes except inputs and constants."""
        return sum(prod(self.dims[node.name]) for node in self.nodes if node.inputs)

    def work(self, node: GraphNode | str) -> int:
        """Multiply-adds of a node, given as a node or by its name."""
        node = self.node(node)
        return node.work(*(self.dims[key] for key in node.inputs))

    def evaluate(self, *arrays: ArrayLike, **named: ArrayLike) -> dict[str, np.ndarray]:
        """The outputs of all nodes, {name: array}, in float64.

        arrays   for the inputs in their order; named: for inputs by name

        Raises ShapeError for arrays of other shapes or a wrong count.
        """
        found = self._given(arrays, named)
        with np.errstate(all="ignore"):  # what is not finite is seen in the result
            for node in self.nodes:
                if node.name not in found:
                    found[node.name] = node.value(*(found[key] for key in node.inputs))
        return found

    def __call__(self, *arrays: ArrayLike, **named: ArrayLike) -> np.ndarray:
        """The first output, as `evaluate` computes it; float64."""
        return self.evaluate(*arrays, **named)[self.outputs[0]]

    def _given(self, arrays: Sequence[ArrayLike], named: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        keys = [node.name for node in self.inputs]
        if len(arrays) + len(named) != len(keys) or not set(named) <= set(keys[len(arrays) :]):
            given = f"{len(arrays)} arrays{''.join(f', {key}' for key in named)}"
            raise ShapeError(f"{self.name} takes {', '.join(keys)}; {given} were given.")
        found = {key: np.asarray(a, float) for key, a in [*zip(keys, arrays, strict=False), *named.items()]}
        for key, array in found.items():
            if array.shape != self.dims[key]:
                raise ShapeError(f"Input `{key}` of {self.name} is {self.dims[key]}, but an array is {array.shape}.")
        return found

    def changed(
        self, replaced: Mapping[str, GraphNode], *, outputs: Sequence[str] | None = None, more: Iterable[GraphNode] = ()
    ) -> Graph:
        """A copy in which nodes of some names are replaced, and with more nodes."""
        nodes = [replaced.get(node.name, node) for node in self.nodes]
        return Graph([*nodes, *more], self.outputs if outputs is None else outputs, name=self.name)

    def __str__(self):
        inputs = ", ".join(f"{node.name} {' x '.join(map(str, node.size))}" for node in self.inputs)
        return f"{self.name} ({inputs}, {len(self.nodes)} nodes, {self.weight_count} weights)"

    def __repr__(self):
        return f"<Graph {self}>"


def free_name(label: str, taken: Container[str]) -> str:
    """A name that is not taken: the label, with a number if necessary."""
    name, count = label, 1
    while name in taken:
        count += 1
        name = f"{label} {count}"
    return name


def _sorted(by_name, outputs, name):
    """The nodes on which the outputs depend, and all inputs, each after those it takes, else in the order given."""
    place = {key: i for i, key in enumerate(by_name)}
    state: dict[str, bool] = {}  # False: being visited
    order: list[GraphNode] = []
    inputs = [key for key, node in by_name.items() if isinstance(node, nodes.Input)]
    # Depth first without recursion, since graphs are thousands of nodes deep.
    for end in [*inputs, *outputs]:
        stack = [(end, "an output")]
        while stack:
            key, asker = stack[-1]
            if key not in by_name:
                raise NetworkError(f"{asker} of {name} takes `{key}`, which no node computes.")
            node = by_name[key]
            if key not in state:
                state[key] = False
                stack += [(k, f"Node `{key}`") for k in reversed(node.inputs) if not state.get(k, False)]
                if any(state.get(k) is False for k in node.inputs):
                    raise NetworkError(f"Node `{key}` of {name} depends on itself.")
            else:
                stack.pop()
                if not state[key]:
                    state[key] = True
                    order.append(node)
    # A stable order: as given, wherever that is after what a node takes.
    ranks: dict[str, int] = {}
    for node in order:
        ranks[node.name] = max([place[node.name], *(ranks[key] for key in node.inputs)])
    return tuple(sorted(order, key=lambda node: ranks[node.name]))  # sorted() is stable, so `order` decides ties
