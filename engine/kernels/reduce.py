"""The sum, mean, largest, least or product of numbers along some axes of an array, computed on the GPU."""

from collections.abc import Sequence

from engine.errors import NetworkError
from engine.gpu.bindings import Binding
from engine.gpu.kernel import Dispatch, Kernel
from engine.gpu.layout.along import ALONG, over
from engine.gpu.layout.stored import Stored
from engine.kept import kept
from engine.network.graph.nodes import Reduce

FUNCTIONS = {"sum": 0, "mean": 0, "max": 1, "min": 2, "product": 3}


def steps(node: Reduce, sources: Sequence[Stored], output: Stored) -> list[Dispatch]:
    """The Dispatch of one reduction.

    sources, output   one array that is read and one in numpy's order that is written, in separate memory
    """
    (source,) = sources
    along = over(source, node.axes)
    if along is None:
        raise NetworkError(f"Node `{node.name}` goes through {source.dims} along {node.axes}, which has too many axes.")
    scale = 1 / along.length if node.function == "mean" else 1.0
    counts, uniform = along.dispatch(source.first, output.first, scale)
    kernel = _kernel(FUNCTIONS[node.function], along.sharing, along.sums)
    return [kernel.prepared(counts, along=uniform, source=source.array, output=output.array)]


@kept
def _kernel(function, sharing, sums):
    bindings = Binding("along", "uniform", ALONG), *ARRAYS
    return Kernel.of("kernels/reduce", bindings, constants={"FUNCTION": function, "SHARING": sharing}, sharing=sums)


ARRAYS = Binding("source", "read", "array<f32>"), Binding("output", "write", "array<f32>")
