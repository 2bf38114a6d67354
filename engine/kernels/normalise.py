"""Layer, group, instance and root mean square norms, computed on the GPU."""

from collections.abc import Sequence

import numpy as np

from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import ChannelMap, map_bindings
from engine.gpu.kernel import MOST_ITERATIONS, Dispatch, Kernel
from engine.gpu.layout.along import ALONG, Along
from engine.gpu.layout.stored import Stored
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.graph.nodes import LocalNormalise, Normalise


def along_of(node: Normalise, source: Stored) -> Along | None:
    """How the kernel goes through an array; None where it must lie in numpy's order instead."""
    offsets, beside = source.offsets(), [n // 8 for n in _gains(node, source.dims).strides[:-1]]
    if node.groups:
        size = source.dims[1] // node.groups
        channels = offsets[1].reshape(node.groups, size)
        if (channels - channels[:, :1] != channels[0] - channels[0, 0]).any():
            return None
        kept, through = [offsets[0], channels[:, 0]], [channels[0] - channels[0, 0], *offsets[2:]]
        step = beside[1]
        return Along.of(kept, through, ([beside[0], step * size], [step, *beside[2:]]))
    axes = {axis % len(source.dims) for axis in node.axes}
    parts = [[i for i in range(len(offsets)) if (i in axes) is inside] for inside in (False, True)]
    kept, through = ([offsets[i] for i in part] for part in parts)
    return Along.of(kept, through, [[beside[i] for i in part] for part in parts])


def steps(node: Normalise, sources: Sequence[Stored], output: Stored) -> list[Dispatch]:
    """The Dispatch of one normalisation.

    sources, output   one array that is read and one that is written, in separate memory and in the same layout
    """
    (source,) = sources
    along = along_of(node, source)
    if along is None:
        raise NetworkError(f"Node `{node.name}` normalises {source.dims} along {node.axes}, which has too many axes.")
    counts, uniform = along.dispatch(source.first, output.first, node.epsilon)
    # An array that is broadcast is uploaded once.
    gains = np.ascontiguousarray(_own(node))
    kernel = _kernel(node.centred, along.sharing, along.sums)
    return [kernel.prepared(counts, along=uniform, source=source.array, gains=Array.of(gains), output=output.array)]


LOCAL = struct(
    "LocalNorm", places="u32", channels="u32", before="u32", size="u32", source_first="u32", offset="u32",
    bias="f32", share="f32", exponent="f32",
)  # fmt: skip


def local_steps(node: LocalNormalise, sources: Sequence[ChannelMap], output: ChannelMap) -> list[Dispatch]:
    """The Dispatch of one normalisation by neighbouring channels; a map that is read, and one that is written."""
    (source,) = sources
    size = min(node.size, 2 * source.shape[0])  # there are no more neighbours
    if size > MOST_ITERATIONS // 4:
        raise NetworkError(f"Node `{node.name}` sums {node.size} channels; at most {MOST_ITERATIONS // 4} can be.")
    uniform = LOCAL.new(
        places=source.places, channels=source.shape[0], before=min((node.size - 1) // 2, source.shape[0]), size=size,
        source_first=source.first, offset=output.first, bias=node.bias, share=node.alpha / node.size,
        exponent=-node.beta,
    )  # fmt: skip
    counts = (-(-source.places // 64), source.groups)
    return [_local_kernel().prepared(counts, norm=uniform, responses=source.array, output=output.array)]


@kept
def _local_kernel():
    return Kernel.of("kernels/normalise_local", map_bindings("norm", LOCAL))


def _own(node):
    """(..., 2) gain and bias, broadcast to each other only."""
    return np.stack(np.broadcast_arrays(node.gain, node.bias), axis=-1).astype(np.float32)


def _gains(node, dims):
    """`_own` broadcast to an array, as a view."""
    return np.broadcast_to(np.ascontiguousarray(_own(node)), (*dims, 2))


@kept
def _kernel(centred, sharing, sums):
    bindings = (
        Binding("along", "uniform", ALONG),
        Binding("source", "read", "array<f32>"),
        Binding("gains", "read", "array<vec2f>"),
        Binding("output", "write", "array<f32>"),
    )
    return Kernel.of("kernels/normalise", bindings, constants={"CENTRED": centred, "SHARING": sharing}, sharing=sums)
