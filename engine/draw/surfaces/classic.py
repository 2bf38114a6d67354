"""The look of the original program of 2016, to the pixel: lines one pixel wide, no depth, the surface over them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.frame import FRAME, Frame
from engine.draw.lines import LINES, SEGMENT, Lines
from engine.draw.program import Program
from engine.draw.surfaces.level_surfaces import LevelSurfaces
from engine.draw.surfaces.sparks import CLASSIC_PATH, SPARKS, SparkPaths
from engine.gpu.passes import RenderPass
from engine.gpu.structs import struct
from engine.network.mlp import Mlp
from engine.view.camera import Camera

AXIS_COLOURS = (((1, 0, 0), (1, 0.6, 0)), ((0, 1, 0), (0.6, 1, 0)), ((0, 0, 1), (0, 0.6, 1)))
AXIS_OPACITY = 0.6
# Of the polygon round the region's picture: 24 sides leave 0.6% of it outside the ball's.
CORNERS = 24
OUTLINE = struct("Outline", corners=f"array<vec4f, {CORNERS}>")
SPARKS_PROGRAM = Program(
    "draw/classic_sparks", blend="add", depth="keep", frame=FRAME, sparks=SPARKS, vertices="array<vec4f>"
)


class ClassicSurfaces(LevelSurfaces):
    """The original's surface: the first hit of each ray, laid over all that was drawn before it."""

    makes_layers = False
    phase = "under"

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        super().prepare(frame, world)
        radius = self.region.reach * float(np.linalg.norm(world[:3, :3], 2))
        self._outline = self.uniform(OUTLINE, corners=outline(frame.camera, world[:3, 3], radius, frame.size))

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        program = self.program("draw/classic_surfaces", depth="keep", outline=OUTLINE)
        program.draw(frame, step, CORNERS, **self.resources(frame), outline=self._outline)


def outline(camera: Camera, centre: np.ndarray, radius: float, size: tuple[int, int]) -> np.ndarray:
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

    def __init__(self, net: Mlp, seeds: ArrayLike, **more: Any):
        super().__init__(net, seeds, path=CLASSIC_PATH, **more)

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        SPARKS_PROGRAM.draw(frame, step, 4, self.segments, sparks=self._sparks, vertices=self._paths.array)


class ClassicAxes(Lines):
    """The original's axes: 5 long, opacity 0.6, over the sparks and under the surface."""

    phase = "under"
    program = Program("draw/classic_lines", depth="keep", frame=FRAME, node=LINES, items=[SEGMENT])

    def __init__(self, length: float = 5.0):
        ends = np.stack([np.zeros((3, 3)), np.eye(3) * length], axis=1)
        colours = [[(*colour, AXIS_OPACITY) for colour in axis] for axis in AXIS_COLOURS]
        super().__init__(ends, colours, name="classic axes")
