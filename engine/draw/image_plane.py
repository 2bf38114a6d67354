"""An image on a rectangle in space, such as the photo that a network is given."""

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.drawable import Aim, Drawable, Hit
from engine.draw.frame import FRAME, Frame
from engine.draw.program import Program
from engine.errors import ShapeError
from engine.gpu.passes import RenderPass
from engine.gpu.structs import struct
from engine.gpu.texture import Texture

NODE = struct("ImagePlaneNode", world="mat4x4f", corner="vec4f", right="vec4f", down="vec4f", opacity="f32")
PROGRAM = Program("draw/image_plane", depth="write", frame=FRAME, node=NODE, image="texture_2d<f32>")
Triple = tuple[float, ...]


def checked_image(image: ArrayLike, name: str) -> np.ndarray:
    """An image as an array. Raises ShapeError for one that is not (H, W) or (H, W, 3) uint8."""
    found = np.asarray(image)
    if found.dtype != np.uint8 or found.ndim not in (2, 3) or 0 in found.shape or found.shape[2:] not in ((), (3,)):
        raise ShapeError(f"{name}: an image is (H, W) or (H, W, 3) uint8, not {found.shape} {found.dtype}.")
    return found


def image_texture(image: np.ndarray) -> Texture:
    """The texture of an image, (H, W) or (H, W, 3) uint8."""
    full = np.full((*image.shape[:2], 4), 255, np.uint8)
    full[..., :3] = image if image.ndim == 3 else image[..., None]
    return Texture.of(full)


class ImagePlane(Drawable):
    """An image on a rectangle, visible from both sides, with correct depth.

    image     (H, W) or (H, W, 3) uint8, sRGB, row 0 on top; None draws nothing
    corner    (3,), the image's top left corner in the node's space
    right     (3,), the vector from there to the top right corner
    down      (3,), the vector from there to the bottom left corner
    opacity   0 to 1

    Raises ShapeError for other arrays.
    """

    image: np.ndarray | None = None
    _is_uploaded = False

    def __init__(
        self,
        image: ArrayLike | None = None,
        *,
        corner: Triple = (0, 0, 0),
        right: Triple = (1, 0, 0),
        down: Triple = (0, -1, 0),
        opacity: float = 1.0,
        name: str | None = None,
    ):
        super().__init__(name)
        self.corner, self.right, self.down, self.opacity = corner, right, down, opacity
        self.show(image)

    def show(self, image: ArrayLike | None) -> None:
        """Shows another image, or none."""
        found = None if image is None else checked_image(image, self.name)
        if found is not self.image:
            self._is_uploaded = False
        self.image = found

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        if self.image is not None:
            if not self._is_uploaded:
                self._texture, self._is_uploaded = image_texture(self.image), True
            place = {key: (*getattr(self, key), 0.0) for key in ("corner", "right", "down")}
            self._node = self.uniform(NODE, world=world.T, opacity=self.opacity, **place)

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        if self.image is not None:
            PROGRAM.draw(frame, step, 4, node=self._node, image=self._texture)

    def pick(self, aim: Aim, world: np.ndarray) -> Hit | None:
        """The Hit where an Aim meets the rectangle; its `part` is the image pixel's (row, column)."""
        if self.image is None:
            return None
        corner, right, down = (world[:3, :3] @ np.asarray(v, float) for v in (self.corner, self.right, self.down))
        sides = np.stack([right, down, -np.asarray(aim.direction, float)], axis=1)
        if abs(np.linalg.det(sides)) < 1e-12 * np.prod(np.linalg.norm(sides, axis=0)):
            return None  # the rectangle is seen edge-on
        across, along, distance = np.linalg.solve(sides, np.asarray(aim.origin, float) - corner - world[:3, 3])
        if distance <= 0.0 or not (0.0 <= across < 1.0 and 0.0 <= along < 1.0):
            return None
        height, width = self.image.shape[:2]
        position = np.asarray(aim.origin) + distance * np.asarray(aim.direction)
        return Hit(self, tuple(position), float(distance), part=(int(along * height), int(across * width)))
