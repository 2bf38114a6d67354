"""Maps joined one after another, or made one vector, on the GPU."""

from functools import cache
from math import prod

import numpy as np

from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.channel_map import ChannelMap, groups_of
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Kernel
from engine.gpu.structs import struct

RESHAPE = struct(
    "Reshape", group="u32", channel="u32", channels="u32", places="u32", source_places="u32", source_first="u32",
    offset="u32",
)  # fmt: skip


def evaluate(node, *values):
    """A Concat of arrays of channels, or a Flatten of one.

    values   (C, H, W) each
    returns  (channels, H, W) float32
    """
    sources = [ChannelMap(np.shape(v)) for v in values]
    for source, given in zip(sources, values, strict=True):
        source.write(given)
    output = ChannelMap(node.shape(*(s.shape for s in sources)))
    encoder, channel = device().encoder(), 0
    for source in sources:
        step = Reshape(source, output, channel)
        step.record(encoder)
        channel += step.channels
    device().submit(encoder)
    return output.read()


class Reshape:
    """All numbers of a map as channels of another, ready to be recorded.

    source    a ChannelMap; in other memory than what is stored
    output      the ChannelMap that is written, from channel number `channel` on
    channels  so many are written: as many as the source has, where both have rows and columns alike; as many as it has
              numbers, where output is a vector

    Channels before the first are left as they are; the last group of four is filled with zeros, so what comes after
    them is written later.
    """

    def __init__(self, source, output, channel=0):
        self.channels = prod(source.shape) // output.places
        self.kernel = _kernel()
        groups = groups_of(channel + self.channels) - channel // 4
        self.parts = []
        # A vector of many numbers is more groups than a dispatch has.
        for first in range(0, groups, MAX_GROUPS):
            some = min(groups - first, MAX_GROUPS)
            uniform = RESHAPE.new(
                group=channel // 4 + first, channel=channel, channels=self.channels, places=output.places,
                source_places=source.places, source_first=source.first, offset=output.first,
            )  # fmt: skip
            bound = self.kernel.bind(reshape=Array.of(uniform, "uniform"), responses=source.array, output=output.array)
            self.parts.append((bound, (-(-output.places // 64), some)))

    def record(self, encoder):
        for group, counts in self.parts:
            self.kernel.dispatch(encoder, group, counts)


@cache
def _kernel():
    bindings = (
        Binding("reshape", "uniform", RESHAPE),
        Binding("responses", "read", "array<vec4f>"),
        Binding("output", "write", "array<vec4f>"),
    )
    return Kernel(compose("kernels/reshape", {"bindings": declare(bindings)}), bindings)
