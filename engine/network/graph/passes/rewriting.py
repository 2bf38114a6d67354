"""A graph while passes change it node by node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.network.graph import nodes
from engine.network.graph.graph import Graph
from engine.network.graph.nodes import GraphNode


class Rewriting:
    """The nodes of a graph, their shapes and who takes them, kept true while nodes are replaced."""

    def __init__(self, graph: Graph):
        self.name, self.outputs = graph.name, list(graph.outputs)
        self.nodes: dict[str, GraphNode] = {node.name: node for node in graph.nodes}
        self.dims = dict(graph.dims)
        self.order = {node.name: i for i, node in enumerate(graph.nodes)}  # of the nodes there were
        self.takers: dict[str, list[str]] = {key: [] for key in self.nodes}
        for node in graph.nodes:
            for key in node.inputs:
                self.takers[key].append(node.name)

    def __iter__(self) -> Iterator[GraphNode]:
        """The nodes there are now; those replaced or put in meanwhile are seen as they are then."""
        for key in list(self.nodes):
            if key in self.nodes and (self.takers[key] or key in self.outputs):
                yield self.nodes[key]

    def source(self, node: GraphNode, i: int = 0) -> GraphNode:
        """The node whose output is input i."""
        return self.nodes[node.inputs[i]]

    def alone(self, node: GraphNode) -> GraphNode | None:
        """The one node that takes this one's output, once; None if there are others, or it is an output."""
        takers = self.takers[node.name]
        return self.nodes[takers[0]] if len(takers) == 1 and node.name not in self.outputs else None

    def constant(self, node: GraphNode, i: int) -> np.ndarray | None:
        """Input i if it is a constant, float64; None else."""
        source = self.source(node, i)
        return source.value() if isinstance(source, nodes.Constant) else None

    def put(self, node: GraphNode) -> GraphNode:
        """Adds a node, or replaces the one of its name; returns it."""
        old = self.nodes.get(node.name)
        self.nodes[node.name] = node
        self.takers.setdefault(node.name, [])
        for key in node.inputs:
            self.takers[key].append(node.name)
        for key in old.inputs if old is not None else ():
            self.takers[key].remove(node.name)
            self._drop(key)
        self.dims[node.name] = node.shape(*(self.dims[key] for key in node.inputs))
        return node

    def _drop(self, key: str) -> None:
        """Removes a node that no other takes, and those that only it took."""
        dead = [key]
        while dead:
            node = self.nodes.get(dead.pop())
            if node is None or self.takers[node.name] or node.name in self.outputs or isinstance(node, nodes.Input):
                continue
            del self.nodes[node.name]
            for source in node.inputs:
                self.takers[source].remove(node.name)
                dead.append(source)

    def insert(self, node: GraphNode, after: GraphNode) -> None:
        """Replaces the node of this name, and lets all that took the old one take `after`, which takes the new one."""
        takers = dict.fromkeys(self.takers[node.name])
        self.put(node)
        self.put(after)
        for key in takers:
            taker = self.nodes[key]
            self.put(replace(taker, inputs=tuple(after.name if k == node.name else k for k in taker.inputs)))
        self.outputs = [after.name if key == node.name else key for key in self.outputs]

    def bypass(self, node: GraphNode, by: str) -> None:
        """Lets all that take the node's output take that of `by`; the node itself is left to no one."""
        for key in dict.fromkeys(self.takers[node.name]):
            taker = self.nodes[key]
            self.put(replace(taker, inputs=tuple(by if k == node.name else k for k in taker.inputs)))
        self.outputs = [by if key == node.name else key for key in self.outputs]
        self._drop(node.name)

    def free(self, label: str) -> str:
        """An unused name."""
        name, count = label, 1
        while name in self.nodes:
            count += 1
            name = f"{label} {count}"
        return name

    def graph(self) -> Graph:
        """The Graph of what is left."""
        return Graph(self.nodes.values(), self.outputs, name=self.name)
