"""What a node that draws gives the renderer: work for the first walk, draws for the second."""

from dataclasses import dataclass

from engine.draw.node import Node


@dataclass(frozen=True)
class Aim:
    """A pixel of a picture, and the ray through its centre.

    origin      (3,) world, where the ray begins
    direction   (3,) of length 1
    camera      through which the picture is seen, or None for a ray by itself
    size        (width, height) of the picture in pixels
    x, y        the pixel, y downwards
    """

    origin: object
    direction: object
    camera: object = None
    size: tuple = (1, 1)
    x: float = 0.0
    y: float = 0.0

    @classmethod
    def at(cls, camera, size, x, y):
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

    node: object
    position: tuple
    distance: float
    value: float | None = None
    gradient: tuple | None = None
    level: float | None = None
    certain: bool = True
    part: tuple | None = None


class Drawable(Node):
    """A node that draws. The renderer calls these, in this order, for each tile of a picture.

    phase   when `draw` is called: "under" (before everything, no depth), "solid" (writes depth), or
            "light" (added after the surfaces, dimmed by those in front); "cloud" has `lay` called instead
    """

    phase = "solid"
    makes_layers = False
    # Whether it casts a ray a sample, for the Report.
    casts_rays = False
    # Whether its colours are values, to be shown as they are.
    is_exact = False
    # Part of a picture's size, per side, below which it is drawn no sooner: live views draw none that are coarser.
    coarsest = 0.0

    def prepare(self, frame, world):
        """Uploads and runs kernels; called once a picture, before its tiles."""

    def fill(self, frame, world):
        """Runs kernels for the tile: called once a tile, before its first pass, with frame.encoder open."""

    def cast(self, frame, world):
        """Writes this node's layers of the tile; only called when makes_layers is true."""

    def draw(self, frame, render_pass, world):
        """Records draws into the pass of the node's phase."""

    def lay(self, frame, world):
        """Lays a picture of its own over frame.canvas, what is solid and the surfaces being done; only called when the
        phase is "cloud". May submit frame.encoder and put a new one in its place."""

    def overlay(self, frame, world):
        """Adds sprites (words, legends) in picture pixels to frame.sprites."""

    def pick(self, aim, world):
        """The first Hit of an Aim, or None."""
        return None
