"""Where the rays of a tile's samples cross a network's levels, and its gradients there: what surfaces are drawn from.

Tiny networks are searched and shaded in one kernel (`SearchedCrossings`), which no way through memory is as fast as.
All others are cast by passes over arrays (`StoredCrossings`), so that only these passes depend on a network's shape.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.codegen.bounds.budget import SURFACES, is_shallow
from engine.codegen.mlp.arithmetics import DUAL
from engine.codegen.mlp.body import is_written_out
from engine.codegen.mlp.layout import upload, weights_binding
from engine.draw.frame import FRAME, Frame
from engine.draw.program import Program
from engine.draw.surfaces.draft import Draft
from engine.draw.surfaces.hit_gradients import HitGradients
from engine.draw.surfaces.passed import Passed
from engine.errors import NetworkError
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.passes import debug_group
from engine.gpu.structs import Struct, struct
from engine.kept import kept
from engine.kernels.product import VEC4
from engine.kernels.rays import CROSSING
from engine.kernels.search.arrays import workgroups
from engine.kernels.search.budget import Budget
from engine.kernels.search.casting import Casting, Levels
from engine.kernels.search.fused import search_modules
from engine.kernels.search.progress import Progress
from engine.kernels.tree.skip import BINDINGS, uniform
from engine.kernels.tree.tree import FAR, Tree
from engine.network.mlp import Mlp, Shape

SURFACE = struct(
    "Surface",
    inverse="mat4x4f",  # world to the node's space
    normals="mat4x4f",  # gradients in the node's space to the world
    region="vec4f",  # ball: (radius, -, -, 0); box: (half sizes, 1)
    level="f32",
    spacing="f32",
    single="f32",  # 1: only this level
    low="f32",  # values at the two ends of the palette (low, high)
    high="f32",
    reach="f32",  # the region's radius
    nearest="f32",  # distance from the eye to the region
    opacity="f32",
    rim="f32",  # width of the surfaces' rim at the region's edge, pixels in a picture 720 high
    undecided="f32",  # 1: undecided and grazing samples have colours of their own
    most="f32",  # the most surfaces drawn along a ray
    segments="f32",  # the most to an answer, where a search is not apart from the drawing
    draft="f32",  # 1: nothing that is found is certain
    answers="f32",  # of the search along a ray: one more where there is room, to tell whether those are all
    list="f32",
)
# Bindings of what draws surfaces; and those of what reads stored crossings.
DRAWS: dict[str, Any] = {
    "frame": FRAME,
    "surface": SURFACE,
    "counts": Binding("counts", "write", "array<atomic<u32>, 5>"),
}
READ: dict[str, Any] = {
    "crossings": Binding("crossings", "read", "array<vec4u>"),
    "gradients": Binding("gradients", "read", "array<vec4f>"),
    "costs": Binding("costs", "read", "array<vec2u>"),
}
# A pick does not keep a person waiting, nor the picture that follows.
PICK = Budget(segments=1024, seconds=1.0)
# The most segments to an answer in a kernel that also shades: nothing can stop it, and llvmpipe ends loops after 65,535
# turns of an invocation, of all its answers.
SEGMENTS_AT_ONCE = 1024
# About the share of a picture's time until the tree is made, if one is, and until all rays are decided.
BOXES, RAYS_SHARE = 0.4, 0.88
# So many times the region's reach is no more than a ray's entry and its length together, with room for rounding.
REACH = 4.0
RAYS = Program(
    "draw/surface_rays", frame=FRAME, surface=SURFACE, rays=Binding("rays", "write", "array<vec4f>"),
    crossings=Binding("crossings", "write", "array<vec4u>"), costs=Binding("costs", "write", "array<vec2u>"),
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What is to be found along rays.

    levels          which values are surfaces
    answers, most   as in SURFACE
    half            half sizes of a box round the origin that holds the region
    finest          the sides of the smallest boxes that a tree may have
    few             whether levels are so few that boxes without one are to be expected
    shows_tree      whether what a tree leaves of each ray is shown
    """

    levels: Levels
    answers: int
    most: int
    half: tuple[float, ...]
    finest: float
    few: bool
    shows_tree: bool = False


