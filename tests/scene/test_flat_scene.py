"""A flat scene: its window is settings and a camera at once."""

import numpy as np

from engine.scene.flat_scene import FlatScene, flat_camera
from engine.scene.view_data import Clock
from engine.view.camera import Camera


def test_the_settings_are_what_the_camera_shows():
    scene = FlatScene(x=1.5, y=-2.0, extent=0.25)
    for aspect in (2.0, 0.5):
        origin, _ = scene.camera.ray(0.0, 0.0, aspect)
        assert np.allclose(origin[:2], (1.5, -2.0))
        # The smaller side shows the extent.
        top, right = (scene.camera.ray(*corner, aspect)[0] for corner in ((0.0, 1.0), (1.0, 0.0)))
        assert np.isclose(2 * min(top[1] + 2.0, right[0] - 1.5), 0.25)


def test_moving_the_camera_moves_the_settings_and_back():
    scene = FlatScene()
    camera = flat_camera(3.0, 4.0, 0.5)
    scene.camera = camera
    assert (scene.x, scene.y, scene.extent) == (3.0, 4.0, 0.5) and scene.camera is camera
    scene.extent = 1.0
    assert scene.camera.height == 1.0 and scene.camera.target == (3.0, 4.0, 0.0)
    assert scene.camera is scene.camera


def test_a_state_brings_the_window_back():
    scene = FlatScene(x=0.1, y=1e-9, extent=1e-6)
    other = FlatScene()
    other.restore(scene.state(Clock(1.0)))
    assert (other.x, other.y, other.extent) == (scene.x, scene.y, scene.extent)
    assert other.camera == scene.camera


def test_a_camera_from_elsewhere_shows_as_much():
    scene = FlatScene()
    scene.camera = Camera(eye=(0.0, 0.0, 5.0), target=(0.0, 0.0, 0.0))
    assert np.isclose(scene.extent, 5.0)
