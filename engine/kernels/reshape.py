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
    """The Dispatches that write all numbers of maps as channels of another, one map after the other.

    A source that lies in the output's array is in its place already, and is skipped.
    """
    channel = 0
    for source in sources:
        if source.array is not output.array:
            yield from moved(source, output, channel)
        channel += prod(source.shape) // output.places


def moved(source: ChannelMap, output: ChannelMap, channel: int = 0) -> Iterator[Dispatch]:
    """The Dispatches that write one map as channels of another, from channel number `channel` on.

    If both have the same rows and columns, each channel of the source becomes one; if the output is a vector, each
    number does. Channels before the first are left as they are; the last group of four is filled with zeros, so the
    channels after it must be written later.
    """
    channels = prod(source.shape) // output.places
    groups = groups_of(channel + channels) - channel // 4
    # A vector of many numbers has more groups than a dispatch takes.
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
