"""A network's field over the plane that a flat camera looks at, as an image."""

import numpy as np

from engine.draw.colour import palette_array
from engine.draw.drawable import Drawable, Hit
from engine.draw.frame import FRAME_BINDING
from engine.errors import SceneError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct
from engine.kernels.grid import Grid, Plane

IMAGE = struct("FieldImageNode", outputs="vec4u", low="f32", high="f32", groups="u32")
# The map of three outputs: they are red, green and blue themselves.
RGB = "rgb"


class FieldImage(Drawable):
    """The values of a network at every sample of a picture, for orthographic cameras that look down on z = 0.

    net       any Mlp
    outputs   the numbers of three outputs, red, green and blue, or of one; None for the first
    origin    (inputs,), the network's input at x = y = 0
    axes      (2, inputs), what a step of 1 along world x, and along world y, adds to it
    map       the colour map of a single output: see engine.draw.colour; `rgb` for three outputs
    low, high the values that are darkest and lightest; beyond them colours stay
    precision f32, or f16 where the adapter has it: see engine.kernels.grid.Grid

    Values are sRGB's own numbers, as the pixels of an image are: 0 is black, 1 full.
    What is not finite is striped, like every pixel of which nothing is known.
    """

    phase = "under"
    is_exact = True

    def __init__(self, net, outputs=None, *, origin=None, axes=None, map=None, low=0.0, high=1.0, name=None):
        super().__init__(name)
        self._grid = self._values = self._node = None
        self.low, self.high, self.precision = low, high, "f32"
        self.show(net, outputs, origin=origin, axes=axes, map=map)

    def show(self, net, outputs=None, *, origin=None, axes=None, map=None):
        """Takes another network and plane; of the same shape they compile nothing.

        Raises SceneError for outputs there are not, or a map that does not fit their number.
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

    def plane(self, frame):
        """The Plane that the samples of a frame lie in."""
        camera = frame.camera
        (x, y, _), grid = camera.target, frame.grid
        half_width, half_height = camera.half_sizes(frame.size[0] / frame.size[1])
        width, height = frame.size[0] * grid, frame.size[1] * grid
        along, up = self.axes
        return Plane(
            self.origin + x * along + y * up, along * (2 * half_width / width), up * (-2 * half_height / height)
        )

    def prepare(self, frame, world):
        if self._grid is None or self._grid.precision != self.precision:
            self._grid = Grid(self.net, precision=self.precision)
        self._grid.show(self.net)
        self._node = self._node or Array(IMAGE.dtype, 1, "uniform")
        outputs = (*self.outputs, 0, 0, 0)[:4]
        groups = -(-self.net.outputs // 4)
        self._node.write(IMAGE.new(outputs=outputs, low=self.low, high=self.high, groups=groups))

    def fill(self, frame, world):
        x, y, width, height = (n * frame.grid for n in frame.tile)
        size = frame.size[0] * frame.grid, frame.size[1] * frame.grid
        self._values = self._grid.record(frame.encoder, self.plane(frame), size, (x, y, width, height))

    def draw(self, frame, render_pass, world):
        mapped = self.map != RGB
        bindings = (
            FRAME_BINDING,
            Binding("node", "uniform", IMAGE),
            Binding("values", "read", "array<vec4f>"),
            Binding("palette", "uniform", "array<vec4f, 64>"),
        )
        pipeline = Pipeline(
            compose("draw/field_image", {"bindings": declare(bindings)}),
            bindings,
            Draw((frame.canvas.format,), blend="replace", depth="keep"),
            constants={"MAPPED": float(mapped)},
        )
        table = palette_array(self.map if mapped else "viridis", "image")
        group = pipeline.bind(frame=frame.uniforms, node=self._node, values=self._values, palette=table)
        pipeline.draw(render_pass, group, 3)

    def pick(self, aim, world):
        x, y = float(aim.origin[0]), float(aim.origin[1])
        value = float(self.net((self.origin + x * self.axes[0] + y * self.axes[1])[None])[0, self.outputs[0]])
        return Hit(self, (x, y, 0.0), float(aim.origin[2]), value)
