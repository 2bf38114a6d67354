"""Sparks: short paths along a network's gradient that light up as a level passes them."""

import numpy as np

from engine.draw.colour import STEPS, palette_array
from engine.draw.drawable import Drawable
from engine.draw.frame import FRAME_BINDING, LAYERS_READ
from engine.draw.surfaces.level_surfaces import Region
from engine.errors import SettingError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct
from engine.kernels import sparks

# Vertices of a spark and the step between them: the original's, and twice as fine for curves that are drawn wide.
CLASSIC_PATH = (10, 0.02)
STUDIO_PATH = (20, 0.0095)
STEPS_A_VERTEX = 20

SPARKS = struct(
    "SparksNode",
    world="mat4x4f",
    region="vec4f",  # ball: (radius, -, -, 0); box: (half sizes, 1)
    level="f32",
    spacing="f32",
    single="f32",  # 1: only this level lights them
    low="f32",  # values at the two ends of the palette
    high="f32",
    vertices="f32",  # of one spark
    width="f32",  # pixels in a picture 720 high
    strength="f32",
)
SPARKS_BINDING = Binding("sparks", "uniform", SPARKS)
VERTICES_BINDING = Binding("vertices", "read", "array<vec4f>")


class SparkPaths(Drawable):
    """What both kinds of sparks share: the paths, traced on the GPU when the network changes.

    net       Mlp with three inputs
    seeds     (N, 3) where the paths begin, in units of `spread`
    spread    world units; positions and steps grow with it
    region    Region; what lies outside is not drawn
    path      (vertices, step): vertex k starts at the seed and takes 20 steps of length step (k - vertices // 2 + 1)
    level     that lights them, and every level a `spacing` apart unless `single`
    """

    def __init__(
        self, net, seeds, *, output=0, path=STUDIO_PATH, region=None, level=0.0, spacing=1.0, single=False, spread=1.0,
        name=None,
    ):  # fmt: skip
        super().__init__(name)
        self.seeds = np.asarray(seeds, float)
        self.path = path
        self.region = region or Region()
        self.level, self.spacing, self.single, self.spread = level, spacing, single, spread
        self._traced, self._paths, self._uniform, self._spread = None, None, None, None
        self.show(net, output)

    def show(self, net, output=0):
        """Takes another network, or the same one edited."""
        self.net, self.output = net, output

    @property
    def segments(self):
        return len(self.seeds) * (self.path[0] - 1)

    def prepare(self, frame, world):
        if self._paths is None or self._spread != self.spread:
            self._paths, self._spread, self._traced = self._new_paths(), self.spread, (self.net, self.output)
        elif self._traced[0] is not self.net or self._traced[1] != self.output:
            # Paths that were cut short for a large network are of no use to the next.
            if self._paths.steps < STEPS_A_VERTEX or not self._shown():
                self._paths = self._new_paths()
            self._traced = (self.net, self.output)
        self._paths.record(frame.encoder)
        self._uniform = self._uniform or Array(SPARKS.dtype, 1, "uniform")
        self._uniform.write(SPARKS.new(**self.uniform_values(world)))

    def _shown(self):
        # Whether the paths there are can take the network.
        try:
            self._paths.show(self.net, self.output)
        except SettingError:
            return False
        return True

    def _new_paths(self):
        vertices, step = self.path
        seeds = self.seeds * self.spread
        # A very large network allows fewer steps in one run: they are then longer, and the paths a little straighter.
        for steps in (STEPS_A_VERTEX, 5, 1):
            length = step * self.spread * STEPS_A_VERTEX / steps
            try:
                return sparks.TracedPaths(
                    self.net, seeds, vertices=vertices, steps=steps, step=length, output=self.output
                )
            except SettingError:
                if steps == 1:
                    raise

    def uniform_values(self, world):
        return {
            "world": world.T,
            "region": (*self.region.sizes, float(self.region.kind == "box")),
            "level": self.level,
            "spacing": self.spacing,
            "single": float(self.single),
            "vertices": self.path[0],
        }


class Sparks(SparkPaths):
    """Sparks as light that sheets in front dim; as ink on the paper theme.

    map, theme   colour map of the values
    span         (low, high) values at its ends
    width        pixels in a picture 720 high
    strength     brightness of a lit spark
    """

    phase = "light"

    def __init__(self, net, seeds, *, map="viridis", theme="dark", span=(-1.0, 1.0), width=1.8, strength=0.85, **more):
        self.map, self.theme, self.span, self.width, self.strength = map, theme, span, width, strength
        super().__init__(net, seeds, **more)

    def uniform_values(self, world):
        low, high = self.span
        own = {"low": low, "high": high, "width": self.width, "strength": self.strength}
        return super().uniform_values(world) | own

    def draw(self, frame, render_pass, world):
        bindings = (
            FRAME_BINDING,
            SPARKS_BINDING,
            VERTICES_BINDING,
            LAYERS_READ,
            Binding("palette", "uniform", f"array<vec4f, {STEPS}>"),
        )
        blend = "multiply" if frame.theme.name == "paper" else "add"
        pipeline = Pipeline(
            compose("draw/sparks", {"bindings": declare(bindings)}),
            bindings,
            Draw((frame.canvas.format,), blend=blend, depth="test", topology="triangle-strip"),
        )
        group = pipeline.bind(
            frame=frame.uniforms,
            sparks=self._uniform,
            vertices=self._paths.array,
            layers=frame.layers,
            palette=palette_array(self.map, self.theme),
        )
        pipeline.draw(render_pass, group, 4, self.segments)
