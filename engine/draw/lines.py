"""Line segments of constant width in pixels."""

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import WHITE
from engine.draw.drawable import Instances
from engine.draw.frame import FRAME
from engine.draw.program import Program
from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.structs import struct

SEGMENT = struct("Segment", start="vec4f", end="vec4f", start_colour="vec4f", end_colour="vec4f")
LINES = struct("LinesNode", world="mat4x4f", width="f32", cap="f32")


PROGRAM, UNDER = (
    Program("draw/lines", depth=depth, frame=FRAME, node=LINES, items=[SEGMENT]) for depth in ("write", "keep")
)


class Lines(Instances):
    """Line segments with correct depth.

    segments   (N, 2, 3), the node's space
    colour     linear RGBA, (4,), (N, 4) or (N, 2, 4); not premultiplied
    width      pixels in a picture 720 pixels high; scaled with the picture's height
    under      True for lines without depth, behind everything that is solid

    Raises ShapeError when the arrays do not fit each other.
    """

    program = PROGRAM

    def __init__(
        self, segments: ArrayLike = (), colour: ArrayLike = WHITE, *, width: float = 1.5, under: bool = False,
        name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        if under:
            self.phase, self.program = "under", UNDER
        self.width = width
        self.set(segments, colour)

    def set(self, segments: ArrayLike, colour: ArrayLike) -> None:
        """Replaces the segments and colours."""
        segments = np.asarray(segments, np.float32).reshape(-1, 2, 3)
        colour = np.asarray(colour, np.float32)
        if colour.ndim == 2:
            colour = colour[:, None]
        try:
            colours = np.broadcast_to(colour, (len(segments), 2, 4))
        except ValueError:
            raise ShapeError(
                f"{self.name}: colours are {colour.shape}, but {len(segments)} segments need (4,), (N, 4) or (N, 2, 4)."
            ) from None
        items = np.zeros(len(segments), SEGMENT.dtype)
        items["start"][:, :3], items["end"][:, :3] = segments[:, 0], segments[:, 1]
        items["start_colour"], items["end_colour"] = colours[:, 0], colours[:, 1]
        self.replace(items)

    def node(self, world: np.ndarray) -> Array:
        return self.uniform(LINES, world=world.T, width=self.width, cap=1.0)
