"""Rays that are close together share how a network bends along them: beams are bounded, rays only evaluated.

docs/rays.md has the method. What a beam leaves open, its rays settle with bounds of their own.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from engine.codegen.bounds import tube
from engine.codegen.mlp.narrow import narrow_groups, values_module
from engine.gpu.array import Array
from engine.gpu.bindings import TABLE, Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel, spread
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.product import VEC4
from engine.kernels.search.arrays import BINDINGS, PACE, RAYS, workgroups
from engine.kernels.search.layered import Layered
from engine.network.rules.extrema import extrema

# Pieces of a beam at most, and vec4f of one beside them.
MOST, BEAM = 96, 6
# A piece is as long as the bounds stray by no more than these: of the distance to a level, of the rise of f, and, of
# many levels, of the distance between two.
LEVEL_SHARE, RISE_SHARE, SPACING_SHARE = 0.25, 0.1, 0.08
# Pieces of a beam, and segments of a ray, in one dispatch; how many beams and rays one is for: 0.1 s on two cores.
TURNS, BEAMS_AT_ONCE, RAYS_AT_ONCE = 16, 1 << 10, 1 << 14
# Beams are blocks of so many by so many rays: the most by which the rays of one may differ in the sums of the first
# layer, in units in which the slope of its activation changes by itself. Of wider ones little is known.
SIDES, WIDEST = (8, 4), 0.08
MARCH = struct(
    "March", beams="u32", layers="u32", columns="u32", turns="u32", side="u32", first="u32", count="u32", single="u32",
    level="f32", spacing="f32", level_share="f32", rise_share="f32", least="f32",
)  # fmt: skip


class Beams:
    """Beams of one casting, whose rays are in blocks of 8 x 8 as lib/block numbers them.

    layered   the network; `fits` says whether it can
    casting   a CASTING struct, and `uniform` of it
    arrays    `rays`, `crossings`, `costs`, `states`
    lists     two lists of rays, as LayeredPasses has them
    """

    def __init__(
        self, layered: Layered, casting: np.ndarray, uniform: Array, arrays: Mapping[str, Array], lists: list[Array]
    ):
        network, activation = layered.narrow, tube.tube_activation(layered.net.shape)
        assert network is not None and activation is not None
        self.rays, self.arrays, self.casting, self.lists = int(casting["rays"].item()), arrays, uniform, lists
        self.key = activation, narrow_groups(layered.net.shape), network.lanes
        single, level, spacing = (casting[name].item() for name in ("single", "level", "spacing"))
        self.march = MARCH.new(
            layers=network.count, columns=network.columns, turns=TURNS, single=single, level=level, spacing=spacing,
            level_share=LEVEL_SHARE, rise_share=RISE_SHARE, least=0.0 if single else SPACING_SHARE * spacing,
        )  # fmt: skip
        self.layers, self.weights = network.layers, network.weights
        slope, curvature = (extrema(activation, which).most for which in ("slope", "curvature"))
        rows = np.linalg.norm(layered.net.layers[0].weights.astype(float), axis=1)
        self.widest = WIDEST * slope / (curvature * max(float(rows.max()), 1e-30))
        self.found, self.cursors = Array("u4", 1), Array("u4", self.rays)

    def steps(self, going: int) -> Iterator[None]:
        """Takes rays as far as beams do, in parts of some 0.1 s; `going` of them are in the first list."""
        sides = [side for side in SIDES if self._size(side) <= device().limits["max-storage-buffer-binding-size"] // 16]
        if not any(self._gather(side) <= self.widest for side in sides):
            return
        yield
        left = 1
        while left:
            left = 0
            for march in self._parts(int(self.march["beams"].item()), BEAMS_AT_ONCE):
                with device().recording("beams") as encoder:
                    encoder.clear_buffer(self.found.buffer)
                    groups = spread(-(-int(march["count"].item()) // self.key[2]))
                    _march(*self.key).prepared(
                        groups, march=march, beams=self.beams, found=self.found, weights=self.weights
                    ).record(encoder)
                left += int(self.found.read()[0])
                yield
        with device().recording("beams") as encoder:
            encoder.clear_buffer(self.cursors.buffer)
        while going:
            for march in self._parts(going, RAYS_AT_ONCE):
                groups = spread(-(-int(march["count"].item()) // self.key[2]))
                with device().recording("beams") as encoder:
                    self._search(groups, march).record(encoder)
                self.found.read()
                yield
            going = self._list("keep", going)

    def end(self) -> int:
        """Lists all rays that are open; how many these are."""
        return self._list("rest", self.rays)

    def _size(self, side):
        """vec4f of beams in memory."""
        return int(self.march["layers"].item()) + (BEAM + MOST) * (self.rays // side**2)

    def _gather(self, side):
        """Makes beams of blocks with this side; how far rays of one are off its middle at most."""
        self.march["side"], self.march["beams"] = side, self.rays // side**2
        self.beams = Array(VEC4, self._size(side))
        with device().recording("beams") as encoder:
            encoder.clear_buffer(self.found.buffer)
            encoder.copy_buffer_to_buffer(self.layers.buffer, 0, self.beams.buffer, 0, self.layers.buffer.size)
            _gather().prepared(
                workgroups(int(self.march["beams"].item())), rays=self.arrays["rays"], march=self.march,
                beams=self.beams, found=self.found,
            ).record(encoder)  # fmt: skip
        return float(self.found.read().view(np.float32)[0])

    def _parts(self, count, most):
        for first in range(0, count, most):
            march = self.march.copy()
            march["first"], march["count"] = first, min(most, count - first)
            yield march

    def _list(self, entry, count):
        with device().recording("beams") as encoder:
            encoder.clear_buffer(self.lists[1].buffer, 0, 8)
            _list(entry).prepared(
                workgroups(count), casting=self.casting, **self.arrays, open=self.lists[0], next=self.lists[1],
                cursors=self.cursors,
            ).record(encoder)  # fmt: skip
        self.lists.reverse()
        return int(self.lists[0].read(1)[0])

    def _search(self, groups, march):
        return _search(*self.key).prepared(
            groups, casting=self.casting, **self.arrays, open=self.lists[0], next=self.lists[1], march=march,
            beams=self.beams, cursors=self.cursors, weights=self.weights,
        )  # fmt: skip


def fits(layered: Layered) -> bool:
    """Whether beams can be made for a network: deep, narrow, one smooth activation, where a subgroup shares loads."""
    return layered.narrow is not None and tube.tube_activation(layered.net.shape) is not None


GEOMETRY = (Binding("march", "uniform", MARCH), Binding("beams", "write", "array<vec4f>"))
FOUND = Binding("found", "write", "array<atomic<u32>>")
WEIGHTS = Binding("weights", "storage_texture", TABLE)
LISTED = (
    *BINDINGS,
    Binding("open", "read", "array<u32>"),
    Binding("next", "write", "array<atomic<u32>>"),
    Binding("cursors", "write", "array<u32>"),
)


def _sizes(lanes):
    return f"const LANES = {lanes}u;\nconst MOST = {MOST}u;\nconst STRIDE = {BEAM + MOST}u;\n"


@kept
def _gather():
    return Kernel.of("kernels/beams", (*GEOMETRY, FOUND, RAYS), entry="gather", sizes=_sizes(1))


@kept
def _march(activation, groups, lanes):
    text = tube.tube_module(activation, groups, lanes)
    return Kernel.of("kernels/beams_march", (*GEOMETRY, FOUND, WEIGHTS), tube=text, sizes=_sizes(lanes))


@kept
def _search(activation, groups, lanes):
    text = values_module(activation, groups, lanes)
    bindings = (*LISTED, *GEOMETRY, WEIGHTS)
    return Kernel.of(
        "kernels/beams_search", bindings, entry="search", constants={"SHARED": True}, values=text, bounds=PACE,
        sizes=_sizes(lanes),
    )  # fmt: skip


@kept
def _list(entry):
    return Kernel.of("kernels/beams_lists", LISTED, entry=entry, bounds=PACE)
