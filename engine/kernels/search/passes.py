"""The search along rays through networks that are bounded over pieces of many rays at once: passes over open rays."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from engine.codegen.bounds.layered import network_kinds, pace_constants
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Dispatch, Kernel
from engine.gpu.passes import Encoder
from engine.kept import kept
from engine.kernels.search.arrays import BINDINGS, PACE, PART, workgroups
from engine.kernels.search.beams import Beams
from engine.kernels.search.exact import ExactValues
from engine.kernels.search.layered import Layered
from engine.kernels.tree.tree import HeldLevels

# Segments of each ray in one submission, at most; and of those before it, so that few are for rays that have ended.
MOST_SEGMENTS, SHARE = 64, 8
# Rays that take more segments than these are hard: few are left, and dispatches by the thousand would take the time.
HARD = 1024
# Places whose values in float64 are computed first, and pieces that are bounded in it; then as many as time allows.
FIRST_PLACES, FIRST_PIECES = 512, 4
# In a list: how many rays go on, how many wait; these follow.
LIST = 2

Jump: TypeAlias = Callable[[Array, Mapping[str, Array], Array, int, int], Dispatch]


class LayeredPasses:
    """The passes of one casting: `begin` once, then `go_on` until none is left, or `give_up`.

    layered   the network
    casting   a CASTING struct
    arrays    `rays`, `crossings`, `costs`, `states`
    exact     the network in float64, where `casting` says that it is asked
    levels    those of `casting`
    jump      function of (casting, arrays, a list, first, count): the Dispatch that moves these rays of a list on

    Rays are searched in parts of a list of those that are open, each for one or several segments. The list is made anew
    when all parts have had their turn. Rays that wait for a value in float64 stand at its end, until they are enough.
    What a ray's search finds depends on none of this.
    """

    def __init__(
        self,
        layered: Layered,
        casting: np.ndarray,
        arrays: Mapping[str, Array],
        exact: ExactValues,
        levels: HeldLevels,
        jump: Jump | None = None,
    ):
        self._struct = casting
        self._beams: Beams | None = None
        self.layered, self.arrays, self.exact, self.jump = layered, dict(arrays), exact, jump
        self.levels = levels
        self.casting, self._kinds = Array.of(casting, "uniform"), network_kinds(layered.net.shape)
        self.rays = int(casting["rays"].item())
        self.part = min(self.rays, layered.chunk)
        self.lists = [Array("u4", self.rays + LIST) for _ in range(2)]
        self.pieces, self.found = (Array("f4", 8 * max(1, self.part)) for _ in range(2))
        self._going, self._waiting, self._at, self._segments, self._is_begun = self.rays, 0, 0, 0, False
        self._dispatches: dict[tuple, Dispatch] = {}
        # What a segment of one ray takes, in a batch, and a value in float64.
        self._seconds, self._exact_seconds = 0.0, 0.0
        self._together = MOST_SEGMENTS  # fewer where rays soon come to wait, after which segments do nothing

    @property
    def left(self) -> int:
        """How many rays are open, parts of the list that have had their turn apart."""
        return self._going + self._waiting

    def begin(self) -> None:
        """Starts all rays."""
        self._start()
        if self.jump is not None and self.left:
            # Where there is no surface rays end here.
            with device().recording("rays") as encoder:
                self.jump(self.casting, self.arrays, self.lists[0], 0, self.left).record(encoder)
                self._sift(encoder)
            self._swap()

    def by_beams(self) -> Iterator[None]:
        """Takes rays, which are in blocks of 8 x 8 neighbours, as far as bounds do that neighbours share, in parts."""
        if not self.left:
            return
        self._beams = Beams(self.layered, self._struct, self.casting, self.arrays, self.lists)
        yield from self._beams.steps(self.left)
        self._end_beams()

    def _end_beams(self):
        if self._beams is not None:
            self._going, self._waiting, self._at = self._beams.end(), 0, 0
            self._beams = None

    def go_on(self, seconds: float) -> None:
        """Takes open rays further for about so long."""
        if self._at == 0 and self._waiting and self._waiting >= min(self._going, self.part):
            self._answer(seconds)
        else:
            self._search(seconds)

    def _answer(self, seconds):
        """Takes rays that wait further, for about so long, by their values in float64."""
        fewest = FIRST_PIECES if self.exact.has_bounds else FIRST_PLACES
        count = int(seconds / self._exact_seconds) if self._exact_seconds else fewest
        count = min(self._waiting, self.part, max(count, fewest // 4))
        first, begun = self.rays - self._waiting, time.perf_counter()
        with device().recording("rays") as encoder:
            self._prepared("ask", first, count).record(encoder)
        places = self.pieces.read(8 * count).reshape(count, 8)
        self.found.write(self.exact(places, self.levels))
        with device().recording("rays") as encoder:
            self._prepared("answer", first, count).record(encoder)
            if self.exact.has_bounds:
                # Most wait again.
                if self.jump is not None:
                    self.jump(self.casting, self.arrays, self.lists[0], first, count).record(encoder)
                self._sift(encoder)
            else:
                # By way of the other list, since no buffer is copied into itself.
                here, there = (each.buffer for each in self.lists)
                encoder.copy_buffer_to_buffer(here, 4 * (LIST + first), there, 0, 4 * count)
                encoder.copy_buffer_to_buffer(there, 0, here, 4 * (LIST + self._going), 4 * count)
        if self.exact.has_bounds:
            self._swap()
        else:
            self._going, self._waiting = self._going + count, self._waiting - count
            self.lists[0].write([self._going, self._waiting])
        self._exact_seconds = (time.perf_counter() - begun) / count

    def _search(self, seconds):
        rays = self._going - self._at
        segments = 1
        if self._seconds:
            may = seconds / self._seconds
            rays = min(rays, max(self.part, int(may) // self.part * self.part))
            if rays == self._going:
                most = self._turns or self._together
                segments = max(1, int(min(may // rays, most, 1 + self._segments // SHARE)))
        else:
            rays = min(rays, self.part)
        begun = time.perf_counter()
        with device().recording("rays") as encoder:
            for first in range(self._at, self._at + rays, self.part):
                self._advance(encoder, first, min(self.part, self._at + rays - first), segments)
            self._at += rays
            all_had = self._at >= self._going
            if all_had:
                self._sift(encoder)
        if all_had:
            self._swap()
            self._segments += segments
            all_wait = self._waiting >= self._going
            self._together = max(1, segments // 2) if all_wait else min(MOST_SEGMENTS, 2 * self._together)
        else:
            self.lists[0].read(1)
        self._seconds = (time.perf_counter() - begun) / (rays * segments)

    def give_up(self) -> None:
        """Writes of every open ray that it is undecided from where its search stands: no crossing comes before."""
        if not self._is_begun:
            self._start()
        self._end_beams()
        with device().recording("rays") as encoder:
            self._record(encoder, "leave", self.left)

    def _start(self):
        with device().recording("rays") as encoder:
            encoder.clear_buffer(self.lists[1].buffer, 0, 4 * LIST)
            self._record(encoder, "begin", self.rays)
        self._is_begun = True
        self._swap()

    def _swap(self):
        self.lists.reverse()
        self._going, self._waiting, self._at = *map(int, self.lists[0].read(LIST)), 0

    def _sift(self, encoder):
        encoder.clear_buffer(self.lists[1].buffer, 0, 4 * LIST)
        self._record(encoder, "sift", self.left)

    @property
    def _turns(self):
        """Segments of a ray that one kernel may take; 0 before rays are hard, since it compiles for seconds."""
        narrow = self.layered.narrow
        return narrow.turns if narrow is not None and self._segments >= HARD else 0

    def _advance(self, encoder, first, count, segments):
        jump = self.jump and self.jump(self.casting, self.arrays, self.lists[0], first, count)
        if self._turns:
            if jump:
                jump.record(encoder)
            self._prepared("turns", first, count, 1 << (segments.bit_length() - 1)).record(encoder)
            return
        steps = [self._prepared(name, first, count) for name in ("aim", "take")]
        for _ in range(segments):
            if jump:
                jump.record(encoder)
            steps[0].record(encoder)
            self.layered.record(encoder, self.pieces, self.found, count)
            steps[1].record(encoder)

    def _record(self, encoder: Encoder, name: str, count: int) -> None:
        self._prepared(name, 0, count).record(encoder)

    def _prepared(self, name, first, count, turns=0):
        key = name, first, count, turns, id(self.lists[0])
        if key not in self._dispatches:
            # What is not among the last few is forgotten.
            self._dispatches = dict([*self._dispatches.items()][-16:]) | {key: self._dispatch(*key[:4])}
        return self._dispatches[key]

    def _dispatch(self, name, first, count, turns):
        if name == "turns":
            assert self.layered.narrow is not None
            return self.layered.narrow.search(self.casting, self.arrays, self.lists[0], first, count, turns)
        return _kernel(name, self._kinds).prepared(
            workgroups(count), casting=self.casting, part=PART.new(first=first, count=count),
            open=self.lists[0], next=self.lists[1], pieces=self.pieces, found=self.found, **self.arrays,
        )  # fmt: skip


@kept
def _kernel(entry, kinds):
    bindings = (
        *BINDINGS,
        Binding("part", "uniform", PART),
        Binding("open", "read", "array<u32>"),
        Binding("next", "write", "array<atomic<u32>>"),
        Binding("pieces", "write", "array<vec4f>"),
        Binding("found", "read", "array<vec4f>"),
    )
    constants = pace_constants(kinds)
    file = "kernels/rays_exact" if entry in ("ask", "answer") else "kernels/rays_layered"
    return Kernel.of(file, bindings, entry=entry, constants=constants, bounds=PACE)
