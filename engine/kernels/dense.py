"""A dense layer of one vector, computed on the GPU."""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.codegen.matmul.activation import activated
from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.channel_map import ChannelMap, groups_of, map_bindings
from engine.gpu.device import device
from engine.gpu.kernel import MOST_ITERATIONS, Dispatch, Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.activations import Activation
from engine.network.graph import nodes

DENSE = struct(
    "DenseRun", groups="u32", channels="u32", blocks="u32", iterations="u32", source_first="u32", offset="u32",
)  # fmt: skip
# Groups of outputs of a workgroup, and shares into which it cuts the inputs: wgsl/kernels/dense.wgsl has the same.
OUTPUTS, SHARES = 8, 16
# An iteration takes four inputs of every share.
MOST_INPUTS = 4 * SHARES * MOST_ITERATIONS


def steps(
    node: nodes.Dense, sources: Sequence[ChannelMap], output: ChannelMap, activation: Activation | None = None
) -> Iterator[Dispatch]:
    """The Dispatches of one dense layer.

    sources      one ChannelMap of (I, 1, 1)
    output       the ChannelMap of (O, 1, 1) that is written, in separate memory
    activation   of the sums, or None

    Weights that are larger than an adapter binds at once lie in several arrays, with some outputs each.
    Raises NetworkError past MOST_INPUTS inputs.
    """
    (source,) = sources
    outputs, inputs = node.weights.shape
    if inputs > MOST_INPUTS:
        raise NetworkError(f"Node `{node.name}` takes {inputs} numbers; at most {MOST_INPUTS} can be.")
    blocks = groups_of(inputs)
    room = device().limits["max-storage-buffer-binding-size"] // (16 * (4 * blocks + 1))
    some = 4 * max(OUTPUTS, room // OUTPUTS * OUTPUTS)
    for first in range(0, outputs, some):
        rows = slice(first, min(first + some, outputs))
        groups = groups_of(rows.stop - first)
        uniform = DENSE.new(
            groups=groups, channels=rows.stop - first, blocks=blocks, iterations=-(-blocks // SHARES),
            source_first=source.first, offset=output.first + first // 4,
        )  # fmt: skip
        weights = Array.of(_packed(node.weights[rows], node.bias[rows]))
        yield _kernel(activation).prepared(
            -(-groups // OUTPUTS), dense=uniform, responses=source.array, weights=weights, output=output.array
        )


def _packed(weights, bias):
    """(4 blocks + 1, 4 groups): a row for each input, filled up, then the bias."""
    outputs, inputs = weights.shape
    rows = np.zeros((4 * groups_of(inputs) + 1, 4 * groups_of(outputs)), np.float32)
    rows[:inputs, :outputs] = weights.T
    rows[-1, :outputs] = bias
    return rows


@kept
def _kernel(activation):
    bindings = map_bindings("dense", DENSE, "weights")
    return Kernel.of("kernels/dense", bindings, activated=activated(activation))
