"""Round points of constant width in pixels."""

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import WHITE
from engine.draw.drawable import Instances
from engine.draw.frame import FRAME
from engine.draw.program import Program
from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.structs import struct

POINT = struct("Point", place="vec4f", colour="vec4f")
POINTS = struct("PointsNode", world="mat4x4f")


class Points(Instances):
    """Round points with correct depth.

    positions   (N, 3), the node's space
    colour      linear RGBA, (4,) or (N, 4); not premultiplied
    width       diameter, a number or (N,): pixels in a picture 720 pixels high

    Raises ShapeError when the arrays do not fit each other.
    """

    program = Program("draw/points", depth="write", frame=FRAME, node=POINTS, items=[POINT])

    def __init__(
        self, positions: ArrayLike = (), colour: ArrayLike = WHITE, *, width: ArrayLike = 6.0, name: str | None = None
    ):
        super().__init__(name)
        self.set(positions, colour, width)

    def set(self, positions: ArrayLike, colour: ArrayLike, width: ArrayLike) -> None:
        """Replaces positions, colours and widths."""
        positions = np.asarray(positions, np.float32).reshape(-1, 3)
        items = np.zeros(len(positions), POINT.dtype)
        try:
            items["place"][:, :3], items["place"][:, 3] = positions, width
            items["colour"] = colour
        except ValueError:
            raise ShapeError(
                f"{self.name}: {len(positions)} points need colours (4,) or (N, 4) and one width or (N,), "
                f"but they are {np.shape(colour)} and {np.shape(width)}."
            ) from None
        self.replace(items)

    def node(self, world: np.ndarray) -> Array:
        return self.uniform(POINTS, world=world.T)