class Crossings:
    """Where rays cross the levels of one node's network.

    most        how many surfaces along a ray can be found
    searches    how many answers a ray may be asked for
    drafts      whether frame.draft makes them sooner, and uncertain
    """

    drafts = False

    def __init__(self, net: Mlp):
        self._weights: Array | None = None
        self._pick: tuple[Casting, Array, Array] | None = None
        self.show(net)

    def show(self, net: Mlp) -> None:
        """Takes another network of the same shape; compiles nothing."""
        self.net, self._is_uploaded = net, False
        if self._pick is not None:
            self._pick[0].show(net)
        self.most, self.searches = SURFACES, SURFACES + 1

    @property
    def weights(self) -> Array:
        """The network's weights on the GPU."""
        if not self._is_uploaded or self._weights is None:
            self._weights, self._is_uploaded = upload(self.net, self._weights), True
        return self._weights

    def first(self, ray: np.ndarray, levels: Levels) -> tuple[float, int, float]:
        """(t, outcome, level) of one ray's first crossing; waits.

        ray   (8,): where it begins, its length, its direction, 0
        """
        if self._pick is None:
            # Not what pictures are cast with, since one may be half done.
            self._pick = Casting(self.net), Array("f4", 8), Array(CROSSING, 1)
        casting, given, crossing = self._pick
        given.write(ray)
        # Of neighbours the same: what is known of rounding is computed once for them.
        reach = 2.0 ** np.ceil(np.log2(np.linalg.norm(ray[:3]) + np.linalg.norm(ray[4:7]) * ray[3] + 1e-30))
        for _ in casting.steps(given, 1, levels, crossing, surfaces=1, budget=PICK, reach=float(reach)):
            pass
        found = crossing.read()[0]
        return float(found["t"]), int(found["kind"]) & 3, float(found["level"])

    @property
    def proven(self) -> tuple[float, float] | None:
        """(least, most) that the output can be in the region, where that is known."""
        return None

    def program(self, name: str, depth: str | None = None, **more: str | Struct | Binding) -> Program:
        """The Program of a file that draws what is found; its bindings are `frame`, `surface`, `counts`, those that
        `resources` gives, and `more`."""
        raise NotImplementedError

    def resources(self) -> dict[str, Any]:
        """The arrays that the program reads crossings from."""
        raise NotImplementedError

    def find(self, frame: Frame, surface: Array, wanted: Wanted, name: str) -> Generator[Progress, None, None]:
        """Finds what can be found of a tile's rays before they are shaded.

        surface   the uniform of a SURFACE
        name      of the node, for frame debuggers
        """
        raise NotImplementedError


class SearchedCrossings(Crossings):
    """Crossings of a tiny network, searched by the kernel that shades them."""

    def program(self, name: str, depth: str | None = None, **more: str | Struct | Binding) -> Program:
        return _searching(self.net.shape, name, depth, tuple(more.items()))

    def resources(self) -> dict[str, Any]:
        return {"weights": self.weights}

    def find(self, frame: Frame, surface: Array, wanted: Wanted, name: str) -> Generator[Progress, None, None]:
        self.resources()
        yield from ()


