"""The bounds of a whole narrow network by one kernel; and what kernels of all widths know of layers and units."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.codegen.bounds import layered as code
from engine.codegen.bounds.rounding import NONE
from engine.codegen.matmul.product import narrow_columns, pack_narrow
from engine.codegen.mlp.narrow import narrow_groups
from engine.gpu.array import Array
from engine.gpu.bindings import TABLE, Binding
from engine.gpu.channel_map import groups_of
from engine.gpu.kernel import Dispatch, Kernel, spread, subgroup_size
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels.product import VEC4
from engine.kernels.search.arrays import BINDINGS, PACE
from engine.network.mlp import Mlp

# Multiply-adds of one dispatch, at most: 0.1 s on two cores.
WORK = 1 << 31
SMALLEST = 2.0**-126
PARTS = len(code.PARTS)
NARROW = struct("Narrow", layers="u32", outputs="u32", columns="u32", count="u32", first="u32", turns="u32")
# What software drivers allow an invocation of all loops together, with room.
LOOPS = 1 << 15


@dataclass(frozen=True)
class About:
    """What kernels know of one layer beside its weights: see `parabola_widened` in arithmetic/parabola."""

    terms: float
    least: float

    @classmethod
    def of(cls, net: Mlp, layer: int) -> "About":
        """What is known of the layer of this number."""
        last = layer == len(net.layers) - 1
        outputs, inputs = net.layers[layer].weights.shape
        return cls(0.0 if last else 4.0 * groups_of(outputs), (8.0 * inputs + 32.0) * SMALLEST)


def unit_kinds(net: Mlp, widths: Sequence[int]) -> np.ndarray:
    """The number of the kind of each group of every layer, filled up to so many groups, one after the other."""
    known = code.network_kinds(net.shape)
    each = []
    for layer, width in enumerate(widths):
        numbers = [known.index(kind) for kind in code.kinds_of(net.shape, layer)]
        each += numbers + [numbers[-1]] * (width - len(numbers))
    return np.array(each, np.uint32)


class NarrowNetwork:
    """The whole network by one kernel, responses in registers.

    net   of which narrow_groups is not 0
    """

    def __init__(self, net: Mlp):
        self.lanes, self.groups, self.count = subgroup_size(), narrow_groups(net.shape), len(net.layers)
        self.columns, self.is_joint = narrow_columns(self.groups, self.lanes), net.activations[-1].is_whole
        self.key = code.network_kinds(net.shape), self.groups, self.lanes
        abouts = [About.of(net, i) for i in range(len(net.layers))]
        counts = [groups_of(n) for n in net.shape.sizes[1:]]
        layers = [(n, about.terms, about.least, NONE) for n, about in zip(counts, abouts, strict=True)]
        self.about = np.array(layers, np.float32)
        self.layers, self.outputs = Array.of(self.about), groups_of(net.outputs)
        self.kinds = Array.of(unit_kinds(net, [self.groups] * len(net.layers)))
        self.weights = Texture.of(pack_narrow(net, self.groups, self.lanes), "rgba32float", "STORAGE_BINDING")
        self.chunk = max(self.lanes, min(1 << 15, WORK // (20 * sum(x.weights.size for x in net.layers))))
        self._found: Array | None = None

    def show(self, net: Mlp) -> None:
        """Takes another network of the same shape."""
        self.weights.write(pack_narrow(net, self.groups, self.lanes))

    def limit(self, limits: Sequence[float]) -> None:
        """Takes each layer's largest error bound."""
        self.about[:, 3] = limits
        self.layers.write(self.about)

    def sums(self, count: int) -> tuple[Array, int, int]:
        """Memory for the last sums of so many pieces; groups in a row of it, and pieces."""
        need = -(-count // self.lanes) * self.lanes * PARTS * self.outputs
        if self._found is None or self._found.count < need:
            self._found = Array(VEC4, need)
        return self._found, self.outputs, self.lanes

    def steps(self, pieces: Array, first: int, count: int) -> Iterator[Callable[[Encoder], None]]:
        """What records the bounds of some pieces."""
        yield self._prepared(_narrow_kernel, count, first, pieces=pieces, output=self.sums(count)[0]).record

    @property
    def turns(self) -> int:
        """Segments of a ray in one dispatch of `search` at most; 0 where the output is no sum."""
        return 0 if self.is_joint else max(1, LOOPS // (self.count * (self.groups + 1) + 64))

    def search(
        self, casting: Array, arrays: Mapping[str, Array], rays: Array, first: int, count: int, turns: int
    ) -> Dispatch:
        """What takes some rays of a list on by so many segments. Its kernel compiles for a second or two.

        arrays   `rays`, `crossings`, `costs`, `states`
        """
        return self._prepared(_search_kernel, count, first, turns, casting=casting, open=rays, **arrays)

    def _prepared(self, kernel, count, first, turns=0, **arrays):
        narrow = NARROW.new(
            layers=self.count, outputs=self.outputs, columns=self.columns, count=count, first=first, turns=turns
        )
        groups = spread(-(-count // self.lanes))
        shared = {"layers": self.layers, "kinds": self.kinds, "weights": self.weights}
        return kernel(*self.key).prepared(groups, narrow=narrow, **shared, **arrays)


NETWORK = (
    Binding("narrow", "uniform", NARROW),
    Binding("layers", "read", "array<vec4f>"),
    Binding("kinds", "read", "array<u32>"),
    Binding("weights", "storage_texture", TABLE),
)


@kept
def _narrow_kernel(kinds, groups, lanes):
    bindings = (*NETWORK, Binding("pieces", "read", "array<vec4f>"), Binding("output", "write", "array<vec4f>"))
    return Kernel.of("kernels/layered_narrow", bindings, layered=code.narrow_module(kinds, groups, lanes))


@kept
def _search_kernel(kinds, groups, lanes):
    bindings = (*BINDINGS, Binding("open", "read", "array<u32>"), *NETWORK)
    return Kernel.of(
        "kernels/rays_narrow", bindings, constants=code.pace_constants(kinds), bounds=PACE,
        layered=code.narrow_module(kinds, groups, lanes),
    )  # fmt: skip
