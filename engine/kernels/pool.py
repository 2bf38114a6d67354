"""The largest or the mean number of each window of a map, computed on the GPU."""

from collections.abc import Sequence

from engine.errors import NetworkError
from engine.gpu.channel_map import ChannelMap, map_bindings
from engine.gpu.kernel import MOST_ITERATIONS, Dispatch, Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.graph.nodes import AveragePool, MaxPool, Reduce

POOL = struct(
    "Pool", source="vec2u", extent="vec2u", stride="vec2u", dilation="vec2u", before="vec2i", after="vec2i",
    width="u32", places="u32", source_first="u32", offset="u32", padding_counts="u32",
)  # fmt: skip
# Numbers of a window that one loop takes. A larger window is taken along its rows first and then down its columns,
# which gives the same largest number and the same mean.
MOST = 4096


def steps(node: MaxPool | AveragePool | Reduce, sources: Sequence[ChannelMap], output: ChannelMap) -> list[Dispatch]:
    """The Dispatches of one pooling; a Reduce takes the mean or the largest number of each channel.

    sources, output   one ChannelMap that is read and one that is written, in separate memory

    Raises NetworkError where a window has a side that is longer than a loop of a shader may be.
    """
    (source,) = sources
    size = source.shape[1:] if isinstance(node, Reduce) else node.size
    if max(size) > MOST_ITERATIONS:
        raise NetworkError(f"Node `{node.name}` pools over {size}; at most {MOST_ITERATIONS} a side can be.")
    if size[0] * size[1] <= MOST:
        return [_step(node, size, source, output, (0, 1))]
    between = ChannelMap((*source.shape[:2], output.shape[2]))
    return [_step(node, size, source, between, (1,)), _step(node, size, between, output, (0,))]


def _step(node, size, source, output, axes):
    """Pooling along some axes, 0 down and 1 along the rows; along other axes a window is one place."""
    whole = isinstance(node, Reduce)
    stride, padding, dilation = ((1, 1), (0, 0, 0, 0), (1, 1)) if whole else (node.stride, node.padding, node.dilation)
    extent = [(n - 1) * d + 1 for n, d in zip(size, dilation, strict=True)]

    def along(values, otherwise):
        return [values[axis] if axis in axes else otherwise for axis in (0, 1)]

    uniform = POOL.new(
        source=source.shape[1:], extent=along(extent, 1), stride=along(stride, 1), dilation=along(dilation, 1),
        before=along(padding[:2], 0), after=along(padding[2:], 0), width=output.shape[2], places=output.places,
        source_first=source.first, offset=output.first, padding_counts=getattr(node, "include_padding", False),
    )  # fmt: skip
    largest = node.function == "max" if whole else isinstance(node, MaxPool)
    counts = (-(-output.places // 64), output.groups)
    return _kernel(largest).prepared(counts, pool=uniform, responses=source.array, output=output.array)


@kept
def _kernel(largest):
    bindings = map_bindings("pool", POOL)
    return Kernel.of("kernels/pool", bindings, constants={"LARGEST": int(largest)})
