"""Laws of orbiting."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.view.camera import Camera
from engine.view.orbit import Angles, Orbit, angles, axes, placed, shortest

SIZE = (0.0, 0.0, 900.0, 600.0)
POLES = [(0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 2.0, -0.5)]
# A handful of float64 operations on numbers about 10.
CLOSE = 1e-9
angle = st.floats(-3.1, 3.1)


def event(kind, x=0.0, y=0.0, button=1, modifiers=()):
    return {"event_type": kind, "x": x, "y": y, "button": button, "modifiers": modifiers}


def same_turn(a, b):
    return abs(shortest(a - b)) < 1e-7


@pytest.mark.parametrize("pole", POLES)
def test_axes_are_right_handed_and_at_right_angles(pole):
    frame = axes(pole)
    assert np.allclose(frame @ frame.T, np.eye(3), atol=CLOSE)
    assert np.allclose(frame[1], np.divide(pole, np.linalg.norm(pole)))


def test_with_y_upwards_the_angles_are_those_of_the_original():
    # Its default view: azimuth 0.71 + 1.5, altitude 0.21, distance 12.
    at = angles(Camera(eye=(-7.0014, 2.5015, 9.4193)))
    assert at.azimuth == pytest.approx(0.71 + 1.5, abs=1e-4)
    assert at.altitude == pytest.approx(0.21, abs=1e-4)
    assert at.distance == pytest.approx(12.0, abs=1e-3)


@given(azimuth=angle, altitude=angle, pole=st.sampled_from(POLES))
def test_standing_at_angles_gives_those_angles_even_upside_down(azimuth, altitude, pole):
    at = angles(placed(Camera(target=(1.0, 2.0, 3.0)), Angles(azimuth, altitude, 5.0), pole), pole)
    assert same_turn(at.azimuth, azimuth) and same_turn(at.altitude, altitude)
    assert at.distance == pytest.approx(5.0)


@pytest.mark.parametrize("altitude", [math.pi / 2, -math.pi / 2])
def test_straight_over_a_pole_the_azimuth_is_still_known(altitude):
    at = angles(placed(Camera(), Angles(1.1, altitude, 5.0)))
    assert same_turn(at.azimuth, 1.1)


@given(moves=st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400)), max_size=8))
def test_dragging_keeps_the_distance_the_target_and_a_level_horizon(moves):
    control = Orbit(Camera(eye=(3.0, 4.0, 5.0), target=(0.5, 0.0, 0.0)))
    x = y = 300.0
    control.event(event("pointer_down", x, y), SIZE)
    for dx, dy in moves:
        x, y = x + dx, y + dy
        control.event(event("pointer_move", x, y), SIZE)
    camera = control.camera
    assert camera.distance == pytest.approx(control.home.distance)
    assert np.allclose(camera.target, (0.5, 0.0, 0.0), atol=CLOSE)
    assert camera.right[1] == pytest.approx(0.0, abs=1e-7)


def test_a_drag_over_the_pole_goes_on_smoothly():
    control = Orbit(Camera())
    views = []
    control.event(event("pointer_down", 300, 0), SIZE)
    for y in range(5, 1200, 5):
        control.event(event("pointer_move", 300, y), SIZE)
        views.append(control.camera)
    turned = [math.acos(np.clip(a.forward @ b.forward, -1, 1)) for a, b in itertools.pairwise(views)]
    rolled = [math.acos(np.clip(a.upward @ b.upward, -1, 1)) for a, b in itertools.pairwise(views)]
    # 5 pixels of 600 are 1.5 degrees, in every place alike.
    assert np.allclose(turned, math.pi * 5 / 600, atol=1e-6)
    assert np.allclose(rolled, math.pi * 5 / 600, atol=1e-6)


@pytest.mark.parametrize("altitude", [0.3, 2.5])
def test_dragging_right_moves_the_near_side_to_the_right(altitude):
    control = Orbit(placed(Camera(), Angles(0.4, altitude, 5.0)), home=Camera())
    near = -control.camera.forward
    right = control.camera.right
    control.orbit(0.1, 0.0)
    turned = control.camera
    # Where the picture now shows the body's point that had been nearest.
    assert near @ turned.right > 0.0 and turned.right @ right > 0.9


def test_dragging_down_brings_the_camera_up():
    control = Orbit(Camera())
    control.event(event("pointer_down", 300, 300), SIZE)
    control.event(event("pointer_move", 300, 360), SIZE)
    assert control.camera.eye[1] > 0.0


@pytest.mark.parametrize(
    ("button", "modifiers", "pans"), [(1, (), False), (1, ("Shift",), True), (2, (), True), (3, (), True)]
)
def test_which_drags_pan(button, modifiers, pans):
    control = Orbit(Camera())
    control.event(event("pointer_down", 300, 300, button, modifiers), SIZE)
    control.event(event("pointer_move", 350, 320, button, modifiers), SIZE)
    assert np.allclose(control.camera.target, 0.0) != pans
    assert np.allclose(control.camera.forward, Camera().forward) == pans


@given(azimuth=angle, altitude=st.floats(-1.5, 1.5))
def test_reset_comes_home_from_anywhere_and_never_passes_the_target(azimuth, altitude):
    home = Camera(eye=(-7.0, 2.5, 9.4))
    control = Orbit(placed(home, Angles(azimuth, altitude, 40.0)), home=home)
    control.reset()
    nearest = 40.0
    for _ in range(200):
        control.step(0.02)
        nearest = min(nearest, control.camera.distance)
    assert control.camera == home
    assert nearest > home.distance * (1 - 1e-9)


def test_a_turn_takes_the_short_way_round():
    home = placed(Camera(), Angles(3.0, 0.0, 5.0))
    control = Orbit(placed(Camera(), Angles(-3.0, 0.0, 5.0)), home=home)
    control.reset()
    control.step(0.03)
    # From -3 to 3 the short way is over pi: 0.28 radians.
    assert abs(shortest(angles(control.camera).azimuth - math.pi)) < 0.15


def test_the_camera_keeps_the_pole_as_its_up_where_it_can():
    control = Orbit(Camera())
    control.orbit(0.3, 0.4)
    assert control.camera.up == (0.0, 1.0, 0.0)
