"""Activations and sums of maps, number by number, computed on the GPU."""

from functools import cache

import numpy as np

from engine.codegen.activated import activated
from engine.codegen.bindings import Binding, declare
from engine.codegen.compose import compose
from engine.codegen.structs import struct
from engine.gpu.array import Array
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.gpu.kernel import Kernel

ELEMENTWISE = struct(
    "Elementwise", places="u32", channels="u32", source_first="u32", other_first="u32", offset="u32",
)  # fmt: skip


def evaluate(node, *values, activation=None):
    """An Elementwise of one array of channels, or an Add of two.

    values      (C, H, W) each
    returns     (C, H, W) float32
    activation  of an Add's sums, or None
    """
    sources = [ChannelMap(np.shape(v)) for v in values]
    for source, given in zip(sources, values, strict=True):
        source.write(given)
    kept = ChannelMap(node.shape(*(s.shape for s in sources)))
    encoder = device().encoder()
    Elementwise(sources, kept, getattr(node, "activation", activation)).record(encoder)
    device().submit(encoder)
    return kept.read()


class Elementwise:
    """An activation of a map or of the sum of two, ready to be recorded.

    sources      one ChannelMap or two; in other memory than what is kept
    kept         the ChannelMap that is written
    activation   or None
    """

    def __init__(self, sources, kept, activation=None):
        source, other = sources[0], sources[-1]
        uniform = ELEMENTWISE.new(
            places=kept.places, channels=kept.shape[0], source_first=source.first, other_first=other.first,
            offset=kept.first,
        )  # fmt: skip
        self.counts = (-(-kept.places // 64), kept.groups)
        self.kernel = _kernel(activation, len(sources) > 1)
        self.group = self.kernel.bind(
            elementwise=Array.of(uniform, "uniform"), responses=source.array, others=other.array, kept=kept.array
        )

    def record(self, encoder):
        self.kernel.dispatch(encoder, self.group, self.counts)


@cache
def _kernel(activation, added):
    bindings = (
        Binding("elementwise", "uniform", ELEMENTWISE),
        Binding("responses", "read", "array<vec4f>"),
        Binding("others", "read", "array<vec4f>"),
        Binding("kept", "write", "array<vec4f>"),
    )
    generated = {"bindings": declare(bindings), "activated": activated(activation)}
    return Kernel(compose("kernels/elementwise", generated), bindings, constants={"ADDED": int(added)})
