"""A window's frames beside a thread that draws: they are shown whatever that waits for, and lose nothing."""

from contextlib import suppress

import numpy as np
import pytest
from slow_window import SIZE, Window

from engine.app.live.frames import FIRST_STEP
from engine.app.live.recovery import WENT_ON
from engine.errors import DeviceLostError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.render.painter import Painter
from engine.render.renderer import Renderer


def assert_shows(frame, window):
    """That a frame shows the picture that the renderer makes; words apart, which are blended at another moment."""
    wanted = Renderer().frame(window.scene, window.viewer.clock, SIZE, 9).pixels()
    assert (np.abs(frame.astype(int) - wanted).max(axis=-1) <= 1).mean() > 0.98


@pytest.fixture
def window():
    made = Window()
    yield made
    made.scene.hold.set()
    made.canvas.close()


def test_at_rest_the_window_shows_the_picture_that_the_renderer_makes(window):
    frame = window.settled()
    assert_shows(frame, window)


@pytest.mark.parametrize("compiles", [True, False])
def test_frames_are_shown_while_the_picture_waits(window, compiles):
    window.settled()
    before = window.viewer.painter.picture
    window.stuck(compiles=compiles)
    for _ in range(3):
        frame = window.canvas.draw()
    assert window.viewer.painter.picture is before and np.ptp(np.asarray(frame)[..., :3]) > 50
    if compiles:
        window.until(lambda: "compiling a shader" in window.viewer.status())
    window.scene.hold.set()
    window.until(lambda: window.viewer.painter.picture is not before)


def test_a_drag_is_seen_while_the_picture_waits(window):
    window.settled()
    window.stuck(compiles=False)
    before = np.array(window.canvas.draw())
    window.drag((80, 50), (110, 60))
    after = np.array(window.canvas.draw())
    assert window.scene.camera is not window.viewer.controls.camera
    assert (before != after).any(axis=-1).mean() > 0.02
    window.scene.hold.set()
    window.until(lambda: window.scene.camera is window.viewer.controls.camera)


def test_what_is_set_while_the_scene_computes_is_set_afterwards_and_in_order(window):
    window.settled()
    window.stuck(compiles=False)
    assert window.viewer.assign("level", 0.5) and window.viewer.assign("level", 0.75)
    assert window.scene.level not in (0.5, 0.75)
    window.scene.hold.set()
    window.until(lambda: window.scene.level == 0.75)


def test_a_device_that_is_lost_while_the_scene_computes_is_replaced_afterwards(window):
    window.settled()
    window.stuck(compiles=False)
    viewer, before = window.viewer, (window.viewer.painter, window.viewer.scene)
    device().handle.destroy()
    with suppress(DeviceLostError):  # the library tells of it when it is used
        Array("u4", 1).read()
    for _ in range(3):
        window.canvas.draw()
    assert (viewer.painter, viewer.scene) == before
    window.scene.hold.set()
    window.until(lambda: viewer.notices.problem == WENT_ON)
    assert viewer.painter is not before[0] and viewer.scene is not before[1]


def test_what_is_set_while_a_shader_compiles_is_set_at_once(window):
    window.settled()
    window.stuck(compiles=True)
    assert window.viewer.assign("level", 0.5)
    window.until(lambda: window.scene.level == 0.5)
    assert not window.scene.hold.is_set()


def test_the_same_picture_comes_after_many_changes(window):
    window.settled()
    for k in range(30):
        window.viewer.assign("level", 0.02 * k)
        window.canvas.draw()
    window.until(lambda: window.scene.level == 0.58)
    frame = window.settled()
    assert_shows(frame, window)


def test_an_error_of_the_scene_is_a_line_and_the_window_goes_on(window, capsys):
    window.settled()
    window.scene.update = lambda clock: 1 / 0
    window.viewer.changed()
    window.until(lambda: window.viewer.notices.problem is not None)
    assert "ZeroDivisionError" in window.viewer.notices.problem
    del window.scene.update
    before = window.viewer.painter.picture
    window.viewer.changed()
    window.until(lambda: window.viewer.painter.picture is not before)


def test_a_recording_goes_on_beside_the_frames(tmp_path):
    from engine.app.make import recording

    window = Window(folder=tmp_path, recording=recording)
    window.settled()
    window.viewer.recording.set_seconds(0.2, 600.0, window.viewer.notices.show_problem)
    window.viewer.record()
    window.until(lambda: "saved" in (window.viewer.notices.message or ""))
    assert [path.name for path in tmp_path.iterdir()] == ["slow-0001.gif"]
    frame = window.settled()
    assert_shows(frame, window)
    window.canvas.close()


def test_a_window_that_is_closed_while_it_records_leaves_nothing(tmp_path):
    from engine.app.make import recording

    window = Window(folder=tmp_path, recording=recording)
    window.settled()
    window.viewer.record()
    window.until(lambda: window.viewer.recording.is_running)
    window.canvas.close()
    assert not window.viewer.recording.is_running and list(tmp_path.iterdir()) == []


def test_the_time_between_frames_is_rest_as_long_as_a_finer_picture_waits(window, monkeypatch):
    viewer, wall, rested = window.viewer, [100.0], []
    window.settled()
    monkeypatch.setattr(type(viewer), "needs_frame", False)
    window.canvas.draw()
    monkeypatch.setattr("engine.app.live.frames.time.perf_counter", lambda: wall[0])
    monkeypatch.setattr(viewer.painter.refinement, "rested", rested.append)
    for is_done, seconds in ((True, FIRST_STEP), (False, FIRST_STEP), (False, 0.25), (True, 0.25), (True, FIRST_STEP)):
        monkeypatch.setattr(Painter, "is_done", is_done)
        window.canvas.draw()
        assert rested[-1] == pytest.approx(seconds)
        wall[0] += 0.25
