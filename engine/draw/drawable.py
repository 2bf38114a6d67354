"""What a node that draws gives the renderer: work for the first walk, draws for the second."""

from dataclasses import dataclass

from engine.draw.node import Node


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
    """

    node: object
    position: tuple
    distance: float
    value: float | None = None
    gradient: tuple | None = None
    level: float | None = None
    certain: bool = True


class Drawable(Node):
    """A node that draws. The renderer calls these, in this order, for each tile of a picture.

    phase   when `draw` is called: "under" (before everything, no depth), "solid" (writes depth), or
            "light" (added after the surfaces, dimmed by those in front)
    """

    phase = "solid"
    makes_layers = False
    # Whether it casts a ray a sample, for the Report.
    casts_rays = False
    # Whether its colours are values, to be shown as they are.
    is_exact = False

    def prepare(self, frame, world):
        """Uploads and runs kernels; called once a picture, before its tiles."""

    def fill(self, frame, world):
        """Runs kernels for the tile: called once a tile, before its first pass, with frame.encoder open."""

    def cast(self, frame, world):
        """Writes this node's layers of the tile; only called when makes_layers is true."""

    def draw(self, frame, render_pass, world):
        """Records draws into the pass of the node's phase."""

    def overlay(self, frame, world):
        """Adds sprites (words, legends) in picture pixels to frame.sprites."""

    def pick(self, origin, direction, world):
        """The first Hit of a world ray, or None."""
        return None
