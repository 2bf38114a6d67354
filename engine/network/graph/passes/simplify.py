"""All passes over a graph, in their order."""

from engine.network.graph.graph import Graph
from engine.network.graph.passes.affine import folded, named
from engine.network.graph.passes.layout import arranged
from engine.network.graph.passes.recognise import recognised

# Each gives a graph of the same function. What no output depends on goes whenever a Graph is made.
PASSES = (named, recognised, arranged, folded, arranged)


def simplified(graph: Graph) -> Graph:
    """The same function by fewer operators: activations and norms by name, scales in weights, few moves of numbers."""
    for change in PASSES:
        graph = change(graph)
    return graph
