"""A network's gradients where rays hit its levels: hits are listed, then evaluated part by part."""

from collections.abc import Iterator

from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel, spread
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.field import Field
from engine.kernels.product import VEC4
from engine.kernels.search.casting import Levels
from engine.kernels.search.pace import Pace
from engine.network.mlp import Mlp

# rays: their number; answers, most: crossings and gradients a ray; listed: hits a ray, those behind face the viewer;
# first, count: the part of the list. Where places is not 0, hits are a draft's, see `Draft`. level, spacing: as
# crossings' levels count.
LISTING = struct(
    "Listing", rays="u32", answers="u32", most="u32", listed="u32", first="u32", count="u32", places="u32", level="f32",
    spacing="f32",
)  # fmt: skip
WORKGROUP = 64
# Multiply-adds of the first submission.
WORK = 1 << 26
# Of a draft that would take more seconds, surfaces that lie behind others are not followed.
LONGEST = 0.5


class HitGradients:
    """The gradients of one network at the hits of rays.

    net   an Mlp of three inputs and one output
    """

    def __init__(self, net: Mlp):
        self.field = Field(net, "tangent")
        self._pace = Pace(WORK // (4 * net.weight_count), WORKGROUP)
        self._list, self._total = Array("u4", 1), Array("u4", 1)

    def steps(
        self, rays: Array, crossings: Array, gradients: Array, count: int, answers: int, most: int, levels: Levels,
        *, places: int = 0,
    ) -> Iterator[float]:  # fmt: skip
        """Writes the gradients and moves hits to where they say; waits before it yields the share that is done.

        rays        two vec4f a ray, see `draw.surfaces.crossings`
        crossings   `answers` a ray
        gradients   `most` vec4f a ray: is written where crossings are hits, up to the first that is none
        count       of rays
        levels      that were searched
        places      of a draft along each ray; 0: hits are certain, and stay within their uncertainty. Where a draft
                    would take long, surfaces behind a ray's first few get a gradient along the ray
        """
        self._list = grown(self._list, "u4", count * most)
        given = {
            "rays": count, "answers": answers, "most": most, "places": places,
            "level": levels.level, "spacing": levels.spacing,
        }  # fmt: skip

        def list_hits(listed):
            self._total.write([0])
            _kernel("list").run(
                spread(-(-count // WORKGROUP)), listing=LISTING.new(**given, listed=listed), rays=rays,
                crossings=crossings, list=self._list, total=self._total, gradients=gradients,
            )  # fmt: skip
            return int(self._total.read()[0])

        def follow(first, last):
            with self._pace.timed(last - first):
                listing = LISTING.new(**given, first=first, count=last - first)
                self._record(listing, last - first, rays, crossings, gradients)
                self._total.read()

        listed, hits = most, list_hits(most)
        if places and not self._pace.seconds:
            self._try()
        while places and listed > 1 and hits * self._pace.seconds > LONGEST:
            listed //= 2
            hits = list_hits(listed)
        self.field.expect(hits)
        parts = self.field.parts(hits)
        for first, last in self._pace.parts(hits, parts[0].stop if parts else 0):
            follow(first, last)
            yield last / hits

    def _try(self):
        """Measures how long points take, twice, since the first time compiles."""
        points = Array(VEC4, 4 * self._pace.size)
        for _ in range(2):
            with self._pace.timed(points.count // 4), device().recording() as encoder:
                self.field.record(encoder, points, points.count // 4)
            self._total.read()

    def _record(self, listing, count, rays, crossings, gradients):
        points, groups = Array(VEC4, 4 * count), -(-count // WORKGROUP)
        with device().recording() as encoder:
            _kernel("enter").prepared(
                groups, listing=listing, rays=rays, crossings=crossings, list=self._list, points=points
            ).record(encoder)
            values = self.field.record(encoder, points, count)
            _kernel("leave").prepared(
                groups, listing=listing, rays=rays, list=self._list, values=values, crossings=crossings,
                gradients=gradients,
            ).record(encoder)  # fmt: skip


READ = {name: Binding(name, "read", "array<vec4f>") for name in ("rays", "values")}
CROSSINGS = Binding("crossings", "read", "array<vec4u>")
LIST = Binding("list", "read", "array<u32>")
BINDINGS = {
    "list": (READ["rays"], CROSSINGS, Binding("list", "write", "array<u32>"),
             Binding("total", "write", "array<atomic<u32>, 1>"), Binding("gradients", "write", "array<vec4f>")),
    "enter": (READ["rays"], CROSSINGS, LIST, Binding("points", "write", "array<vec4f>")),
    "leave": (READ["rays"], LIST, READ["values"], Binding("crossings", "write", "array<vec4u>"),
              Binding("gradients", "write", "array<vec4f>")),
}  # fmt: skip


@kept
def _kernel(name: str) -> Kernel:
    return Kernel.of(f"draw/hits_{name}", (Binding("listing", "uniform", LISTING), *BINDINGS[name]))
