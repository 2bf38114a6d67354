"""Laws of moving a camera, each checked by projecting a world point with the camera's own matrices."""

import numpy as np
import pytest

from engine.view.camera import Camera
from engine.view.pan_zoom import PanZoom, depth_of, panned, place, point_at, reach, shifted, zoomed

SIZE = (0.0, 0.0, 900.0, 600.0)
ASPECT = 1.5
PERSPECTIVE = Camera(eye=(-7.0014, 2.5015, 9.4193))
FLAT = Camera(eye=(1.0, 2.0, 10.0), target=(1.0, 2.0, 0.0), fov=0.0, height=4.0)
CAMERAS = pytest.mark.parametrize("camera", [PERSPECTIVE, FLAT], ids=["perspective", "orthographic"])
# Products of a handful of float64 matrices; world sizes about 10.
CLOSE = 1e-9


def seen(camera, point):
    """(x, y) of a world point in the picture, by the camera's matrices."""
    clip = camera.projection(ASPECT) @ camera.view() @ np.append(point, 1.0)
    return clip[:2] / clip[3]


def event(kind, x=0.0, y=0.0, button=1, modifiers=(), dy=0.0):
    return {"event_type": kind, "x": x, "y": y, "button": button, "modifiers": modifiers, "dx": 0.0, "dy": dy}


@CAMERAS
def test_the_point_under_a_pixel_is_drawn_at_that_pixel(camera):
    for x, y in np.random.default_rng(1).uniform(-1, 1, (20, 2)):
        point = point_at(camera, x, y, ASPECT, depth=7.5)
        assert np.allclose(seen(camera, point), (x, y), atol=CLOSE)
        assert depth_of(camera, point) == pytest.approx(7.5)


@CAMERAS
def test_a_panned_thing_keeps_to_the_pointer(camera):
    rng = np.random.default_rng(2)
    for start, end in rng.uniform(-1, 1, (20, 2, 2)):
        depth = rng.uniform(1, 20)
        thing = point_at(camera, *start, ASPECT, depth)
        assert np.allclose(seen(panned(camera, start, end, ASPECT, depth), thing), end, atol=CLOSE)


@CAMERAS
def test_panning_there_and_back_changes_nothing(camera):
    there = panned(camera, (0.1, 0.2), (-0.5, 0.7), ASPECT, 9.0)
    back = panned(there, (-0.5, 0.7), (0.1, 0.2), ASPECT, 9.0)
    assert np.allclose(back.eye, camera.eye, atol=CLOSE) and np.allclose(back.target, camera.target, atol=CLOSE)


@CAMERAS
@pytest.mark.parametrize("factor", [0.2, 0.9, 3.0])
def test_what_is_zoomed_at_stays_where_it_is_and_its_size_changes_by_the_factor(camera, factor):
    for x, y in np.random.default_rng(3).uniform(-1, 1, (10, 2)):
        anchor = point_at(camera, x, y, ASPECT, 8.0)
        closer = zoomed(camera, anchor, factor)
        assert np.allclose(seen(closer, anchor), (x, y), atol=1e-7)
        beside = anchor + 1e-4 * camera.right
        grown = np.linalg.norm(seen(closer, beside) - (x, y)) / np.linalg.norm(seen(camera, beside) - (x, y))
        # The first order of a projection over a step of 1e-4 at a distance of 1.6 and more.
        assert grown == pytest.approx(1.0 / factor, rel=1e-3)


def test_place_counts_from_the_middle_of_the_picture_not_of_the_canvas():
    viewport = (100.0, 50.0, 400.0, 200.0)
    assert place(300, 150, viewport) == (0.0, 0.0)
    assert place(500, 50, viewport) == (1.0, 1.0)


@CAMERAS
def test_the_wheel_keeps_the_found_point_under_the_pointer_all_the_way(camera):
    found = point_at(camera, 0.4, -0.3, ASPECT, 6.0)
    control = PanZoom(camera, find=lambda x, y: found)
    x, y = 450 * 1.4, 300 * 1.3
    for _ in range(3):
        assert control.event(event("wheel", x, y, dy=-100), SIZE)
        for _ in range(4):
            control.step(1 / 60)
            assert np.allclose(seen(control.camera, found), (0.4, -0.3), atol=1e-6)
    for _ in range(200):
        control.step(1 / 60)
    assert control.camera is control.goal
    # Three notches of 1.15.
    assert reach(control.camera) == pytest.approx(reach(camera) / 1.15**3)


