"""A draft of where rays cross a network's levels: the network at fixed places along each ray, with no certainty."""

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

    def steps(
        self, rays: Array, crossings: Array, costs: Array, count: int, answers: int,
        level: float, spacing: float, single: bool,
    ) -> Iterator[int]:  # fmt: skip
        """Writes the crossings of `count` rays, part by part; waits before it yields how many rays are done.

        rays        two vec4f a ray, see `draw.surfaces.crossings`
        crossings   gets `answers` a ray; costs, two u32
        """

        def draw(first, last):
            part = last - first
            with self._pace.timed(part):
                self._points = grown(self._points, VEC4, part * self.places)
                drafting = DRAFTING.new(
                    first=first, count=part, places=self.places, answers=answers, single=int(single), level=level,
                    spacing=spacing,
                )  # fmt: skip
                with device().recording("draft") as encoder:
                    self._record(encoder, part, drafting, rays, crossings, costs)
                costs.read(1)

        if not self._pace.seconds:
            for _ in range(2):  # the first compiles
                draw(0, min(count, self._pace.size))
        seconds, self.places = self._pace.seconds / self.places, PLACES
        while self.places > LEAST_PLACES and self.places * count * seconds > LONGEST:
            self.places //= 2
        parts = self.field.parts(count * self.places)
        for first, last in self._pace.parts(count, parts[0].stop // self.places):
            draw(first, last)
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
