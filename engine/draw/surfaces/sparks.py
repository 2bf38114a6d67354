"""Sparks: short paths along a network's gradient that light up as a level passes them."""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import PALETTE, palette_array
from engine.draw.drawable import Drawable
from engine.draw.frame import FRAME, LAYERS_TYPE, Frame
from engine.draw.program import Program
from engine.draw.surfaces.level_surfaces import Region
from engine.gpu.passes import RenderPass
from engine.gpu.structs import struct
from engine.kernels import sparks
from engine.kernels.search.progress import Progress
from engine.network.mlp import Mlp

# (vertices of a spark, step between them): as in the original, and twice as fine for sparks that are drawn wide.
CLASSIC_PATH = (10, 0.02)
STUDIO_PATH = (20, 0.0095)
STEPS_A_VERTEX = 20
# Multiply-adds of all paths: some seconds on two cores.
MOST_WORK = 1 << 34

SPARKS = struct(
    "SparksNode",
    world="mat4x4f",
    region="vec4f",  # ball: (radius, -, -, 0); box: (half sizes, 1)
    level="f32",
    spacing="f32",
    single="f32",  # 1: only this level lights sparks
    low="f32",  # values at the two ends of the palette (low, high)
    high="f32",
    vertices="f32",  # number of vertices of a spark
    width="f32",  # pixels in a picture 720 high
    strength="f32",
)
PROGRAM = Program(
    "draw/sparks",
    depth="test",
    frame=FRAME,
    sparks=SPARKS,
    vertices="array<vec4f>",
    layers=LAYERS_TYPE,
    palette=PALETTE,
)


class SparkPaths(Drawable):
    """The base of both kinds of sparks: their paths, traced on the GPU when the network changes.

    net       Mlp with three inputs
    seeds     (N, 3) starting points of the paths, in units of `spread`
    spread    world units; scales positions and steps
    region    Region outside which nothing is drawn
    path      (vertices, step): vertex k starts at the seed and takes 20 steps of length step (k - vertices // 2 + 1)
    level     the level that lights sparks; unless `single`, all levels at multiples of `spacing` from it do
    """

    _paths: sparks.TracedPaths

    def __init__(
        self, net: Mlp, seeds: ArrayLike, *, output: int = 0, path: tuple[int, float] = STUDIO_PATH,
        region: Region | None = None, level: float = 0.0, spacing: float = 1.0, single: bool = False,
        spread: float = 1.0, name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        self.seeds = np.asarray(seeds, float)
        self.path = path
        self.region = region or Region()
        self.level, self.spacing, self.single, self.spread = level, spacing, single, spread
        self._traced: tuple | None = None
        self.show(net, output)

    def show(self, net: Mlp, output: int = 0) -> None:
        """Shows another network, or the same one edited."""
        self.net, self.output = net, output

    @property
    def segments(self) -> int:
        """The number of segments of all paths."""
        return len(self.seeds) * (self.path[0] - 1)

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        if self._traced != (self.net, self.output, self.spread):
            steps = self._steps_a_vertex()
            if self._traced is not None and (self.spread, steps) == (self._traced[2], self._paths.steps):
                self._paths.show(self.net, self.output)
            else:
                vertices, step = self.path
                self._paths = sparks.TracedPaths(
                    self.net, self.seeds * self.spread, vertices=vertices, steps=steps, output=self.output,
                    step=step * self.spread * STEPS_A_VERTEX / steps,
                )  # fmt: skip
            self._traced = self.net, self.output, self.spread
        self._sparks = self.uniform(SPARKS, **self.uniform_values(world))

    def cast(self, frame: Frame, world: np.ndarray) -> Generator[Progress, None, None]:
        # They must not delay a draft.
        if not frame.draft or self._paths.is_tiny:
            for share in self._paths.traced(frame.encoder):
                yield Progress(0, 1, "sparks", share)
                if frame.allowance.is_over:
                    # What is not traced is not drawn.
                    break

    def _steps_a_vertex(self):
        # For a large network the paths take fewer, longer steps, and become a little less exact.
        work = 4 * self.net.weight_count * len(self.seeds) * self.path[0]
        return next((steps for steps in (STEPS_A_VERTEX, 5) if steps * work <= MOST_WORK), 1)

    def uniform_values(self, world: np.ndarray) -> dict[str, Any]:
        """{field of SPARKS: value}."""
        return {
            "world": world.T,
            "region": (*self.region.sizes, float(self.region.kind == "box")),
            "level": self.level,
            "spacing": self.spacing,
            "single": float(self.single),
            "vertices": self.path[0],
        }


class Sparks(SparkPaths):
    """Sparks as light, dimmed by surfaces in front; on the paper theme they darken what is behind them.

    map, theme   colour map of the values
    span         (low, high) values at its ends
    width        pixels in a picture 720 high
    strength     brightness of a lit spark
    """

    phase = "light"

    def __init__(
        self, net: Mlp, seeds: ArrayLike, *, map: str = "viridis", theme: str = "dark",
        span: tuple[float, float] = (-1.0, 1.0), width: float = 1.8, strength: float = 0.85, **more: Any,
    ):  # fmt: skip
        super().__init__(net, seeds, **more)
        self.map, self.theme, self.span, self.width, self.strength = map, theme, span, width, strength

    def uniform_values(self, world: np.ndarray) -> dict[str, Any]:
        low, high = self.span
        own = {"low": low, "high": high, "width": self.width, "strength": self.strength}
        return super().uniform_values(world) | own

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        if not self._paths.is_traced:
            return
        blend = {"paper": "multiply", "clear": "over"}.get(frame.theme.name, "add")
        PROGRAM.draw(
            frame, step, 4, self.segments, blend=blend, constants={"CLEAR": float(frame.theme.is_clear)},
            sparks=self._sparks, vertices=self._paths.array, layers=frame.layers,
            palette=palette_array(self.map, self.theme),
        )  # fmt: skip
