"""The first original's picture, to the pixel: lines one pixel wide, no depth, the surface laid over them."""

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.frame import FRAME_BINDING
from engine.draw.lines import LINES, SEGMENT
from engine.draw.surfaces.level_surfaces import LevelSurfaces
from engine.draw.surfaces.sparks import CLASSIC_PATH, SPARKS_BINDING, VERTICES_BINDING, SparkPaths
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct

AXIS_COLOURS = (((1, 0, 0), (1, 0.6, 0)), ((0, 1, 0), (0.6, 1, 0)), ((0, 0, 1), (0, 0.6, 1)))
AXIS_OPACITY = 0.6
# Of the polygon round the region's picture: 24 sides leave 0.6% of it outside the ball's.
CORNERS = 24
OUTLINE = struct("Outline", corners=f"array<vec4f, {CORNERS}>")


class ClassicSurfaces(LevelSurfaces):
    """The original's surface: the first hit of each ray, laid over all that was drawn before it."""

    makes_layers = False
    phase = "under"

    def __init__(self, net, **more):
        super().__init__(net, **more)
        self._outline = None

    def prepare(self, frame, world):
        super().prepare(frame, world)
        self._outline = self._outline or Array(OUTLINE.dtype, 1, "uniform")
        radius = self.region.reach * float(np.linalg.norm(world[:3, :3], 2))
        self._outline.write(OUTLINE.new(corners=outline(frame.camera, world[:3, 3], radius, frame.size)))

    def draw(self, frame, render_pass, world):
        module, bindings = self.module("draw/classic_surfaces", Binding("outline", "uniform", OUTLINE))
        pipeline = Pipeline(module, bindings, Draw((frame.canvas.format,), depth="keep", topology="triangle-strip"))
        pipeline.draw(render_pass, pipeline.bind(outline=self._outline, **self.resources(frame)), CORNERS)


def outline(camera, centre, radius, size):
    """(CORNERS, 4) world points of a polygon, as a triangle strip, that covers a ball's picture and little more.

    Only where it lies are rays cast: the rasteriser leaves the rest out, which a compute kernel would have to visit.
    """
    towards = np.subtract(centre, camera.eye)
    distance = float(np.linalg.norm(towards))
    right, up, forward = camera.right, camera.upward, camera.forward
    if camera.is_orthographic:
        middle, reach = np.asarray(centre), radius
    elif float(towards @ forward) > 1.05 * radius:
        # The circle in which the cone of tangents touches the ball (half angle asin(radius / distance)).
        middle = np.subtract(centre, towards * (radius / distance) ** 2)
        reach = radius * np.sqrt(1.0 - (radius / distance) ** 2)
        forward = towards / distance
        right = np.cross(forward, up) / np.linalg.norm(np.cross(forward, up))
        up = np.cross(right, forward)
    else:
        # From inside, or nearly, the ball may be anywhere: a square that holds the whole picture.
        depth = 2.0 * camera.near
        middle = np.asarray(camera.eye) + forward * depth
        reach = 1.5 * depth * max(camera.half_sizes(size[0] / size[1]))
    # Its sides, not its corners, keep the circle's distance.
    reach = reach * 1.0001 / np.cos(np.pi / CORNERS)
    # Round a convex polygon in the order of a strip: 0, 1, last, 2, last but one ...
    order = [(k + 1) // 2 if k % 2 else (CORNERS - k // 2) % CORNERS for k in range(CORNERS)]
    angle = 2.0 * np.pi * np.array(order) / CORNERS
    points = middle + reach * (np.cos(angle)[:, None] * right + np.sin(angle)[:, None] * up)
    return np.concatenate([points, np.ones((CORNERS, 1))], axis=1)


class ClassicSparks(SparkPaths):
    """The original's sparks: each segment twice, added."""

    phase = "under"

    def __init__(self, net, seeds, **more):
        super().__init__(net, seeds, path=CLASSIC_PATH, **more)

    def draw(self, frame, render_pass, world):
        bindings = (FRAME_BINDING, SPARKS_BINDING, VERTICES_BINDING)
        pipeline = Pipeline(
            compose("draw/classic_sparks", {"bindings": declare(bindings)}),
            bindings,
            Draw((frame.canvas.format,), blend="add", depth="keep", topology="triangle-strip"),
        )
        group = pipeline.bind(frame=frame.uniforms, sparks=self._uniform, vertices=self._paths.array)
        pipeline.draw(render_pass, group, 4, self.segments)


class ClassicAxes(Drawable):
    """The original's axes: 5 long, opacity 0.6, over the sparks and under the surface."""

    phase = "under"

    def __init__(self, length=5.0):
        super().__init__("classic axes")
        data = np.zeros(3, SEGMENT.dtype)
        data["end"][:, :3] = np.eye(3) * length
        for i, (start, end) in enumerate(AXIS_COLOURS):
            data["start_colour"][i], data["end_colour"][i] = (*start, AXIS_OPACITY), (*end, AXIS_OPACITY)
        self._data = data
        self._array = self._node = None

    def prepare(self, frame, world):
        self._array = self._array or Array.of(self._data)
        self._node = self._node or Array(LINES.dtype, 1, "uniform")
        self._node.write(LINES.new(world=world.T, width=1.0, cap=0.0))

    def draw(self, frame, render_pass, world):
        bindings = (FRAME_BINDING, Binding("node", "uniform", LINES), Binding("segments", "read", ("array", SEGMENT)))
        pipeline = Pipeline(
            compose("draw/classic_lines", {"bindings": declare(bindings)}),
            bindings,
            Draw((frame.canvas.format,), blend="over", depth="keep", topology="triangle-strip"),
        )
        group = pipeline.bind(frame=frame.uniforms, node=self._node, segments=self._array)
        pipeline.draw(render_pass, group, 4, 3)
