"""Softmax over the channels of each place, computed on the GPU."""

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

SOFTMAX = struct("Softmax", places="u32", channels="u32", groups="u32", source_first="u32", offset="u32")
# Three loops of 21845 iterations: llvmpipe ends them after 65535.
MOST_CHANNELS = 4 * 21845


def evaluate(values):
    """Softmax of an array of channels.

    values   (C, H, W)
    returns  (C, H, W) float32
    """
    source = ChannelMap(np.shape(values))
    source.write(values)
    output = ChannelMap(source.shape)
    encoder = device().encoder()
    Softmax(source, output).record(encoder)
    device().submit(encoder)
    return output.read()


class Softmax:
    """Softmax over channels, ready to be recorded.

    source, output   ChannelMaps of one shape, which it reads and writes; in memory of their own, both

    Raises NetworkError past MOST_CHANNELS channels.
    """

    def __init__(self, source, output):
        if source.shape[0] > MOST_CHANNELS:
            raise NetworkError(f"Softmax of {source.shape[0]} channels was asked for; at most {MOST_CHANNELS} can be.")
        uniform = SOFTMAX.new(
            places=output.places,
            channels=output.shape[0],
            groups=output.groups,
            source_first=source.first,
            offset=output.first,
        )
        self.count = -(-output.places // 64)
        self.kernel = _kernel()
        self.group = self.kernel.bind(softmax=Array.of(uniform, "uniform"), responses=source.array, output=output.array)

    def record(self, encoder):
        self.kernel.dispatch(encoder, self.group, self.count)


@cache
def _kernel():
    bindings = (
        Binding("softmax", "uniform", SOFTMAX),
        Binding("responses", "read", "array<vec4f>"),
        Binding("output", "write", "array<vec4f>"),
    )
    return Kernel(compose("kernels/softmax", {"bindings": declare(bindings)}), bindings)
