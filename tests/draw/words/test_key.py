"""A key of lines: where it stands, and that its samples look as the lines do."""

import numpy as np
import pytest

from engine.draw.words.key import Key, KeyRow, _stroke
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.view_data import Clock

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


def test_rows_that_do_not_fit_a_line_stand_below_each_other():
    heights = [np.ptp(np.nonzero(drawn((640, 360), ROWS * times))[0]) for times in (1, 8)]
    assert heights[1] > 8 * heights[0]


def test_a_dashed_sample_covers_its_share_of_a_solid_one():
    solid, dashed = (_stroke(dash, 36, 2.0, 11).sum() for dash in ((), (3.0, 3.0)))
    # Marks of 6 pixels, gaps of 6: three of each in 36.
    assert dashed == pytest.approx(solid / 2)
    assert solid == pytest.approx(36 * 2.0)
