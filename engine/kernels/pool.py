"""The largest or the mean number of each window of a map, computed on the GPU."""

from functools import cache

import numpy as np

from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.channel_map import ChannelMap
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct
from engine.network.nodes import GlobalAveragePool, MaxPool

POOL = struct(
    "Pool", source="vec2u", size="vec2u", stride="vec2u", before="vec2i", after="vec2i", width="u32", places="u32",
    source_first="u32", offset="u32", padding_counts="u32",
)  # fmt: skip
# Numbers of a window that one loop takes. A larger window is taken along its rows first and then down its columns,
# which gives the same largest number and the same mean.
MOST = 4096
# llvmpipe ends loops after so many iterations.
MOST_ITERATIONS = 65535


def evaluate(node, values):
    """A MaxPool, AveragePool or GlobalAveragePool of an array of channels.

    values   (C, H, W)
    returns  (C, rows, columns) float32
    """
    source = ChannelMap(np.shape(values))
    source.write(values)
    output = ChannelMap(node.shape(source.shape))
    encoder = device().encoder()
    Pool(node, source, output).record(encoder)
    device().submit(encoder)
    return output.read()


class Pool:
    """One pooling, ready to be recorded.

    node           a MaxPool, AveragePool or GlobalAveragePool of engine.network.nodes
    source, output   ChannelMaps, which it reads and writes; in memory of their own, both

    Raises NetworkError where a window has a side that is longer than a loop of a shader may be.
    """

    def __init__(self, node, source, output):
        size = source.shape[1:] if isinstance(node, GlobalAveragePool) else node.size
        if max(size) > MOST_ITERATIONS:
            raise NetworkError(f"Node `{node.name}` pools over {size}; at most {MOST_ITERATIONS} a side can be.")
        if size[0] * size[1] <= MOST:
            self.steps = [_Step(node, size, source, output, (0, 1))]
        else:
            between = ChannelMap((*source.shape[:2], output.shape[2]))
            self.steps = [_Step(node, size, source, between, (1,)), _Step(node, size, between, output, (0,))]

    def record(self, encoder):
        for step in self.steps:
            step.record(encoder)


class _Step:
    """Pooling along some axes, 0 down and 1 along the rows; along another every place is its own window."""

    def __init__(self, node, size, source, output, axes):
        everything = isinstance(node, GlobalAveragePool)

        def along(values, otherwise):
            return [values[axis] if axis in axes else otherwise for axis in (0, 1)]

        uniform = POOL.new(
            source=source.shape[1:], size=along(size, 1), stride=along((1, 1) if everything else node.stride, 1),
            before=along((0, 0) if everything else node.padding[:2], 0),
            after=along((0, 0) if everything else node.padding[2:], 0), width=output.shape[2], places=output.places,
            source_first=source.first, offset=output.first, padding_counts=getattr(node, "include_padding", False),
        )  # fmt: skip
        self.counts = (-(-output.places // 64), output.groups)
        self.kernel = _kernel(isinstance(node, MaxPool))
        self.group = self.kernel.bind(pool=Array.of(uniform, "uniform"), responses=source.array, output=output.array)

    def record(self, encoder):
        self.kernel.dispatch(encoder, self.group, self.counts)


@cache
def _kernel(largest):
    bindings = (
        Binding("pool", "uniform", POOL),
        Binding("responses", "read", "array<vec4f>"),
        Binding("output", "write", "array<vec4f>"),
    )
    module = compose("kernels/pool", {"bindings": declare(bindings)})
    return Kernel(module, bindings, constants={"LARGEST": int(largest)})
