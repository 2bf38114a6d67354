"""Softmax over the channels of each place, or the outputs of each point, computed on the GPU."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import ChannelMap, MapStep, groups_of
from engine.gpu.kernel import MOST_ITERATIONS, Dispatch, Kernel
from engine.gpu.layout.along import ALONG, over
from engine.gpu.layout.stored import Stored
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.graph import nodes

SOFTMAX = struct(
    "SoftmaxRun", places="u32", outputs="u32", groups="u32", first="u32", by_place="u32", by_group="u32"
)  # fmt: skip
# Three loops over groups of four.
MOST_CHANNELS = 4 * (MOST_ITERATIONS // 3)


def steps(node: nodes.Softmax, sources: Sequence[ChannelMap], output: ChannelMap) -> list[MapStep]:
    """The steps of softmax over channels.

    sources, output   one ChannelMap that is read and one of its shape that is written, in separate memory

    Raises NetworkError past MOST_CHANNELS channels.
    """
    (source,) = sources
    if source.shape[0] > MOST_CHANNELS:
        raise NetworkError(f"Softmax of {source.shape[0]} channels was asked for; at most {MOST_CHANNELS} can be.")
    places = output.places
    return [
        _Copy(source, output),
        in_place(output.array, source.shape[0], places, first=output.first, by_place=1, by_group=places),
    ]


def along_steps(node: nodes.Softmax, sources: Sequence[Stored], output: Stored) -> list[Dispatch]:
    """The Dispatch of softmax along any axis of an array, or of its logarithm.

    sources, output   one array that is read and one in the same layout that is written, in separate memory
    """
    (source,) = sources
    along = over(source, [node.axis])
    if along is None:
        raise NetworkError(f"Softmax along axis {node.axis} of {source.dims} was asked for, which has too many axes.")
    counts, uniform = along.dispatch(source.first, output.first)
    kernel = _along_kernel(node.log, along.sharing, along.sums)
    return [kernel.prepared(counts, along=uniform, source=source.array, output=output.array)]


def in_place(
    array: Array, outputs: int, places: int, *, first: int, by_place: int, by_group: int, logarithm: bool = False
) -> Dispatch:
    """The Dispatch that replaces the outputs of each place by their softmax, or its logarithm.

    array                      of vec4f, four outputs each
    first, by_place, by_group  vec4f number first + by_place i + by_group g holds outputs 4 g .. 4 g + 3 of place i
    """
    uniform = SOFTMAX.new(
        places=places, outputs=outputs, groups=groups_of(outputs), first=first, by_place=by_place, by_group=by_group
    )
    return _kernel(logarithm).prepared(-(-places // 64), softmax=uniform, output=array)


@dataclass(frozen=True)
class _Copy:
    """Copies all of a map to another of its shape."""

    source: ChannelMap
    output: ChannelMap

    def record(self, encoder: Encoder) -> None:
        source, output = self.source, self.output
        encoder.copy_buffer_to_buffer(
            source.array.buffer, 16 * source.first, output.array.buffer, 16 * output.first, 16 * source.count
        )


@kept
def _kernel(logarithm):
    bindings = (Binding("softmax", "uniform", SOFTMAX), Binding("output", "write", "array<vec4f>"))
    return Kernel.of("kernels/softmax", bindings, constants={"LOGARITHM": logarithm})


@kept
def _along_kernel(logarithm, sharing, sums):
    bindings = (
        Binding("along", "uniform", ALONG),
        Binding("source", "read", "array<f32>"),
        Binding("output", "write", "array<f32>"),
    )
    return Kernel.of(
        "kernels/softmax_along", bindings, constants={"LOGARITHM": logarithm, "SHARING": sharing}, sharing=sums
    )
