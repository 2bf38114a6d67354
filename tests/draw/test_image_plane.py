"""An image in space: where its pixels land, what colour they have, what hides them."""

import numpy as np
import pytest

from engine.draw.image_plane import ImagePlane
from engine.draw.words.ranking import Rank, Ranking
from engine.errors import ShapeError
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.view.camera import Camera

# Looks straight at a square of side 2, which fills the picture.
STRAIGHT = Camera(eye=(0, 0, 5), target=(0, 0, 0), fov=0.0, height=2.0)
SQUARE = {"corner": (-1, 1, 0), "right": (2, 0, 0), "down": (0, -2, 0)}


class Shown(Scene):
    nodes = ()

    def build(self, stage):
        for node in self.nodes:
            stage.add(node)


def drawn(*nodes, size=(40, 40)):
    scene = Shown(camera=STRAIGHT)
    scene.nodes = nodes
    return Renderer().frame(scene, Clock(0.0), size, 1).pixels()[..., :3].astype(int)


def test_each_pixel_is_an_even_square_of_its_colour_row_0_on_top():
    image = np.random.default_rng(0).integers(0, 110, (4, 5, 3), dtype=np.uint8)
    found = drawn(ImagePlane(image, **SQUARE))
    wanted = image.repeat(10, axis=0).repeat(8, axis=1)
    # Half floats of linear light and the dither; the shoulder leaves dark colours alone.
    assert abs(found - wanted).max() <= 3


def test_the_nearer_image_hides_the_farther():
    near, far = (ImagePlane(np.full((1, 1), grey, np.uint8), **SQUARE) for grey in (90, 20))
    far.move(0, 0, -1)
    for order in ((near, far), (far, near)):
        assert abs(drawn(*order) - 90).max() <= 3


@pytest.mark.parametrize("image", [np.zeros((2, 2)), np.zeros((2, 2, 4), np.uint8), np.zeros(3, np.uint8)])
def test_what_is_no_image_is_refused(image):
    with pytest.raises(ShapeError, match="uint8"):
        ImagePlane(image)


def test_a_ranking_has_bars_as_long_as_the_parts():
    def bars(parts):
        ranking = Ranking([Rank("name", part) for part in parts])
        found = drawn(ranking, size=(720, 720)) - drawn(size=(720, 720))
        # A bar is coloured; words and the empty bar are grey.
        return (np.ptp(found, axis=2) > 60).sum(axis=1)

    rows = bars([0.9, 0.45])
    lengths = [rows[y] for y in np.flatnonzero(rows)]
    assert max(lengths) == pytest.approx(0.9 * 110, abs=3)
    assert sorted(lengths)[0] == pytest.approx(0.45 * 110, abs=3)
