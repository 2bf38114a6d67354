"""Maps joined one after another, or made one vector, on the GPU."""

from collections.abc import Iterator, Sequence
from functools import cache
from math import prod

from engine.gpu.channel_map import ChannelMap, groups_of, map_bindings
from engine.gpu.kernel import MAX_GROUPS, Dispatch, Kernel
from engine.gpu.structs import struct
from engine.network.nodes import Concat, Flatten

RESHAPE = struct(
    "Reshape", group="u32", channel="u32", channels="u32", places="u32", source_places="u32", source_first="u32",
    offset="u32",
)  # fmt: skip


def steps(node: Concat | Flatten, sources: Sequence[ChannelMap], output: ChannelMap) -> Iterator[Dispatch]:
    """What writes all numbers of maps as channels of another, one map after the other.

    A map that lies in the output's array is there already: no other part of the array that is written is read.
    """
    channel = 0
    for source in sources:
        if source.array is not output.array:
            yield from moved(source, output, channel)
        channel += prod(source.shape) // output.places


def moved(source: ChannelMap, output: ChannelMap, channel: int = 0) -> Iterator[Dispatch]:
    """What writes one map as channels of another, from channel number `channel` on.

    As many channels are written as the source has, where both have rows and columns alike; as many as it has numbers,
    where the output is a vector. Channels before the first are left as they are; the last group of four is filled with
    zeros, so what comes after them is written later.
    """
    channels = prod(source.shape) // output.places
    groups = groups_of(channel + channels) - channel // 4
    # A vector of many numbers is more groups than a dispatch has.
    for first in range(0, groups, MAX_GROUPS):
        uniform = RESHAPE.new(
            group=channel // 4 + first, channel=channel, channels=channels, places=output.places,
            source_places=source.places, source_first=source.first, offset=output.first,
        )  # fmt: skip
        counts = (-(-output.places // 64), min(groups - first, MAX_GROUPS))
        yield _kernel().prepared(counts, reshape=uniform, responses=source.array, output=output.array)


@cache
def _kernel():
    bindings = map_bindings("reshape", RESHAPE)
    return Kernel.of("kernels/reshape", bindings)
