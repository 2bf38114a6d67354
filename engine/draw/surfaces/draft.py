"""A draft of where rays cross a network's levels: the network at fixed places along each ray, with no certainty."""

import time
from collections.abc import Iterator

from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.field import Field
from engine.kernels.product import VEC4
from engine.kernels.search.pace import Pace
from engine.network.mlp import Mlp

# Of a ray: surfaces closer together than the gap between two are missed. Fewer, down to the least, where a draft would
# take longer than so many seconds.
PLACES, LEAST_PLACES, LONGEST = 48, 12, 0.5
# Multiply-adds of the first submission.
WORK = 1 << 27
WORKGROUP = 64
DRAFTING = struct(
    "Drafting", first="u32", count="u32", places="u32", answers="u32", single="u32", level="f32", spacing="f32"
)
READ = {name: Binding(name, "read", "array<vec4f>") for name in ("rays", "values")}
BINDINGS = {
    "points": (READ["rays"], Binding("points", "write", "array<vec4f>")),
    "crossings": (
        READ["rays"], READ["values"], Binding("crossings", "write", "array<vec4u>"),
        Binding("costs", "write", "array<vec2u>"),
    ),
}  # fmt: skip


class Draft:
    """Drafts the crossings of rays with one network's levels.

    net   an Mlp of three inputs and one output
    """

    def __init__(self, net: Mlp):
        self.field = Field(net, "batched")
        self._pace = Pace(WORK // (net.weight_count * PLACES), 16)
        self._points = Array(VEC4, 1)
        self.places = PLACES
        # Of one place of one ray, as last measured.
        self._seconds = 0.0

    def steps(
        self, rays: Array, crossings: Array, costs: Array, count: int, answers: int,
        level: float, spacing: float, single: bool,
    ) -> Iterator[int]:  # fmt: skip
        """Writes the crossings of `count` rays, part by part; waits before it yields how many rays are done.

        rays        two vec4f a ray, see `draw.surfaces.crossings`
        crossings   gets `answers` a ray; costs, two u32
        """
        self.places = PLACES
        while self.places > LEAST_PLACES and self.places * count * self._seconds > LONGEST:
            self.places //= 2
        parts = self.field.parts(count * self.places)
        most = parts[0].stop // self.places
        for first, last in self._pace.parts(count, most):
            begun = time.perf_counter()
            with self._pace.timed(last - first):
                part = last - first
                self._points = grown(self._points, VEC4, part * self.places)
                drafting = DRAFTING.new(
                    first=first, count=part, places=self.places, answers=answers, single=int(single), level=level,
                    spacing=spacing,
                )  # fmt: skip
                with device().recording("draft") as encoder:
                    self._record(encoder, part, drafting, rays, crossings, costs)
                costs.read(1)
            self._seconds = (time.perf_counter() - begun) / (part * self.places)
            yield last

    def _record(self, encoder, part, drafting, rays, crossings, costs):
        _kernel("points").prepared(
            -(-part * self.places // WORKGROUP), drafting=drafting, rays=rays, points=self._points
        ).record(encoder)
        values = self.field.record(encoder, self._points, part * self.places)
        _kernel("crossings").prepared(
            -(-part // WORKGROUP), drafting=drafting, rays=rays, values=values, crossings=crossings, costs=costs
        ).record(encoder)


@kept
def _kernel(name: str) -> Kernel:
    return Kernel.of(f"draw/draft_{name}", (Binding("drafting", "uniform", DRAFTING), *BINDINGS[name]))
