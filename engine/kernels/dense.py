"""A layer of weights of one vector, computed on the GPU."""

from functools import cache

import numpy as np

from engine.codegen.matmul.activation import activated
from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.channel_map import ChannelMap, groups_of
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct

DENSE = struct(
    "Dense", groups="u32", channels="u32", blocks="u32", iterations="u32", source_first="u32", offset="u32",
)  # fmt: skip
# Groups of outputs of a workgroup, and shares into which it cuts the inputs: wgsl/kernels/dense.wgsl has the same.
OUTPUTS, SHARES = 8, 16
# llvmpipe ends loops after 65,535 iterations, each of which takes four inputs of every share.
MOST_INPUTS = 4 * SHARES * 65535


def evaluate(node, values, activation=None):
    """A Dense of a vector.

    values      (I, 1, 1)
    returns     (O, 1, 1) float32
    activation  of its sums, or None
    """
    source = ChannelMap(np.shape(values))
    source.write(values)
    output = ChannelMap(node.shape(source.shape))
    encoder = device().encoder()
    Dense(node, source, output, activation).record(encoder)
    device().submit(encoder)
    return output.read()


class Dense:
    """One layer of weights, ready to be recorded.

    node           a Dense of engine.network.nodes
    source, output   ChannelMaps of (I, 1, 1) and (O, 1, 1), which it reads and writes; in memory of their own, both
    activation     of its sums, or None

    Weights that are more than an adapter binds at once lie in several arrays, some outputs in each.
    Raises NetworkError past MOST_INPUTS inputs.
    """

    def __init__(self, node, source, output, activation=None):
        self.kernel = _kernel(activation)
        outputs, inputs = node.weights.shape
        if inputs > MOST_INPUTS:
            raise NetworkError(f"Node `{node.name}` takes {inputs} numbers; at most {MOST_INPUTS} can be.")
        blocks = groups_of(inputs)
        room = device().limits["max-storage-buffer-binding-size"] // (16 * (4 * blocks + 1))
        some = 4 * max(OUTPUTS, room // OUTPUTS * OUTPUTS)
        self.parts = []
        for first in range(0, outputs, some):
            rows = slice(first, min(first + some, outputs))
            channels = rows.stop - first
            uniform = DENSE.new(
                groups=groups_of(channels), channels=channels, blocks=blocks, iterations=-(-blocks // SHARES),
                source_first=source.first, offset=output.first + first // 4,
            )  # fmt: skip
            group = self.kernel.bind(
                dense=Array.of(uniform, "uniform"),
                responses=source.array,
                weights=Array.of(_packed(node.weights[rows], node.bias[rows])),
                output=output.array,
            )
            self.parts.append((group, -(-groups_of(channels) // OUTPUTS)))

    def record(self, encoder):
        for group, count in self.parts:
            self.kernel.dispatch(encoder, group, count)


def _packed(weights, bias):
    """(4 blocks + 1, 4 groups): a row for each input, filled up, then the bias."""
    outputs, inputs = weights.shape
    rows = np.zeros((4 * groups_of(inputs) + 1, 4 * groups_of(outputs)), np.float32)
    rows[:inputs, :outputs] = weights.T
    rows[-1, :outputs] = bias
    return rows


@cache
def _kernel(activation):
    bindings = (
        Binding("dense", "uniform", DENSE),
        Binding("responses", "read", "array<vec4f>"),
        Binding("weights", "read", "array<vec4f>"),
        Binding("output", "write", "array<vec4f>"),
    )
    generated = {"bindings": declare(bindings), "activated": activated(activation)}
    return Kernel(compose("kernels/dense", generated), bindings)
