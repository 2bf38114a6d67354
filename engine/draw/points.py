"""Round points of constant width in pixels."""

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.frame import FRAME_BINDING
from engine.errors import ShapeError
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct

POINT = struct("Point", place="vec4f", colour="vec4f")
POINTS = struct("PointsNode", world="mat4x4f")


class Points(Drawable):
    """Spots in correct depth with everything else.

    positions   (N, 3), the node's space
    colour      linear RGBA, (4,) or (N, 4); not premultiplied
    width       diameter, a number or (N,): pixels in a picture 720 pixels high

    Raises ShapeError when the arrays do not fit each other.
    """

    def __init__(self, positions=(), colour=(1.0, 1.0, 1.0, 1.0), *, width=6.0, name=None):
        super().__init__(name)
        self._fresh = False
        self._array = self._node = None
        self.set(positions, colour, width)

    def set(self, positions, colour, width):
        """Replaces positions, colours and widths."""
        positions = np.asarray(positions, np.float32).reshape(-1, 3) if np.size(positions) else np.zeros((0, 3))
        data = np.zeros(len(positions), POINT.dtype)
        try:
            data["place"][:, :3], data["place"][:, 3] = positions, width
            data["colour"] = colour
        except ValueError:
            raise ShapeError(
                f"{self.name}: {len(positions)} points need colours (4,) or (N, 4) and one width or (N,), "
                f"but they are {np.shape(colour)} and {np.shape(width)}."
            ) from None
        self.data = data
        self._fresh = False

    def pipeline(self, frame):
        bindings = (FRAME_BINDING, Binding("node", "uniform", POINTS), Binding("points", "read", ("array", POINT)))
        module = compose("draw/points", {"bindings": declare(bindings)})
        return Pipeline(module, bindings, Draw((frame.canvas.format,), depth="write", topology="triangle-strip"))

    def prepare(self, frame, world):
        if not self._fresh:
            self._array = grown(self._array, POINT.dtype, len(self.data))
            self._array.write(self.data)
            self._fresh = True
        self._node = self._node or Array(POINTS.dtype, 1, "uniform")
        self._node.write(POINTS.new(world=world.T))

    def draw(self, frame, render_pass, world):
        if len(self.data):
            pipeline = self.pipeline(frame)
            group = pipeline.bind(frame=frame.uniforms, node=self._node, points=self._array)
            pipeline.draw(render_pass, group, 4, len(self.data))
