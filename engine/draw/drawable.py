"""Nodes that draw: the methods that the renderer calls for each picture and each tile, and the result of a pick."""

from __future__ import annotations

from collections.abc import Generator
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
from engine.kernels.search.progress import Progress
from engine.view.camera import Camera


@dataclass(frozen=True)
class Aim:
    """A pixel of a picture, and the ray through its centre.

    origin      (3,) world, where the ray begins
    direction   (3,) of length 1
    camera      of the picture, or None for a ray without a picture
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
    """The first thing that a ray through a pixel meets.

    node       the drawable
    position   (3,) world
    distance   along the ray, world units
    value      the network's value there, or None
    gradient   (3,) of the value in world space, or None
    level      the level of the surface, or None
    certain    False if the search gave up here
    part       the part of the drawable, such as (block, channel, row, column) in a cloud of neurons; or None
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
    """A node that draws. The renderer calls its methods in this order; `world` is the node's transform to the world.

    phase         when `draw` is called: "under" (first, without depth), "solid" (writes depth) or "light" (added after
                  the surfaces, dimmed by those in front); for "cloud", `draw_cloud` is called instead
    makes_layers  True if its `cast` writes a list of layers
    casts_rays    True if its `cast` casts a ray for each sample, which the Report counts
    drafts        True if frame.draft has it drawn sooner, its rays undecided
    is_exact      True if its colours are values, which must be shown unchanged
    coarsest      the least scale, relative to the full size per side, at which live views draw it
    precedence    when `overlay` is called: 0 for cards, 1 for what leads to places, 2 for words that give way
    """

    phase: str | None = "solid"
    makes_layers = False
    casts_rays = False
    drafts = False
    is_exact = False
    coarsest = 0.0
    precedence = 2

    def __init__(self, name: str | None = None):
        super().__init__(name)
        self._buffers: dict[str, Array] = {}

    def uniform(self, struct: Struct, **values: Any) -> Array:
        """The node's uniform Array of a struct, set to these values; uploaded only if they have changed."""
        array = self._buffers.get(struct.name)
        if array is None:
            array = self._buffers[struct.name] = Array(struct.dtype, 1, "uniform", label=f"{self.name}: {struct.name}")
        array.write(struct.new(**values))
        return array

    def array(self, name: str, dtype: DTypeLike, count: int, usage: str = "storage") -> Array:
        """The node's Array of that name, with room for `count` items; its contents may be lost."""
        array = self._buffers[name] = grown(self._buffers.get(name), dtype, count, usage)
        return array

    def upload(self, name: str, data: np.ndarray, usage: str = "storage") -> Array:
        """The node's Array of that name, with the data written to it."""
        array = self.array(name, data.dtype, data.size, usage)
        array.write(data)
        return array

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        """Uploads data and runs kernels; called once a picture, before its tiles."""

    def fill(self, frame: Frame, world: np.ndarray) -> None:
        """Records kernels for a tile, with frame.encoder; called once a tile, before its first pass."""

    def cast(self, frame: Frame, world: np.ndarray) -> Generator[Progress, None, None]:
        """Does what takes long before a tile is drawn: casts its rays and, if makes_layers is True, writes this node's
        list of layers. Called once a tile, before its first render pass.

        Yields what it has come to, of the tile's rays, whenever other work may be done in between. May submit
        frame.encoder and replace it by a new one. Once frame.allowance is over it takes no more time: rays that are
        still open are undecided.
        """
        yield from ()

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        """Records draw calls in the pass of the node's phase."""

    def draw_cloud(self, frame: Frame, world: np.ndarray) -> None:
        """Draws over frame.canvas in passes of its own, after solid things and surfaces; called only if the phase is
        "cloud". May submit frame.encoder and replace it by a new one."""

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        """Adds sprites (words, legends), placed in pixels of the picture, to frame.sprites."""

    def pick(self, aim: Aim, world: np.ndarray) -> Hit | None:
        """The first Hit of an Aim in this node, or None."""
        return None


class Instances(Drawable):
    """Marks of one kind, each a quad, all in one draw call.

    A subclass sets the Program, which binds `frame`, `node` and `items`; defines the uniform `node`; sets the items.
    """

    program: Program
    items: np.ndarray

    def replace(self, items: np.ndarray) -> None:
        """Replaces the items; they are uploaded for the next picture."""
        self.items, self._is_uploaded = items, False

    def node(self, world: np.ndarray) -> Array:
        """The uniform Array bound as `node`."""
        raise NotImplementedError

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        if not self._is_uploaded:
            self._array, self._is_uploaded = self.upload("items", self.items), True
        self._node = self.node(world)

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        if len(self.items):
            self.program.draw(frame, step, 4, len(self.items), node=self._node, items=self._array)
