"""The level surfaces of a network with three inputs: a certified search skips none and never draws a guess."""

import math
from collections.abc import Generator

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.bounds.ranges import check_bounded
from engine.draw.colour import PALETTE, palette_array
from engine.draw.drawable import Aim, Drawable, Hit
from engine.draw.frame import LAYERS, LAYERS_TYPE, Frame
from engine.draw.node import box_chord, transformed
from engine.draw.surfaces.crossings import SEGMENTS_AT_ONCE, SURFACE, Crossings, Wanted, crossings_of
from engine.draw.surfaces.debug_views import NORMAL_MAP, view_legend, view_number, view_span
from engine.draw.words.legend import Legend
from engine.errors import SettingError, ShapeError
from engine.gpu.bindings import Binding
from engine.gpu.passes import debug_group
from engine.kernels import rays
from engine.kernels.search.casting import Levels
from engine.kernels.search.progress import Progress
from engine.network.mlp import Mlp
from engine.network.parts import observed
from engine.reference.field import value_and_gradient
from engine.view.camera import Camera

# Levels in a network's range up to which a tree of boxes is made. With more, boxes without one are as small as the
# segments that rays are searched in anyway: of 3-16-16-16-1 with 16 levels it takes four times as long as it saves.
FEW = 3
LAYERS_WRITE = Binding("layers", "write", LAYERS_TYPE)


class Region:
    """The region in which a network is shown: a ball or a box round the origin.

    kind   ball or box
    size   the ball's radius, or half the box's side: a number, or (3,) for a box
    """

    def __init__(self, kind: str = "ball", size: ArrayLike = 5.0):
        sizes = np.broadcast_to(np.asarray(size, float), (3,))
        if kind not in ("ball", "box"):
            raise SettingError(f"A region is a ball or a box, not `{kind}`.")
        if not (np.isfinite(sizes).all() and (sizes > 0).all()) or (kind == "ball" and np.ptp(sizes)):
            raise SettingError(
                f"A {kind} cannot have size {np.asarray(size).tolist()}: give a positive number, or three for a box."
            )
        self.kind, self.sizes = kind, sizes

    @property
    def reach(self) -> float:
        """Radius of the smallest ball round the origin that contains it."""
        return float(self.sizes[0] if self.kind == "ball" else np.linalg.norm(self.sizes))

    def points(self, count: int = 24) -> np.ndarray:
        """(N, 3) points spread evenly through the region, its surface included."""
        grid = np.linspace(-1.0, 1.0, count)
        p = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), -1).reshape(-1, 3)
        if self.kind == "ball":
            # Cubic shells are deformed to spheres, which keeps the points evenly spread and reaches the surface.
            most = np.abs(p).max(axis=1, keepdims=True)
            length = np.linalg.norm(p, axis=1, keepdims=True)
            p = np.where(length > 0, p * most / np.maximum(length, 1e-30), 0.0)
        return p * self.sizes

    def chord(self, origin: np.ndarray, direction: np.ndarray) -> tuple[float, float]:
        """(start, length) of the part of a ray inside; length 0 if it misses. `direction` has length 1."""
        if self.kind == "box":
            start, end = box_chord(origin, direction, -self.sizes, self.sizes)
            return start, max(end - start, 0.0)
        b = float(np.dot(origin, direction))
        closest = origin - direction * b
        under = self.sizes[0] ** 2 - float(closest @ closest)
        if under <= 0:
            return 0.0, 0.0
        start = max(-b - under**0.5, 0.0)
        return start, max(-b + under**0.5 - start, 0.0)