class StoredCrossings(Crossings):
    """Crossings in arrays, which are used again for each tile; rays are in the order of `draw/surface_ray`.

    rays        two vec4f a ray: where it enters the region and the length of its part there; its direction
    crossings   `answers` a ray, see engine.kernels.search.casting
    gradients   `most` vec4f a ray: the network's gradient at each hit
    costs       a vec2u a ray: segments, evaluations
    """

    drafts = True

    def __init__(self, net: Mlp):
        self.rays, self.crossings, self.gradients = (Array(VEC4, 1) for _ in range(3))
        self.costs = Array("u4", 2)
        self._hits: HitGradients | None = None
        self._draft: Draft | None = None
        self._casting: Casting | None = None
        self._tree: Tree | None = None
        self._need: tuple | None = None
        super().__init__(net)

    def show(self, net: Mlp) -> None:
        if self._casting is not None and self.net.equals(net):
            return
        super().show(net)
        self._tree, self._need = None, None
        if self._casting is not None:
            self._casting.show(net)
        for part in (self._hits, self._draft):
            if part is not None:
                part.field.show(net)

    @property
    def proven(self) -> tuple[float, float] | None:
        if self._tree is None:
            return None
        leaves = self._tree.nodes[self._tree.leaves()]
        least, most = float(leaves["least"].min()), float(leaves["most"].max())
        return (least, most) if -FAR < least <= most < FAR else None

    def program(self, name: str, depth: str | None = None, **more: str | Struct | Binding) -> Program:
        return _reading(name, depth, tuple(more.items()))

    def resources(self) -> dict[str, Any]:
        return {"crossings": self.crossings, "gradients": self.gradients, "costs": self.costs}

    def find(self, frame: Frame, surface: Array, wanted: Wanted, name: str) -> Generator[Progress, None, None]:
        count, levels, answers, most = ray_count(frame), wanted.levels, wanted.answers, wanted.most
        self.rays = grown(self.rays, VEC4, 2 * count)
        self.crossings = grown(self.crossings, VEC4, answers * count)
        self.gradients = grown(self.gradients, VEC4, most * count)
        self.costs = grown(self.costs, "u4", 2 * count)
        with debug_group(frame.encoder, name):
            RAYS.compute(
                frame, frame.samples, surface=surface, rays=self.rays, crossings=self.crossings, costs=self.costs
            )
        device().submit(frame.encoder)
        places = 0
        if frame.draft:
            self._draft = self._draft or Draft(self.net)
            drafting = self._draft.steps(
                self.rays, self.crossings, self.costs, count, answers,
                single=levels.single, level=levels.level, spacing=levels.spacing,
            )  # fmt: skip
            for done in drafting:
                yield Progress(done, count)
            places = self._draft.places
        elif not frame.allowance.is_over:
            begun = yield from self._refine(frame, wanted, count)
            self._casting = self._casting or Casting(self.net)
            steps = self._casting.steps(
                self.rays, count, levels, self.crossings, self.costs, surfaces=answers,
                budget=frame.allowance.share(count), tree=self._tree, reach=REACH * float(np.linalg.norm(wanted.half)),
                beams=True,
            )  # fmt: skip
            passed = Passed(self.rays, count, answers)
            for progress in steps:
                share = begun + (RAYS_SHARE - begun) * passed.share(self._casting.states)
                yield replace(progress, done=share)
                if frame.allowance.is_over:
                    steps.close()
                    self._casting.give_up()
                    break
        if wanted.shows_tree:
            self._show_tree(wanted, count)
        self._hits = self._hits or HitGradients(self.net)
        for part in self._hits.steps(
            self.rays, self.crossings, self.gradients, count, answers, most, levels, places=places
        ):
            yield Progress(count, count, "normals", RAYS_SHARE + (1 - RAYS_SHARE) * part)
        frame.encoder = device().encoder("surfaces")

    def _refine(self, frame, wanted, count):
        """Makes the tree of boxes, as far as the picture's rays make it worth while; none where levels are many.

        It depends on the network, what is wanted and the picture's size alone, so that what was drawn before shows in
        no bit: where a ray's search stops and goes on differs with the boxes, and so does rounding. Returns about the
        share of the picture's time that is over.
        """
        rays, allowance = frame.size_samples[0] * frame.size_samples[1], frame.allowance
        segments = 0.5 * allowance.segments * rays
        need = (wanted.levels, wanted.half, wanted.finest, rays, allowance.is_timed, segments) if wanted.few else None
        if self._need == need:
            return 0.0
        self._need, self._tree = need, None
        if need is None:
            return 0.0
        try:
            tree = Tree(self.net, wanted.half)
        except NetworkError:
            return 0.0  # Some networks are bounded along rays, but not over boxes.
        self._need = None
        begun = 0.0
        for growth in tree.refine(wanted.levels, wanted.finest, rays=rays):
            # How fine it will be is not known; space is proven ever more slowly.
            taken = growth.spent / min(segments, tree.worth(rays))
            begun = max(begun, BOXES * max(1 - growth.open**0.5, min(taken, 1.0)))
            yield Progress(0, count, "boxes", begun)
            if allowance.is_half_over or growth.spent > segments:
                # Rays must be searched too, and a tree is right however far it was refined.
                break
        if not allowance.is_over:
            # One box alone is passed by no ray: then networks that are followed in float64 are so from the start.
            self._need, self._tree = need, tree if len(tree.nodes) > 1 else None
        return begun

    def _show_tree(self, wanted, count):
        """Writes the part of each ray that the tree leaves in place of its evaluations; all of it without a tree."""
        if self._tree is None:
            whole = np.zeros((count, 2), np.float32)
            whole[:, 1] = 1.0
            self.costs.write(whole.view(np.uint32).reshape(-1))
            return
        _tree_left().run(
            workgroups(count), tree=uniform(self._tree, wanted.levels, rays=count), nodes=self._tree.array(),
            rays=self.rays, costs=self.costs,
        )  # fmt: skip


def crossings_of(net: Mlp, before: Crossings | None) -> Crossings:
    """The Crossings of a network: those there were, if they can show it."""
    if before is not None and before.net.shape == net.shape:
        before.show(net)
        return before
    tiny = is_shallow(net.shape) and is_written_out(net.shape)
    return SearchedCrossings(net) if tiny else StoredCrossings(net)


def ray_count(frame: Frame) -> int:
    """The rays of a frame's tile in arrays: 64 for each workgroup of 8 x 8 samples, those beside the tile included."""
    across, down = (-(-n // 8) for n in frame.samples)
    return 64 * across * down


@kept
def _tree_left() -> Kernel:
    arrays = Binding("rays", "read", "array<vec4f>"), Binding("costs", "write", "array<vec2u>")
    return Kernel.of("draw/tree_left", (*BINDINGS, *arrays))


@kept
def _searching(shape: Shape, name: str, depth: str | None, more: tuple) -> Program:
    generated = {"crossings": "#import draw/crossings_searched\n", **search_modules(shape, DUAL)}
    return Program(name, depth=depth, generated=generated, **DRAWS, weights=weights_binding(shape), **dict(more))


@kept
def _reading(name: str, depth: str | None, more: tuple) -> Program:
    generated = {"crossings": "#import draw/crossings_stored\n"}
    return Program(name, depth=depth, generated=generated, **DRAWS, **READ, **dict(more))
