"""Line segments of constant width in pixels."""

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.frame import FRAME_BINDING
from engine.errors import ShapeError
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct

SEGMENT = struct("Segment", start="vec4f", end="vec4f", start_colour="vec4f", end_colour="vec4f")
LINES = struct("LinesNode", world="mat4x4f", width="f32", cap="f32")


class Lines(Drawable):
    """Segments in correct depth with everything else.

    segments   (N, 2, 3), the node's space
    colour     linear RGBA, (4,), (N, 4) or (N, 2, 4); not premultiplied
    width      pixels in a picture 720 pixels high; it grows with the picture

    Raises ShapeError when the arrays do not fit each other.
    """

    def __init__(self, segments=(), colour=(1.0, 1.0, 1.0, 1.0), *, width=1.5, name=None):
        super().__init__(name)
        self.width = width
        self._fresh = False
        self._array = self._node = None
        self.set(segments, colour)

    def set(self, segments, colour):
        """Replaces the segments and colours."""
        segments = np.asarray(segments, np.float32).reshape(-1, 2, 3) if np.size(segments) else np.zeros((0, 2, 3))
        colour = np.asarray(colour, np.float32)
        if colour.ndim == 2:
            colour = colour[:, None]
        try:
            colours = np.broadcast_to(colour, (len(segments), 2, 4))
        except ValueError:
            raise ShapeError(
                f"{self.name}: colours are {colour.shape}, but {len(segments)} segments need (4,), (N, 4) or (N, 2, 4)."
            ) from None
        data = np.zeros(len(segments), SEGMENT.dtype)
        data["start"][:, :3], data["end"][:, :3] = segments[:, 0], segments[:, 1]
        data["start_colour"], data["end_colour"] = colours[:, 0], colours[:, 1]
        self.data = data
        self._fresh = False

    def pipeline(self, frame):
        bindings = (FRAME_BINDING, Binding("node", "uniform", LINES), Binding("segments", "read", ("array", SEGMENT)))
        module = compose("draw/lines", {"bindings": declare(bindings)})
        return Pipeline(module, bindings, Draw((frame.canvas.format,), depth="write", topology="triangle-strip"))

    def prepare(self, frame, world):
        if not self._fresh:
            self._array = grown(self._array, SEGMENT.dtype, len(self.data))
            self._array.write(self.data)
            self._fresh = True
        self._node = self._node or Array(LINES.dtype, 1, "uniform")
        self._node.write(LINES.new(world=world.T, width=self.width, cap=1.0))

    def draw(self, frame, render_pass, world):
        if len(self.data):
            pipeline = self.pipeline(frame)
            group = pipeline.bind(frame=frame.uniforms, node=self._node, segments=self._array)
            pipeline.draw(render_pass, group, 4, len(self.data))