class LevelSurfaces(Drawable):
    """The surfaces where the network's output is `level`, or differs from it by a whole number of spacings.

    net       Mlp with three inputs
    output    the number of the output
    level     of the surface; with `single` False every level + k spacing, k whole
    region    Region
    map       colour map of the levels, see draw.colour
    span      (low, high) values at the ends of the map; None takes the network's range in the region
    opacity   of a surface seen straight on, 0 to 1
    surfaces  the most drawn along a ray, front to back, 1 to 8; fewer for networks too large for a software driver
    debug     one of debug_views.VIEWS: "none"; "undecided" (such samples magenta, grazing ones orange); or in place of
              the surfaces the "segments" a ray took, "depth" or "normals" of its first surface, "overdraw" (a count),
              "tree" (the part of a ray that boxes proven empty leave to be searched)

    Raises ShapeError for a network without exactly three inputs or without that output, NetworkError for an activation
    that has no bounds along a ray.
    """

    makes_layers = True
    casts_rays = True
    phase: str | None = None

    def __init__(
        self, net: Mlp, *, output: int = 0, level: float = 0.0, spacing: float = 1.0, single: bool = False,
        region: Region | None = None, map: str = "viridis", theme: str = "dark",
        span: tuple[float, float] | None = None, opacity: float = 0.5, surfaces: int = LAYERS, rim: float = 1.6,
        debug: str = "none", name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        self.level, self.spacing, self.single = level, spacing, single
        self.region = region or Region()
        self.map, self.theme, self.opacity = map, theme, opacity
        self.surfaces, self.rim, self.debug = surfaces, rim, debug
        self._span = span
        self.show(net, output)

    def show(self, net: Mlp, output: int = 0) -> None:
        """Shows another network, or the same one edited; only a new shape compiles anything."""
        if net.inputs != 3:
            raise ShapeError(f"{net} has {net.inputs} inputs; level surfaces in space need a network with 3.")
        if not 0 <= output < net.outputs:
            raise ShapeError(f"{net} has outputs 0 to {net.outputs - 1}; output {output} was asked for.")
        check_bounded(net.shape)
        self.net, self.output = net, int(output)
        # The GPU gets a network with only this output.
        self._crossings: Crossings = crossings_of(observed(net, self.output), getattr(self, "_crossings", None))
        self._found_span: tuple | None = None

    @property
    def span(self) -> tuple[float, float]:
        """(low, high): the values at the ends of the colour map."""
        return self.own_span if self._span is None else self._span

    @span.setter
    def span(self, span: tuple[float, float] | None) -> None:
        self._span = span

    @property
    def own_span(self) -> tuple[float, float]:
        """(low, high): the values at the ends of the colour map where no span is given."""
        low, high = self.sampled
        return (low, high) if high - low >= 1e-12 else (low - 0.5, high + 0.5)

    @property
    def sampled(self) -> tuple[float, float]:
        """(least, most) of the output at the region's `points`."""
        key = (id(self.net), self.output, self.region.kind, tuple(self.region.sizes))
        if self._found_span is None or self._found_span[0] != key:
            values = self.net(self.region.points())[:, self.output]
            self._found_span = (key, (float(values.min()), float(values.max())))
        return self._found_span[1]

    @property
    def proven(self) -> tuple[float, float] | None:
        """(least, most) that the output can be in the region, as the tree of boxes knows; None without a tree."""
        return self._crossings.proven

    @property
    def is_exact(self) -> bool:  # type: ignore[override]  # a class attribute in other nodes
        """True for debug views: their colours are values."""
        return view_number(self.debug) > 0

    @property
    def drafts(self) -> bool:  # type: ignore[override]
        """True for networks whose certain picture takes long."""
        return self._crossings.drafts

    def debug_span(self, camera: Camera, world: np.ndarray) -> tuple[float, float]:
        """(low, high): the values at the two ends of the debug view's colours."""
        eye, stretch = _eye(camera, world)
        return view_span(self.debug, float(np.linalg.norm(eye)) * stretch, self.region.reach * stretch, self._most)

    def debug_legend(self, camera: Camera, world: np.ndarray) -> Legend | None:
        """The Legend of the debug view; None where the surfaces themselves are shown."""
        return view_legend(self.debug, self.map, self.debug_span(camera, world))

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        low, high = self.debug_span(frame.camera, world) if self.is_exact else self.span
        inverse, (eye, stretch) = np.linalg.inv(world), _eye(frame.camera, world)
        normals = np.eye(4)
        normals[:3, :3] = inverse[:3, :3].T
        self._surface = self.uniform(
            SURFACE,
            inverse=inverse.T,
            normals=normals.T,
            region=(*self.region.sizes, float(self.region.kind == "box")),
            level=self.level,
            spacing=self.spacing,
            single=float(self.single),
            low=low,
            high=high,
            reach=self.region.reach,
            nearest=max(0.0, float(np.linalg.norm(eye)) - self.region.reach) * stretch,
            opacity=self.opacity,
            rim=self.rim,
            undecided=float(self.debug == "undecided"),
            most=self._most,
            segments=min(frame.allowance.segments, SEGMENTS_AT_ONCE),
            draft=float(frame.draft and self.drafts),
            answers=self._answers,
            list=frame.list_number,
        )

    def cast(self, frame: Frame, world: np.ndarray) -> Generator[Progress, None, None]:
        rays.check_levels(self.level, self.spacing, 1)
        wanted = Wanted(
            Levels(self.level, self.spacing, self.single), self._answers, self._most, tuple(self.region.sizes.tolist()),
            finest=2.0 ** math.floor(math.log2(_sample_width(frame, world))),
            few=self.is_few, shows_tree=self.debug == "tree",
        )  # fmt: skip
        yield from self._crossings.find(frame, self._surface, wanted, self.name)
        if not self.makes_layers:
            return
        palette = palette_array(*(NORMAL_MAP if self.debug == "normals" else (self.map, self.theme)))
        program = self._crossings.program("draw/level_surfaces", palette=PALETTE, layers=LAYERS_WRITE)
        with debug_group(frame.encoder, self.name):
            program.compute(
                frame, frame.samples, constants={"DEBUG_VIEW": float(view_number(self.debug))}, surface=self._surface,
                counts=frame.counts, palette=palette, layers=frame.layers, **self._crossings.resources(),
            )  # fmt: skip

    @property
    def is_few(self) -> bool:
        """Whether so few levels lie in the region that a tree of boxes is made for them."""
        low, high = self.own_span
        return self.single or high - low <= FEW * self.spacing

    @property
    def _most(self):
        """The most surfaces drawn along a ray."""
        return min(self.surfaces, self._crossings.most)

    @property
    def _answers(self):
        """How many crossings are looked for: one more than are drawn, to count the rays that have more."""
        return min(self._most + 1, self._crossings.searches)

    def enters(self, aim: Aim, world: np.ndarray) -> bool:
        """Whether a ray enters the region."""
        origin, direction, _ = _within(np.linalg.inv(world), aim)
        return self.region.chord(origin, direction)[1] > 0

    def pick(self, aim: Aim, world: np.ndarray) -> Hit | None:
        """The Hit at the first crossing, found by the same search as drawing; value and gradient are float64."""
        inverse = np.linalg.inv(world)
        origin, direction, stretch = _within(inverse, aim)
        start, length = self.region.chord(origin, direction)
        if length <= 0:
            return None
        entry = origin + direction * start
        ray = np.array([*entry, length, *direction, 0.0])
        rays.check_levels(self.level, self.spacing, 1)
        t, outcome, level = self._crossings.first(ray, Levels(self.level, self.spacing, self.single))
        if outcome == rays.MISS:
            return None
        place = entry + direction * t
        values, gradients = value_and_gradient(self.net, place[None])
        return Hit(
            node=self,
            position=tuple(transformed(world, place)),
            distance=(start + t) / stretch,
            value=float(values[0, self.output]),
            gradient=tuple(inverse[:3, :3].T @ gradients[0, self.output]),
            level=self.level + self.spacing * level,
            certain=outcome == rays.HIT,
        )


def _within(inverse, aim):
    """(origin, direction of length 1, its length before that) of an Aim in the node's space."""
    direction = inverse[:3, :3] @ aim.direction
    stretch = float(np.linalg.norm(direction))
    return transformed(inverse, aim.origin), direction / stretch, stretch


def _eye(camera, world):
    """(the camera's eye in the node's space, the length of a unit of the node in the world)."""
    return transformed(np.linalg.inv(world), camera.eye), abs(np.linalg.det(world[:3, :3])) ** (1 / 3)


def _sample_width(frame, world):
    """What a sample of the picture covers at the middle of the region, in units of the node's space."""
    eye, stretch = _eye(frame.camera, world)
    height = 2.0 * frame.camera.half_sizes(frame.size[0] / frame.size[1])[1] / frame.size_samples[1]
    return height / stretch if frame.camera.is_orthographic else height * max(1e-6, float(np.linalg.norm(eye)))
