"""random_networks on a canvas: panning, zooming, turning, and what the pointer and the status line say."""

import numpy as np
import pytest
from hands import Hands

from engine.ui.cards import STATUS
from scenes.random_networks import RandomNetworks

# The picture of a canvas of 560 x 620 with its panel of 320 and its status line.
WIDTH, HEIGHT = 240.0, 620.0 - STATUS


@pytest.fixture
def hands():
    made = []

    def make(**values):
        made.append(Hands(RandomNetworks(**{"depth": 2, "width": 6, **values})))
        return made[-1]

    yield make
    for one in made:
        one.close()


def under(scene, x, y):
    """(2,) the world point under a place of the picture."""
    place = 2.0 * x / WIDTH - 1.0, 1.0 - 2.0 * y / HEIGHT
    return scene.camera.ray(*place, WIDTH / HEIGHT)[0][:2]


def test_a_drag_moves_the_plane_with_the_pointer(hands):
    one = hands()
    before = under(one.scene, 60, 200)
    one.drag((60, 200), (150, 330))
    assert np.allclose(under(one.scene, 150, 330), before, atol=1e-9)
    assert (one.scene.x, one.scene.y) != (0.0, 0.0)


def test_the_wheel_zooms_at_the_pointer(hands):
    one = hands()
    before = under(one.scene, 60, 200)
    one.wheel(60, 200, 8)
    one.wait(1.0)
    assert np.allclose(under(one.scene, 60, 200), before, atol=1e-6)
    # Eight notches bring it three times closer.
    assert np.isclose(one.scene.extent, 2.0 / 1.15**8, rtol=1e-3)


def test_the_wheel_ends_where_float32_does_and_the_status_line_says_so(hands):
    one = hands()
    least = one.scene.reach[0]
    for _ in range(3):
        one.wheel(120, 300, 60)
        one.wait(1.0)
    assert np.isclose(one.scene.extent, least, rtol=0.02)
    assert "float32 ends here" in one.viewer.status()
    one.wheel(120, 300, -30)
    one.wait(1.0)
    assert one.scene.extent > 10 * least and "float32" not in one.viewer.status()


def test_at_rest_the_pointer_tells_input_output_and_active_units(hands):
    one = hands(activation="relu")
    one.move(120, 310)
    one.wait(1.0)
    rows = dict(one.viewer.pointer.reading.rows)
    assert set(rows) == {"input", "value", "active units"}
    at = under(one.scene, 120, 310)
    assert np.allclose([float(v) for v in rows["input"].split(",")], at, atol=0.01)
    assert np.allclose([float(v) for v in rows["value"].split(",")], one.scene.network(at), atol=0.01)


def test_a_relief_is_turned_and_back_in_the_image_the_plane_is_where_it_was(hands):
    one = hands(x=0.5)
    one.scene.show = "relief"
    one.frame()
    azimuth = one.scene.azimuth
    one.drag((60, 300), (180, 300))
    assert one.scene.azimuth != azimuth and one.scene.x == 0.5
    one.scene.show = "image"
    one.frame()
    one.drag((60, 300), (70, 300))
    assert one.scene.x < 0.5


def test_a_moving_scene_plays_its_loop(hands):
    one = hands(inputs=4)
    one.viewer.transport.playing = True
    first = one.wait(0.1)
    later = one.wait(0.5)
    assert one.viewer.transport.loop == one.scene.period and not np.array_equal(first, later)
