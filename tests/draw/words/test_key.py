"""A key of lines: where it stands, and that its samples look as the lines do."""

import numpy as np
import pytest

from engine.draw.colour import colours, srgb
from engine.draw.frame import THEMES, Frame
from engine.draw.words.key import Key, KeyRow, _balanced, _sample, _stroke
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.view.camera import Camera

ROWS = (KeyRow("first", (1.0, 0.0, 0.0)), KeyRow("second", (0.0, 1.0, 0.0), (3.0, 3.0)))


class Keyed(Scene):
    rows = ROWS

    def build(self, stage):
        self.key = stage.add(Key(self.rows))


def drawn(size, rows=ROWS):
    scene = Keyed()
    scene.rows = rows
    found = Renderer().frame(scene, Clock(0.0), size, 1).pixels()[..., :3].astype(int)
    scene.key.rows = ()
    return abs(found - Renderer().frame(scene, Clock(0.0), size, 1).pixels()[..., :3]).max(axis=2) > 12


@pytest.mark.parametrize("size", [(640, 360), (240, 360)])
def test_it_stands_in_the_lower_right_corner_and_within_the_picture(size):
    rows, columns = np.nonzero(drawn(size))
    assert rows.min() > 0.8 * size[1] and rows.max() < size[1] - 1
    assert columns.max() < size[0] - 1 and columns.min() > 0


def test_rows_that_do_not_fit_a_line_stand_in_lines_below_each_other():
    heights = [np.ptp(np.nonzero(drawn((640, 360), ROWS * times))[0]) for times in (1, 8)]
    assert heights[1] > 2 * heights[0]


def test_a_dashed_sample_covers_its_share_of_a_solid_one():
    solid, dashed = (_stroke(dash, 36, 2.0, 11).sum() for dash in ((), (3.0, 3.0)))
    # Marks of 6 pixels, gaps of 6: three of each in 36.
    assert dashed == pytest.approx(solid / 2)
    assert solid == pytest.approx(36 * 2.0)


def test_rows_stand_beside_what_they_explain_where_there_is_room():
    seen = Frame(
        Camera(eye=(0.5, 0.5, 5), target=(0.5, 0.5, 0), fov=0.0, height=1.2), (640, 360), (0, 0, 640, 360), 1,
        THEMES["dark"], 0.5,
    )  # fmt: skip
    key = Key([KeyRow("class 1", (0.0, 0.0, 1.0), kind="patch"), KeyRow("loss 0 to 2", kind="ramp", map="magma")])
    for beside, column in (((0.0, 1.0), True), ((-0.4, 1.4), False)):
        key.beside = np.array((beside[0], 0.0)), np.array((beside[1], 1.0))
        seen.sprites, seen.taken = [], []
        key.overlay(seen, np.eye(4))
        right = seen.project((beside[1], 1.0, 0.0))[0]
        assert (seen.taken[0][0] >= right) == column


def test_a_ramp_goes_through_its_map_and_a_patch_has_its_colour():
    for kind in ("ramp", "patch"):
        row = KeyRow("name", (0.2, 0.5, 0.1), kind=kind, map="magma")
        (_, _), (inner, shown) = _sample(row, 36, 2.0, 16, THEMES["dark"])
        wanted = colours("magma", "image", np.linspace(0, 1, 36)) if kind == "ramp" else np.array([row.colour] * 36)
        assert np.allclose(np.broadcast_to(shown, (16, 36, 3))[8], srgb(wanted)) and inner[8, 3:-3].all()


def test_the_last_line_of_a_key_is_not_left_with_a_single_word():
    for count, lines in ((5, (3, 2)), (6, (3, 3)), (7, (4, 3)), (4, (4,))):
        places, size = _balanced([60] * count, 10, 20, 290)
        assert tuple(sum(y == 20 * k for _, y in places) for k in range(len(lines))) == lines and size[0] <= 290
