"""Round dots with an outline, for flat views: smooth, each whole over the one before."""

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import LUMINANCE
from engine.draw.drawable import Instances
from engine.draw.frame import FRAME
from engine.draw.program import Program
from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.structs import struct

SPOT = struct("Spot", place="vec4f", colour="vec4f", edge="vec4f")
SPOTS = struct("SpotsNode", world="mat4x4f", clip="vec4f", half="f32", rim="f32")
# The luminance (relative, linear) above which a dot's outline is dark.
LIGHT = 0.18


def edge_of(colours: ArrayLike) -> np.ndarray:
    """(..., 3) linear RGB of the outlines of dots: dark round light colours, light round dark ones."""
    light = np.asarray(colours, float) @ LUMINANCE > LIGHT
    return np.repeat(np.where(light, 0.0, 1.0)[..., None], 3, axis=-1)


class Spots(Instances):
    """Spots of constant width in pixels, later ones over earlier ones, without depth.

    A dot's outline is dark round a light colour and light round a dark one, so that dots that touch are told apart, and
    each from a ground of its own colour.

    positions   (N, 3), the node's space
    colours     (3,) or (N, 3), linear RGB
    width       diameter with the outline, pixels in a picture 720 high; `rim`: the outline's width
    clip        (low, high), (2,) each: the rectangle of the node's x and y that dots lie in; None for everywhere

    Raises ShapeError when the arrays do not fit each other.
    """

    phase = "under"
    program = Program("draw/spots", depth="keep", frame=FRAME, node=SPOTS, items=[SPOT])

    def __init__(
        self, positions: ArrayLike = (), colours: ArrayLike = (1.0, 1.0, 1.0), *, width: float = 9.0, rim: float = 1.4,
        clip: tuple[ArrayLike, ArrayLike] | None = None, name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        self.width, self.rim, self.clip = width, rim, clip
        self.set(positions, colours)

    def set(self, positions: ArrayLike, colours: ArrayLike) -> None:
        """Replaces positions and colours."""
        positions = np.asarray(positions, np.float32).reshape(-1, 3)
        items = np.zeros(len(positions), SPOT.dtype)
        try:
            fills = np.broadcast_to(np.asarray(colours, np.float32), positions.shape)
        except ValueError:
            raise ShapeError(
                f"{self.name}: {len(positions)} dots need colours (3,) or (N, 3), not {np.shape(colours)}."
            ) from None
        items["place"][:, :3], items["colour"][:, :3] = positions, fills
        items["edge"][:, :3] = edge_of(fills)
        self.replace(items)

    def node(self, world: np.ndarray) -> Array:
        low, high = ((-1e30, -1e30), (1e30, 1e30)) if self.clip is None else self.clip
        clip = (*np.asarray(low), *np.asarray(high))
        return self.uniform(SPOTS, world=world.T, clip=clip, half=self.width / 2.0, rim=self.rim)
