"""The search along rays through networks that are bounded over pieces of many rays at once: passes over open rays."""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

import numpy as np

from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Dispatch, Kernel
from engine.gpu.passes import Encoder
from engine.kernels.product import VEC4
from engine.kernels.search.arrays import BINDINGS, PART, workgroups
from engine.kernels.search.layered import Layered

# Segments of each ray in one submission, at most; and of those before it, so that few are for rays that have ended.
MOST_SEGMENTS, SHARE = 64, 8


Jump: TypeAlias = Callable[[Array, Mapping[str, Array], Array, int, int], Dispatch]


class LayeredPasses:
    """The passes of one casting: `begin` once, then `go_on` until none is left, or `give_up`.

    layered   the network
    casting   a CASTING struct
    arrays    `rays`, `crossings`, `costs`, `states`
    jump      function of (casting, arrays, a list, first, count): the Dispatch that moves these rays of a list on

    Rays are searched in parts of a list of those that are open, each for one or several segments. The list is made anew
    when all parts have had their turn. What a ray's search finds depends on none of this.
    """

    def __init__(self, layered: Layered, casting: np.ndarray, arrays: Mapping[str, Array], jump: Jump | None = None):
        self.layered, self.arrays, self.jump = layered, dict(arrays), jump
        self.casting = Array.of(casting, "uniform")
        self.rays = int(casting["rays"].item())
        self.part = min(self.rays, layered.chunk)
        self.lists = [Array("u4", self.rays + 1) for _ in range(2)]
        self.pieces, self.found = (Array(VEC4, 2 * max(1, self.part)) for _ in range(2))
        self.left, self._at, self._segments, self._is_begun = self.rays, 0, 0, False
        self._seconds = 0.0  # a segment of one ray takes, in a batch

    def begin(self) -> None:
        """Starts all rays."""
        self._start()
        if self.jump is not None and self.left:
            # Where there is no surface rays end here.
            with device().recording("rays") as encoder:
                self.jump(self.casting, self.arrays, self.lists[0], 0, self.left).record(encoder)
                encoder.clear_buffer(self.lists[1].buffer, 0, 16)
                self._record(encoder, "sift", self.left)
            self._swap()

    def go_on(self, seconds: float) -> None:
        """Takes open rays further for about so long; `left` says then how many are open, parts of the list apart."""
        rays = self.left - self._at
        segments = 1
        if self._seconds:
            may = seconds / self._seconds
            rays = min(rays, max(self.part, int(may) // self.part * self.part))
            if rays == self.left:
                segments = max(1, int(min(may // rays, MOST_SEGMENTS, 1 + self._segments // SHARE)))
        else:
            rays = min(rays, self.part)
        begun = time.perf_counter()
        with device().recording("rays") as encoder:
            for first in range(self._at, self._at + rays, self.part):
                self._advance(encoder, first, min(self.part, self._at + rays - first), segments)
            self._at += rays
            all_had = self._at >= self.left
            if all_had:
                encoder.clear_buffer(self.lists[1].buffer, 0, 16)
                self._record(encoder, "sift", self.left)
        if all_had:
            self._swap()
            self._segments += segments
        else:
            self.lists[0].read(1)
        self._seconds = (time.perf_counter() - begun) / (rays * segments)

    def give_up(self) -> None:
        """Writes of every open ray that it is undecided from where its search stands: no crossing comes before."""
        if not self._is_begun:
            self._start()
        with device().recording("rays") as encoder:
            self._record(encoder, "leave", self.left)

    def _start(self):
        with device().recording("rays") as encoder:
            encoder.clear_buffer(self.lists[1].buffer, 0, 16)
            self._record(encoder, "begin", self.rays)
        self._is_begun = True
        self._swap()

    def _swap(self):
        self.lists.reverse()
        self.left, self._at = int(self.lists[0].read(1)[0]), 0

    def _advance(self, encoder, first, count, segments):
        steps = [self._prepared(name, first, count) for name in ("aim", "take")]
        jump = self.jump and self.jump(self.casting, self.arrays, self.lists[0], first, count)
        for _ in range(segments):
            if jump:
                jump.record(encoder)
            steps[0].record(encoder)
            self.layered.record(encoder, self.pieces, self.found, count)
            steps[1].record(encoder)

    def _record(self, encoder: Encoder, name: str, count: int) -> None:
        self._prepared(name, 0, count).record(encoder)

    def _prepared(self, name, first, count):
        return _kernel(name).prepared(
            workgroups(count), casting=self.casting, part=PART.new(first=first, count=count),
            open=self.lists[0], next=self.lists[1], pieces=self.pieces, found=self.found, **self.arrays,
        )  # fmt: skip


@cache
def _kernel(entry):
    bindings = (
        *BINDINGS,
        Binding("part", "uniform", PART),
        Binding("open", "read", "array<u32>"),
        Binding("next", "write", "array<atomic<u32>>"),
        Binding("pieces", "write", "array<vec4f>"),
        Binding("found", "read", "array<vec4f>"),
    )
    bounds = "#import arithmetic/parabola_bounds\n"
    return Kernel.of("kernels/rays_layered", bindings, entry=entry, bounds=bounds)
