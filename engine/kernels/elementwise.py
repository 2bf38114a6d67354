"""Activations, sums and products of maps, number by number, computed on the GPU."""

from functools import cache

import numpy as np

from engine.codegen.matmul.activation import activated
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.channel_map import ChannelMap
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct
from engine.network.nodes import Multiply

ELEMENTWISE = struct(
    "Elementwise", places="u32", channels="u32", source_first="u32", other_first="u32", offset="u32",
)  # fmt: skip


def evaluate(node, *values, activation=None):
    """An Elementwise of one array of channels, or an Add or Multiply of two.

    values      (C, H, W) each, as the node takes them
    returns     (C, H, W) float32
    activation  of the sums or products, or None
    """
    sources = [ChannelMap(np.shape(v)) for v in values]
    for source, given in zip(sources, values, strict=True):
        source.write(given)
    output = ChannelMap(node.shape(*(s.shape for s in sources)))
    encoder = device().encoder()
    Elementwise(sources, output, getattr(node, "activation", activation), isinstance(node, Multiply)).record(encoder)
    device().submit(encoder)
    return output.read()


class Elementwise:
    """An activation of a map, of the sum of two or of their product, ready to be recorded.

    sources      one ChannelMap or two; in other memory than what is stored
    output         the ChannelMap that is written
    activation   or None
    multiplied   two are multiplied, of which one may be a vector, for each channel a number; else added
    """

    def __init__(self, sources, output, activation=None, multiplied=False):
        # The product is the same either way, and the kernel looks for a vector second.
        source, other = sorted((sources[0], sources[-1]), key=lambda s: s.shape != output.shape)
        uniform = ELEMENTWISE.new(
            places=output.places, channels=output.shape[0], source_first=source.first, other_first=other.first,
            offset=output.first,
        )  # fmt: skip
        self.counts = (-(-output.places // 64), output.groups)
        joined = "alone" if len(sources) == 1 else "multiplied" if multiplied else "added"
        self.kernel = _kernel(activation, joined, other.places < output.places)
        self.group = self.kernel.bind(
            elementwise=Array.of(uniform, "uniform"), responses=source.array, others=other.array, output=output.array
        )

    def record(self, encoder):
        self.kernel.dispatch(encoder, self.group, self.counts)


@cache
def _kernel(activation, joined, scaled):
    bindings = (
        Binding("elementwise", "uniform", ELEMENTWISE),
        Binding("responses", "read", "array<vec4f>"),
        Binding("others", "read", "array<vec4f>"),
        Binding("output", "write", "array<vec4f>"),
    )
    generated = {"bindings": declare(bindings), "activated": activated(activation)}
    constants = {"ADDED": int(joined == "added"), "MULTIPLIED": int(joined == "multiplied"), "SCALED": int(scaled)}
    return Kernel(compose("kernels/elementwise", generated), bindings, constants=constants)
