"""The look of the original program of 2016, exact to the pixel: lines one pixel wide, no depth, the surface on top.

On white, for print, the same is inked: colours by place, stripes by radius and light from above, darker and denser.
"""

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
# Corners of the polygon drawn round the region: with 24, 0.6% of its area lies outside the ball's circle.
CORNERS = 24
OUTLINE = struct("Outline", corners=f"array<vec4f, {CORNERS}>")
SPARKS_PROGRAM = Program(
    "draw/classic_sparks", blend="add", depth="keep", frame=FRAME, sparks=SPARKS, vertices="array<vec4f>"
)


class ClassicSurfaces(LevelSurfaces):
    """The original's surface: the first hit of each ray, drawn over everything before it."""

    makes_layers = False
    phase = "under"

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        super().prepare(frame, world)
        radius = self.region.reach * float(np.linalg.norm(world[:3, :3], 2))
        self._outline = self.uniform(OUTLINE, corners=outline(frame.camera, world[:3, 3], radius, frame.size))

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        self._crossings.program("draw/classic_surfaces", depth="keep", outline=OUTLINE).draw(
            frame, step, CORNERS, constants=_print(frame), surface=self._surface, counts=frame.counts,
            outline=self._outline, **self._crossings.resources(),
        )  # fmt: skip

    @property
    def _most(self):
        return 1

    @property
    def _answers(self):
        return 1


def outline(camera: Camera, centre: np.ndarray, radius: float, size: tuple[int, int]) -> np.ndarray:
    """(CORNERS, 4) world points of a triangle strip: a polygon that covers a ball in the picture, and little more.

    Rays are cast only inside it: the rasteriser skips the other samples, which a compute kernel would have to visit.
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
        # From inside the ball, or nearly, the polygon is large enough for the whole picture.
        depth = 2.0 * camera.near
        middle = np.asarray(camera.eye) + forward * depth
        reach = 1.5 * depth * max(camera.half_sizes(size[0] / size[1]))
    # Not the corners but the sides touch the circle, so that the polygon covers it.
    reach = reach * 1.0001 / np.cos(np.pi / CORNERS)
    # The corners in the order of a triangle strip: 0, 1, last, 2, last but one ...
    order = [(k + 1) // 2 if k % 2 else (CORNERS - k // 2) % CORNERS for k in range(CORNERS)]
    angle = 2.0 * np.pi * np.array(order) / CORNERS
    points = middle + reach * (np.cos(angle)[:, None] * right + np.sin(angle)[:, None] * up)
    return np.concatenate([points, np.ones((CORNERS, 1))], axis=1)


class ClassicSparks(SparkPaths):
    """The original's sparks: each segment is added twice."""

    phase = "under"

    def __init__(self, net: Mlp, seeds: ArrayLike, **more: Any):
        super().__init__(net, seeds, path=CLASSIC_PATH, **more)

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        if self._paths.is_traced:
            # Light cannot be added to white; there they are drawn over it.
            SPARKS_PROGRAM.draw(
                frame, step, 4, self.segments, blend="over" if frame.theme.shade == "paper" else None,
                constants=_print(frame), sparks=self._sparks, vertices=self._paths.array,
            )  # fmt: skip


def _print(frame):
    return {"PAPER": float(frame.theme.shade == "paper")}


class ClassicAxes(Lines):
    """The original's axes: 5 long, opacity 0.6, drawn over the sparks and under the surface."""

    phase = "under"
    program = Program("draw/classic_lines", depth="keep", frame=FRAME, node=LINES, items=[SEGMENT])

    def __init__(self, length: float = 5.0):
        ends = np.stack([np.zeros((3, 3)), np.eye(3) * length], axis=1)
        colours = [[(*colour, AXIS_OPACITY) for colour in axis] for axis in AXIS_COLOURS]
        super().__init__(ends, colours, name="classic axes")
