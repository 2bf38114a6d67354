"""A network's outputs over the plane that a flat camera shows, as an image."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import PALETTE, palette_array
from engine.draw.drawable import Aim, Drawable, Hit
from engine.draw.frame import FRAME, Frame
from engine.draw.program import Program
from engine.errors import SceneError
from engine.gpu.passes import RenderPass
from engine.gpu.structs import struct
from engine.kernels.grid import Grid, Plane
from engine.network.mlp import Mlp

IMAGE = struct("FieldImageNode", outputs="vec4u", low="vec4f", high="vec4f", groups="u32")
PROGRAM = Program(
    "draw/field_image", blend="replace", depth="keep", frame=FRAME, node=IMAGE, values="array<vec4f>", palette=PALETTE
)
# The `map` of three outputs, which are red, green and blue.
RGB = "rgb"


class FieldImage(Drawable):
    """The values of a network at every sample of a picture, for orthographic cameras that look down on z = 0.

    net       any Mlp
    outputs   the numbers of three outputs, as red, green and blue, or of one; None for the first
    origin    (inputs,): the network's input at world x = y = 0
    axes      (2, inputs): what a step of 1 along world x, and along world y, adds to the input
    map       the colour map of a single output: see engine.draw.colour; `rgb` for three outputs
    low, high the values that are darkest and lightest, a number or one for each output; values outside are clipped
    precision f32, or f16 where the adapter has it: see engine.kernels.grid.Grid

    Values are shown as sRGB, like the pixels of an image: low is 0, high is 1.
    Values that are not finite are shown as stripes, as undecided pixels are.
    """

    phase = "under"
    is_exact = True

    def __init__(
        self, net: Mlp, outputs: Iterable[int] | None = None, *, origin: ArrayLike | None = None,
        axes: ArrayLike | None = None, map: str | None = None, low: ArrayLike = 0.0, high: ArrayLike = 1.0,
        name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        self._grid: Grid | None = None
        self.low, self.high, self.precision = low, high, "f32"
        self.show(net, outputs, origin=origin, axes=axes, map=map)

    def show(
        self, net: Mlp, outputs: Iterable[int] | None = None, *, origin: ArrayLike | None = None,
        axes: ArrayLike | None = None, map: str | None = None,
    ) -> None:  # fmt: skip
        """Shows another network and plane; a network of the same shape compiles nothing.

        Raises SceneError for outputs that the network does not have, or a map that does not fit their number.
        """
        outputs = tuple(range(3 if net.outputs >= 3 else 1)) if outputs is None else tuple(outputs)
        if len(outputs) not in (1, 3) or min(outputs) < 0 or max(outputs) >= net.outputs:
            raise SceneError(f"{net} has outputs 0 to {net.outputs - 1}; an image shows one or three, not {outputs}.")
        self.net, self.outputs = net, outputs
        self.origin = np.zeros(net.inputs) if origin is None else np.asarray(origin, float)
        self.axes = np.eye(net.inputs)[[0, min(1, net.inputs - 1)]] if axes is None else np.asarray(axes, float)
        self.map = map or (RGB if len(outputs) == 3 else "viridis")
        if (self.map == RGB) != (len(outputs) == 3):
            raise SceneError(f"The map {self.map} does not take {len(outputs)} outputs: rgb takes three, others one.")

    def plane(self, frame: Frame) -> Plane:
        """The Plane of a frame's samples."""
        (x, y, _), (width, height) = frame.camera.target, frame.size_samples
        half_width, half_height = frame.camera.half_sizes(frame.size[0] / frame.size[1])
        along, up = self.axes
        return Plane(
            self.origin + x * along + y * up, along * (2 * half_width / width), up * (-2 * half_height / height)
        )

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        if self._grid is None or self._grid.precision != self.precision:
            self._grid = Grid(self.net, precision=self.precision)
        self._grid.show(self.net)
        outputs = (*self.outputs, 0, 0, 0)[:4]
        groups = -(-self.net.outputs // 4)
        low, high = (np.append(np.broadcast_to(end, 3), 0.0) for end in (self.low, self.high))
        self._node = self.uniform(IMAGE, outputs=outputs, low=low, high=high, groups=groups)

    def fill(self, frame: Frame, world: np.ndarray) -> None:
        assert self._grid is not None
        self._values = self._grid.record(frame.encoder, self.plane(frame), frame.size_samples, frame.tile_samples)

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        mapped = self.map != RGB
        table = palette_array(self.map if mapped else "viridis", "image")
        PROGRAM.draw(
            frame, step, 3, constants={"MAPPED": float(mapped)}, node=self._node, values=self._values, palette=table
        )

    def pick(self, aim: Aim, world: np.ndarray) -> Hit | None:
        x, y = float(aim.origin[0]), float(aim.origin[1])
        value = float(self.net((self.origin + x * self.axes[0] + y * self.axes[1])[None])[0, self.outputs[0]])
        return Hit(self, (x, y, 0.0), float(aim.origin[2]), value)
