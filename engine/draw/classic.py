"""The first original's sparks and axes, to the pixel: lines one pixel wide, no depth, surfaces laid over them."""

import numpy as np

from engine.codegen.bindings import Binding, declare
from engine.codegen.compose import compose
from engine.draw.drawable import Drawable
from engine.draw.frame import FRAME_BINDING
from engine.draw.lines import LINES, SEGMENT
from engine.draw.sparks import CLASSIC_PATH, SPARKS_BINDING, VERTICES_BINDING, SparkPaths
from engine.gpu.array import Array
from engine.gpu.pipeline import Draw, Pipeline

AXIS_COLOURS = (((1, 0, 0), (1, 0.6, 0)), ((0, 1, 0), (0.6, 1, 0)), ((0, 0, 1), (0, 0.6, 1)))
AXIS_OPACITY = 0.6


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
            Draw(("rgba16float",), blend="add", depth="keep", topology="triangle-strip"),
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
            Draw(("rgba16float",), blend="over", depth="keep", topology="triangle-strip"),
        )
        group = pipeline.bind(frame=frame.uniforms, node=self._node, segments=self._array)
        pipeline.draw(render_pass, group, 4, 3)
