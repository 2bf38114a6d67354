"""A window's frames wait for no hook of the scene, for no pick, and draw the panel where a hand may use it."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from slow_window import Slow, Window

import engine
from engine.gpu.native import apart
from engine.ui.theme import WIDTH


class Telling(Slow):
    """A scene whose hooks say something, once they are let."""

    def __init__(self, **values):
        self.let, self.asked = threading.Event(), threading.Event()
        super().__init__(**values)

    def _wait(self):
        self.asked.set()
        apart.apart(self.let.wait, "a hook")

    def remark(self):
        self._wait()
        return "said at last"

    def timeline(self):
        self._wait()
        return engine.Timeline(np.arange(3), np.arange(3.0), ())

    def actions(self):
        self._wait()
        return [engine.Action("turn", lambda: None, "t", "turn it")]

    def shown_data(self, name):
        self._wait()


@pytest.fixture
def window():
    made = Window(Telling)
    yield made
    made.scene.let.set()
    made.canvas.close()


def test_frames_wait_for_no_hook_and_have_its_answer_once_it_is_there(window):
    viewer = window.viewer
    window.until(window.scene.asked.is_set)
    assert viewer.transport.timeline is None and not any(a.name == "turn" for a in viewer.key_actions())
    window.canvas.draw()
    window.scene.let.set()
    window.until(lambda: "said at last" in viewer.status())
    assert viewer.transport.timeline.count == 3 and any(action.name == "turn" for action in viewer.key_actions())


def test_what_was_said_of_another_picture_is_not_said_while_things_move(window):
    window.scene.let.set()
    window.until(lambda: "said at last" in window.viewer.status())
    window.viewer.changed()
    assert "said at last" not in window.viewer.status()


def test_an_edit_can_be_undone_that_was_made_while_the_scene_computes():
    window = Window()
    try:
        window.until(lambda: window.viewer.history is not None)
        before = window.scene.matrix()
        window.stuck(compiles=False)
        window.viewer.edited(window.viewer.history.edit(0, 0, 0, 0.125))
        window.scene.hold.set()
        window.until(lambda: window.scene.matrix() is not before)
        window.settled()
        assert window.viewer.history.can_undo
        window.viewer.undo()
        window.until(lambda: window.scene.matrix().equals(before))
    finally:
        window.scene.hold.set()
        window.canvas.close()


def test_the_wheel_waits_for_nothing_and_zooms_at_what_was_found_there():
    window, let, picked = Window(), threading.Event(), []
    try:
        window.settled()
        viewer = window.viewer
        viewer.painter.renderer.pick = lambda *_: picked.append(apart.apart(let.wait)) or None
        before = viewer.controls.camera.distance
        window.canvas.send({"event_type": "wheel", "x": 80, "y": 50, "dx": 0.0, "dy": -100.0, "buttons": (),
                            "modifiers": ()})  # fmt: skip
        window.until(lambda: viewer.controls.camera.distance != before)
        let.set()
        window.until(lambda: picked)
        viewer.picking._found = tuple(viewer.controls.camera.target)
        assert viewer.picking.find(0.0, 0.0) == viewer.picking._found
        assert viewer.picking.find(0.9, 0.9) is None
    finally:
        let.set()
        window.canvas.close()


def test_a_hand_before_the_first_picture_asks_for_no_pick_and_then_one_for_all_places_of_the_wheel():
    window, let, picked = Window(), threading.Event(), []
    try:
        viewer = window.viewer
        viewer.painter.renderer.pick = lambda *args: picked.append(args[-2:]) or (apart.apart(let.wait) and None)
        shown, viewer.painter.picture = viewer.painter.picture, None
        assert viewer.picking.find(0.0, 0.0) is None and viewer.picking._wanted is None
        viewer.painter.picture = shown
        window.settled()
        for x in (0.0, 0.2, 0.4, 0.6):
            viewer.picking.find(x, 0.0)
            window.until(lambda: picked)
        let.set()
        window.until(lambda: len(picked) == 2)
        assert picked[1][0] > picked[0][0]
    finally:
        let.set()
        window.canvas.close()


def test_while_a_hand_drags_the_picture_the_panel_is_shown_as_it_was(monkeypatch):
    window = Window(panel=True, size=(700, 240))
    try:
        before = window.settled()
        drawn, overlay = [], window.viewer.overlay
        draw = overlay._draw
        monkeypatch.setattr(overlay, "_draw", lambda *size: drawn.append(size) or draw(*size))
        window.canvas.draw()
        assert drawn
        window.drag((80, 50), (84, 60))
        overlay._since = -60.0  # no frame of this test comes too late
        drawn.clear()
        frames = [np.array(window.canvas.draw()) for _ in range(3)]
        assert not drawn and all((frame[:, -int(WIDTH) :] == before[:, -int(WIDTH) :]).all() for frame in frames)
        overlay._since = 60.0
        window.canvas.draw()
        assert drawn
    finally:
        window.canvas.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="only Linux names threads there")
def test_the_threads_that_give_way_are_the_drivers_that_compute(monkeypatch):
    given, names = {}, {}
    monkeypatch.setattr(os, "setpriority", lambda which, task, nice: given.__setitem__(task, nice))
    apart.give_way()
    for task in os.listdir("/proc/self/task"):
        names[int(task)] = Path(f"/proc/self/task/{task}/comm").read_text()
    assert not set(given) & {thread.native_id for thread in threading.enumerate()}
    assert not any(names.get(task, "").startswith("llvmpipe-0") for task in given)
    assert all(nice >= apart.BEHIND for nice in given.values())
