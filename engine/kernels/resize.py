"""Maps of another size, each number a weighted sum of neighbouring ones, computed on the GPU."""

from collections.abc import Sequence

import numpy as np

from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import ChannelMap, map_bindings
from engine.gpu.kernel import MOST_ITERATIONS, Dispatch, Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.graph.nodes import Resize

RESIZE = struct(
    "Resize", source="vec2u", taps="vec2u", width="u32", places="u32", source_first="u32", offset="u32", columns="u32"
)  # fmt: skip


def steps(node: Resize, sources: Sequence[ChannelMap], output: ChannelMap) -> list[Dispatch]:
    """The Dispatch of one change of size.

    sources, output   one ChannelMap that is read and one that is written, in separate memory

    Raises NetworkError where a number is a sum of more than a loop of a shader may take.
    """
    (source,) = sources
    rows, columns = taps(node.rows), taps(node.columns)
    down, across = rows.shape[1] - 1, columns.shape[1] - 1
    if (down + 1) * (across + 1) > MOST_ITERATIONS:
        raise NetworkError(f"Node `{node.name}` sums {down} x {across} numbers at a place; fewer can be.")
    uniform = RESIZE.new(
        source=source.shape[1:], taps=(down, across), width=output.shape[2], places=output.places,
        source_first=source.first, offset=output.first, columns=rows.size,
    )  # fmt: skip
    weights = Array.of(np.concatenate([rows.reshape(-1), columns.reshape(-1)]))
    counts = (-(-output.places // 64), output.groups)
    return [_kernel().prepared(counts, resize=uniform, responses=source.array, weights=weights, output=output.array)]


def taps(weights: np.ndarray) -> np.ndarray:
    """Of (new, old) weights for each new place: the first old one that it takes, then the weights from there on."""
    used = weights != 0
    first = np.where(used.any(axis=1), used.argmax(axis=1), 0)
    last = np.where(used.any(axis=1), weights.shape[1] - 1 - used[:, ::-1].argmax(axis=1), 0)
    count = int((last - first).max(initial=0)) + 1
    # Near the end, others before it are taken as well, so that all lie on the map.
    first = np.minimum(first, weights.shape[1] - count)
    own = np.take_along_axis(weights, first[:, None] + np.arange(count), axis=1)
    return np.concatenate([first[:, None], own], axis=1).astype(np.float32)


@kept
def _kernel():
    settings, responses, output = map_bindings("resize", RESIZE)
    bindings = settings, responses, Binding("weights", "read", "array<f32>"), output
    return Kernel.of("kernels/resize", bindings)
