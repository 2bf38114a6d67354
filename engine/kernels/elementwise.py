"""Activations, sums and products of maps, number by number, computed on the GPU."""

from collections.abc import Sequence

from engine.codegen.matmul.activation import activated
from engine.gpu.channel_map import ChannelMap, map_bindings
from engine.gpu.kernel import Dispatch, Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.activations import Activation
from engine.network.graph import nodes

ELEMENTWISE = struct(
    "ElementwiseRun", places="u32", channels="u32", source_first="u32", other_first="u32", offset="u32",
)  # fmt: skip


def steps(
    node: nodes.Elementwise | nodes.Add | nodes.Multiply,
    sources: Sequence[ChannelMap],
    output: ChannelMap,
    activation: Activation | None = None,
) -> list[Dispatch]:
    """The Dispatch of an activation of a map, or of the sum or product of two maps.

    sources      one ChannelMap or two; of two that are multiplied one may be a vector with a number for each channel
    output       the ChannelMap that is written, in separate memory
    activation   of the sums or products, or None; an Elementwise has its own
    """
    # The product is the same either way, and the kernel looks for a vector second.
    source, other = sorted((sources[0], sources[-1]), key=lambda s: s.shape != output.shape)
    uniform = ELEMENTWISE.new(
        places=output.places, channels=output.shape[0], source_first=source.first, other_first=other.first,
        offset=output.first,
    )  # fmt: skip
    constants = (isinstance(node, nodes.Add), isinstance(node, nodes.Multiply), other.places < output.places)
    kernel = _kernel(node.activation if isinstance(node, nodes.Elementwise) else activation, *constants)
    counts = (-(-output.places // 64), output.groups)
    return [
        kernel.prepared(counts, elementwise=uniform, responses=source.array, others=other.array, output=output.array)
    ]


@kept
def _kernel(activation, added, multiplied, scaled):
    bindings = map_bindings("elementwise", ELEMENTWISE, "others")
    constants = {"ADDED": added, "MULTIPLIED": multiplied, "SCALED": scaled}
    return Kernel.of("kernels/elementwise", bindings, constants=constants, activated=activated(activation))