def test_without_a_surface_the_wheel_zooms_at_the_target_s_distance():
    control = PanZoom(PERSPECTIVE)
    anchor = point_at(PERSPECTIVE, 0.5, 0.5, ASPECT, PERSPECTIVE.distance)
    control.event(event("wheel", 675, 150, dy=-300), SIZE)
    assert np.allclose(seen(control.goal, anchor), (0.5, 0.5), atol=1e-7)


def test_zooming_stops_before_the_camera_reaches_its_target_and_before_the_picture_is_a_dot():
    for notch in (-100, 100):
        control = PanZoom(PERSPECTIVE)
        for _ in range(500):
            control.event(event("wheel", 450, 300, dy=notch), SIZE)
        # From a two-thousandth of the home distance to fifty times it.
        assert 4e-4 < control.goal.distance / PERSPECTIVE.distance < 51


def test_centring_keeps_the_direction_and_puts_the_point_in_the_middle():
    point = np.array([1.0, -2.0, 0.5])
    control = PanZoom(PERSPECTIVE, find=lambda x, y: point)
    assert control.event(event("double_click", 10, 10), SIZE)
    assert np.allclose(seen(control.goal, point), 0.0, atol=CLOSE)
    assert np.allclose(control.goal.forward, PERSPECTIVE.forward)
    assert control.camera is PERSPECTIVE, "it goes there by steps, not at once"


def test_a_double_click_on_nothing_moves_nothing():
    control = PanZoom(PERSPECTIVE)
    control.event(event("double_click", 10, 10), SIZE)
    assert control.goal is PERSPECTIVE


@CAMERAS
def test_a_drag_moves_what_was_grabbed_along(camera):
    grabbed = point_at(camera, 0.0, 0.0, ASPECT, 5.0)
    control = PanZoom(camera, find=lambda x, y: grabbed)
    control.event(event("pointer_down", 450, 300), SIZE)
    assert control.is_moving
    for x, y in ((460, 310), (700, 120), (1000, 50)):
        control.event(event("pointer_move", x, y), SIZE)
        assert np.allclose(seen(control.camera, grabbed), place(x, y, SIZE), atol=CLOSE)
    control.event(event("pointer_up", 1000, 50), SIZE)
    assert not control.is_moving


def test_another_button_s_release_does_not_end_a_drag():
    control = PanZoom(FLAT)
    control.event(event("pointer_down", 450, 300, button=1), SIZE)
    assert not control.event(event("pointer_down", 450, 300, button=2), SIZE)
    assert not control.event(event("pointer_up", 450, 300, button=2), SIZE)
    assert control.is_dragging


def test_moving_the_pointer_without_a_button_moves_nothing():
    control = PanZoom(FLAT)
    assert not control.event(event("pointer_move", 3, 3), SIZE)
    assert control.camera is FLAT


@pytest.mark.parametrize("split", [1, 2, 7])
def test_easing_depends_on_the_seconds_and_not_on_their_division(split):
    there = shifted(FLAT, (3.0, -1.0, 0.0)).with_(height=1.0)

    def after(parts):
        control = PanZoom(FLAT)
        control.goal = there
        for _ in range(parts):
            control.step(0.1 / parts)
        return control.camera

    assert np.allclose(after(split).target, after(1).target, atol=CLOSE)
    assert after(split).height == pytest.approx(after(1).height)


def test_no_seconds_no_way():
    control = PanZoom(FLAT)
    control.goal = shifted(FLAT, (1.0, 0.0, 0.0))
    assert control.step(0.0)
    assert np.allclose(control.camera.target, FLAT.target)


def test_an_endless_step_arrives():
    control = PanZoom(FLAT)
    control.goal = shifted(FLAT, (1.0, 0.0, 0.0))
    assert not control.step(1e9)
    assert control.camera is control.goal
