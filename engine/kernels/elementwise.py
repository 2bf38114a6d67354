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
    kept = ChannelMap(node.shape(*(s.shape for s in sources)))
    encoder = device().encoder()
    Elementwise(sources, kept, getattr(node, "activation", activation), isinstance(node, Multiply)).record(encoder)
    device().submit(encoder)
    return kept.read()


class Elementwise:
    """An activation of a map, of the sum of two or of their product, ready to be recorded.

    sources      one ChannelMap or two; in other memory than what is kept
    kept         the ChannelMap that is written
    activation   or None
    multiplied   two are multiplied, of which one may be a vector, for each channel a number; else added
    """

    def __init__(self, sources, kept, activation=None, multiplied=False):
        # The product is the same either way, and the kernel looks for a vector second.
        source, other = sorted((sources[0], sources[-1]), key=lambda s: s.shape != kept.shape)
        uniform = ELEMENTWISE.new(
            places=kept.places, channels=kept.shape[0], source_first=source.first, other_first=other.first,
            offset=kept.first,
        )  # fmt: skip
        self.counts = (-(-kept.places // 64), kept.groups)
        joined = "alone" if len(sources) == 1 else "multiplied" if multiplied else "added"
        self.kernel = _kernel(activation, joined, other.places < kept.places)
        self.group = self.kernel.bind(
            elementwise=Array.of(uniform, "uniform"), responses=source.array, others=other.array, kept=kept.array
        )

    def record(self, encoder):
        self.kernel.dispatch(encoder, self.group, self.counts)


@cache
def _kernel(activation, joined, scaled):
    bindings = (
        Binding("elementwise", "uniform", ELEMENTWISE),
        Binding("responses", "read", "array<vec4f>"),
        Binding("others", "read", "array<vec4f>"),
        Binding("kept", "write", "array<vec4f>"),
    )
    generated = {"bindings": declare(bindings), "activated": activated(activation)}
    constants = {"ADDED": int(joined == "added"), "MULTIPLIED": int(joined == "multiplied"), "SCALED": int(scaled)}
    return Kernel(compose("kernels/elementwise", generated), bindings, constants=constants)
