"""Nodes that draw: what the renderer calls once a picture and once a tile, and what a pick returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from engine.draw.frame import Frame
from engine.draw.node import Node
from engine.draw.program import Program
from engine.gpu.array import Array, grown
from engine.gpu.passes import RenderPass
from engine.gpu.structs import Struct
from engine.view.camera import Camera


@dataclass(frozen=True)
class Aim:
    """A pixel of a picture, and the ray through its centre.

    origin      (3,) world, where the ray begins
    direction   (3,) of length 1
    camera      through which the picture is seen, or None for a ray by itself
    size        (width, height) of the picture in pixels
    x, y        the pixel, y downwards
    """

    origin: np.ndarray
    direction: np.ndarray
    camera: Camera | None = None
    size: tuple[int, int] = (1, 1)
    x: float = 0.0
    y: float = 0.0

    @classmethod
    def at(cls, camera: Camera, size: tuple[int, int], x: float, y: float) -> Aim:
        """The Aim at a pixel of a camera's picture."""
        width, height = size
        origin, direction = camera.ray((x + 0.5) / width * 2 - 1, 1 - (y + 0.5) / height * 2, width / height)
        return cls(origin, direction, camera, (width, height), x, y)


@dataclass(frozen=True)
class Hit:
    """What a ray through a pixel meets first.

    node       the drawable
    position   (3,) world
    distance   along the ray, world units
    value      the network's value there, or None
    gradient   (3,) of the value in world space, or None
    level      the level of the surface, or None
    certain    False where the search gave up here
    part       which of the drawable's parts it is: of a cloud of neurons (block, channel, row, column); or None
    """

    node: Node
    position: tuple[float, ...]
    distance: float
    value: float | None = None
    gradient: tuple[float, ...] | None = None
    level: float | None = None
    certain: bool = True
    part: tuple[int, ...] | None = None


class Drawable(Node):
    """A node that draws. The renderer calls these, in this order; `world` is the node's transform to the world.

    phase         when `draw` is called: "under" (before everything, no depth), "solid" (writes depth), or "light"
                  (added after the surfaces, dimmed by those in front); a "cloud" has `draw_cloud` called instead
    makes_layers  whether it writes lists of layers, by `cast`
    casts_rays    whether it casts a ray a sample, for the Report
    is_exact      whether its colours are values, to be shown as they are
    coarsest      the part of a picture's size, per side, below which live views do not draw it
    """

    phase: str | None = "solid"
    makes_layers = False
    casts_rays = False
    is_exact = False
    coarsest = 0.0

    def __init__(self, name: str | None = None):
        super().__init__(name)
        self._buffers: dict[str, Array] = {}

    def uniform(self, struct: Struct, **values: Any) -> Array:
        """The node's uniform of a struct, which holds these values from now on; sent only where they have changed."""
        array = self._buffers.get(struct.name)
        if array is None:
            array = self._buffers[struct.name] = Array(struct.dtype, 1, "uniform", label=f"{self.name}: {struct.name}")
        array.write(struct.new(**values))
        return array

    def array(self, name: str, dtype: DTypeLike, count: int, usage: str = "storage") -> Array:
        """The node's array of that name, which has room for so many items; its contents may be lost."""
        array = self._buffers[name] = grown(self._buffers.get(name), dtype, count, usage)
        return array

    def upload(self, name: str, data: np.ndarray, usage: str = "storage") -> Array:
        """The node's array of that name, which holds the data from now on."""
        array = self.array(name, data.dtype, data.size, usage)
        array.write(data)
        return array

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        """Uploads and runs kernels; called once a picture, before its tiles."""

    def fill(self, frame: Frame, world: np.ndarray) -> None:
        """Runs kernels for the tile: called once a tile, before its first pass, with frame.encoder open."""

    def cast(self, frame: Frame, world: np.ndarray) -> None:
        """Writes this node's layers of the tile; only called when makes_layers is true."""

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        """Records draws into the pass of the node's phase."""

    def draw_cloud(self, frame: Frame, world: np.ndarray) -> None:
        """Draws over frame.canvas in passes of its own, after what is solid and the surfaces; only called when the
        phase is "cloud". May submit frame.encoder and put a new one in its place."""

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        """Adds sprites (words, legends) in picture pixels to frame.sprites."""

    def pick(self, aim: Aim, world: np.ndarray) -> Hit | None:
        """The first Hit of an Aim, or None."""
        return None


class Instances(Drawable):
    """Marks of one kind, each drawn as a quad, all in one draw.

    A subclass gives the program, which binds `frame`, `node` and `items`; the uniform `node`; and the items, an array.
    """

    program: Program
    items: np.ndarray

    def replace(self, items: np.ndarray) -> None:
        """Takes other items; they are uploaded for the next picture."""
        self.items, self._is_uploaded = items, False

    def node(self, world: np.ndarray) -> Array:
        """The uniform `node`."""
        raise NotImplementedError

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        if not self._is_uploaded:
            self._array, self._is_uploaded = self.upload("items", self.items), True
        self._node = self.node(world)

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        if len(self.items):
            self.program.draw(frame, step, 4, len(self.items), node=self._node, items=self._array)
