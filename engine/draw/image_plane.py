"""An image in space: a photo before the network that looks at it, a channel's map beside it."""

import numpy as np

from engine.draw.drawable import Drawable, Hit
from engine.draw.frame import FRAME_BINDING
from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct
from engine.gpu.texture import Texture

NODE = struct("ImagePlaneNode", world="mat4x4f", corner="vec4f", right="vec4f", down="vec4f", opacity="f32")


class ImagePlane(Drawable):
    """An image on a rectangle, seen from both sides, in correct depth with everything solid.

    image     (H, W) or (H, W, 3) uint8, sRGB, row 0 on top; None draws nothing
    corner    (3,), the image's top left corner in the node's space
    right     (3,), from there to its top right corner
    down      (3,), from there to its bottom left corner
    opacity   1 hides what lies behind it

    Raises ShapeError for other arrays.
    """

    def __init__(self, image=None, *, corner=(0, 0, 0), right=(1, 0, 0), down=(0, -1, 0), opacity=1.0, name=None):
        super().__init__(name)
        self.corner, self.right, self.down, self.opacity = corner, right, down, opacity
        self._texture = self._node = None
        self.show(image)

    def show(self, image):
        """Takes another image."""
        if image is not None:
            image = np.asarray(image)
            if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
                raise ShapeError(
                    f"{self.name}: an image is (H, W) or (H, W, 3) uint8, not {image.shape} {image.dtype}."
                )
        if image is not getattr(self, "image", None):
            self._texture = None
        self.image = image

    def prepare(self, frame, world):
        if self.image is None:
            return
        if self._texture is None:
            full = np.full((*self.image.shape[:2], 4), 255, np.uint8)
            full[..., :3] = self.image if self.image.ndim == 3 else self.image[..., None]
            self._texture = Texture.of(full)
        self._node = self._node or Array(NODE.dtype, 1, "uniform")
        place = {key: (*getattr(self, key), 0.0) for key in ("corner", "right", "down")}
        self._node.write(NODE.new(world=world.T, opacity=self.opacity, **place))

    def draw(self, frame, render_pass, world):
        if self.image is None:
            return
        bindings = (
            FRAME_BINDING, Binding("node", "uniform", NODE), Binding("image", "texture", "texture_2d<f32>")
        )  # fmt: skip
        pipeline = Pipeline(
            compose("draw/image_plane", {"bindings": declare(bindings)}),
            bindings,
            Draw((frame.canvas.format,), depth="write", topology="triangle-strip"),
        )
        group = pipeline.bind(frame=frame.uniforms, node=self._node, image=self._texture)
        pipeline.draw(render_pass, group, 4)

    def pick(self, aim, world):
        """Where an Aim meets the rectangle; `part` is the pixel's (row, column)."""
        if self.image is None:
            return None
        corner, right, down = (world[:3, :3] @ np.asarray(v, float) for v in (self.corner, self.right, self.down))
        sides = np.stack([right, down, -np.asarray(aim.direction, float)], axis=1)
        if abs(np.linalg.det(sides)) < 1e-12 * np.prod(np.linalg.norm(sides, axis=0)):
            return None  # seen edge on
        across, along, distance = np.linalg.solve(sides, np.asarray(aim.origin, float) - corner - world[:3, 3])
        if distance <= 0.0 or not (0.0 <= across < 1.0 and 0.0 <= along < 1.0):
            return None
        height, width = self.image.shape[:2]
        position = np.asarray(aim.origin) + distance * np.asarray(aim.direction)
        return Hit(self, tuple(position), float(distance), part=(int(along * height), int(across * width)))
