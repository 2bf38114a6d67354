"""A live view: mouse, keys, time, refinement, errors, saving; on an off-screen canvas."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hands import FRAME, Hands
from PIL import Image
from workshop import Workshop

from engine.app.picture_state import read_state
from engine.draw.drawable import Hit
from engine.errors import SettingError
from engine.output.window import has_display
from engine.ui.cards import STATUS
from engine.ui.theme import WIDTH as PANEL
from engine.view.camera import Camera

# The middle of the picture of Hands' canvas.
MIDDLE = (120.0, 310.0)
WIDTH, HIGH = int(PANEL), 620 - int(STATUS)


@pytest.fixture
def hands(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = Hands(Workshop())
    yield made
    made.close()


def hit_at(position):
    return Hit(node=None, position=position, distance=1.0, value=0.5, gradient=(0.0, 0.0, 1.0), level=0.5)


# Mouse.


def test_left_drag_turns_and_keeps_the_distance(hands):
    before = hands.scene.camera
    hands.drag(MIDDLE, (180, 340))
    after = hands.scene.camera
    assert not np.allclose(after.eye, before.eye)
    assert after.target == before.target and after.distance == pytest.approx(before.distance)


@pytest.mark.parametrize(("button", "modifiers"), [(2, ()), (3, ()), (1, ("Shift",))])
def test_right_middle_and_shift_left_drag_pan(hands, button, modifiers):
    before = hands.scene.camera
    hands.drag(MIDDLE, (180, 340), button=button, modifiers=modifiers)
    after = hands.scene.camera
    assert np.allclose(after.forward, before.forward) and not np.allclose(after.target, before.target)


def test_the_wheel_zooms_and_eases(hands):
    before = hands.scene.camera.distance
    hands.wheel(*MIDDLE, 1)
    first = hands.scene.camera.distance
    hands.wait(1.0)
    # A notch is 1.15.
    assert before > first > hands.scene.camera.distance == pytest.approx(before / 1.15)


def test_the_wheel_keeps_what_is_under_the_pointer_there(hands, monkeypatch):
    camera = hands.scene.camera
    aspect = 240 / HIGH
    origin, direction = camera.ray(0.5, -0.25, aspect)
    point = origin + 8.0 * direction
    monkeypatch.setattr(hands.viewer.painter.renderer, "pick", lambda *_: hit_at(tuple(point)))
    hands.wheel(180, HIGH / 2 * 1.25, 2)
    hands.wait(1.0)
    camera = hands.scene.camera
    clip = camera.projection(aspect) @ camera.view() @ np.append(point, 1.0)
    assert np.allclose(clip[:2] / clip[3], (0.5, -0.25), atol=1e-6)


def test_double_click_centres_on_the_surface_under_the_pointer(hands, monkeypatch):
    monkeypatch.setattr(hands.viewer.painter.renderer, "pick", lambda *_: hit_at((1.0, 2.0, -1.0)))
    hands.double(60, 200)
    hands.wait(1.5)
    assert np.allclose(hands.scene.camera.target, (1.0, 2.0, -1.0))


def test_the_pick_is_asked_for_the_pixel_under_the_pointer(hands, monkeypatch):
    asked = []
    monkeypatch.setattr(
        hands.viewer.painter.renderer, "pick", lambda scene, clock, size, x, y: asked.append((size, x, y))
    )
    hands.move(100.0, 50.0)
    hands.wait(0.2)
    assert asked == [((240, HIGH), 99.5, 49.5)]


def test_a_drag_that_began_in_the_panel_turns_nothing(hands):
    before = hands.scene.camera
    hands.drag((545, 40), (100, 300))
    assert hands.scene.camera is before


def test_a_drag_that_leaves_the_picture_goes_on(hands):
    hands.press(*MIDDLE)
    hands.move(200, 310, buttons=(1,))
    before = hands.scene.camera
    hands.move(500, 310, buttons=(1,))
    assert not np.allclose(hands.scene.camera.eye, before.eye)
    hands.release(500, 310)


def test_a_setting_that_moves_the_camera_moves_the_controls(hands):
    there = Camera(eye=(0.0, 1.0, 20.0))
    hands.scene.camera = there
    hands.frame()
    hands.drag(MIDDLE, (121, 310))
    assert hands.scene.camera.distance == pytest.approx(there.distance)


# Reading.


def test_the_reading_appears_when_the_pointer_rests_and_goes_when_it_moves(hands, monkeypatch):
    monkeypatch.setattr(hands.viewer.painter.renderer, "pick", lambda *_: hit_at((1.0, 2.0, -3.0)))
    hands.move(*MIDDLE)
    assert hands.viewer.pointer.reading is None
    hands.wait(0.2)
    assert hands.viewer.pointer.reading.title == "level 0.5"
    hands.move(20, 20)
    assert hands.viewer.pointer.reading is None


def test_over_the_panel_there_is_no_reading(hands, monkeypatch):
    monkeypatch.setattr(hands.viewer.painter.renderer, "pick", lambda *_: hit_at((1.0, 2.0, -3.0)))
    hands.move(400, 300)
    hands.wait(0.2)
    assert hands.viewer.pointer.reading is None


# Keys.


def test_space_plays_and_pauses(hands):
    hands.key(" ")
    hands.wait(0.5)
    at = hands.viewer.clock.time
    # 30 ticks, and the frames around them.
    assert at == pytest.approx(0.5, abs=3.1 * FRAME)
    hands.key(" ")
    at = hands.viewer.clock.time
    hands.wait(0.5)
    assert hands.viewer.clock.time == at


def test_arrows_run_the_scene_s_actions_and_repeat_while_held(hands):
    hands.key("ArrowUp")
    assert hands.scene.level == 0.5
    hands.frame({"event_type": "key_down", "key": "ArrowDown", "modifiers": ()})
    hands.wait(0.6)
    hands.frame({"event_type": "key_up", "key": "ArrowDown", "modifiers": ()})
    held = hands.scene.level
    assert held < -0.2
    hands.wait(0.6)
    assert hands.scene.level == held


@pytest.mark.parametrize("key", ["n", "N"])
def test_n_randomizes(hands, key):
    before = hands.scene.seed
    hands.key(key)
    assert hands.scene.seed != before


def test_r_resets_the_view(hands):
    hands.drag(MIDDLE, (180, 340))
    hands.key("r")
    hands.wait(2.0)
    assert hands.scene.camera == Workshop.home


@pytest.mark.parametrize(("key", "modifiers"), [("h", ()), ("?", ("Shift",)), ("/", ("Shift",))])
def test_h_and_the_question_mark_open_the_help_and_escape_closes_it_first(hands, key, modifiers):
    plain = hands.viewer.still()
    hands.key(key, *modifiers)
    assert hands.viewer.overlay.help_shown
    assert (hands.viewer.still() != plain).mean() > 0.05
    hands.key("Escape")
    assert not hands.viewer.overlay.help_shown and not hands.canvas.get_closed()


def test_tab_folds_the_panel_and_the_picture_takes_its_place(hands):
    hands.key("Tab")
    hands.frame()
    assert hands.viewer.painter.picture.size == (560, HIGH)
    hands.key("Tab")
    hands.frame()
    assert hands.viewer.painter.picture.size == (560 - WIDTH, HIGH)


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_q_and_escape_quit(monkeypatch, key):
    hands = Hands(Workshop())
    hands.canvas.send({"event_type": "key_down", "key": key, "modifiers": ()})
    assert hands.canvas.get_closed()


def test_ctrl_n_is_not_n(hands):
    before = hands.scene.seed
    hands.key("n", "Control")
    assert hands.scene.seed == before


# Drawing.


def test_at_rest_nothing_is_left_to_draw(hands):
    hands.wait(2.0)
    assert not hands.viewer.needs_frame


def test_a_picture_is_drawn_again_only_when_something_changed(hands, monkeypatch):
    drawn = []
    steps = hands.viewer.painter.renderer.steps
    monkeypatch.setattr(hands.viewer.painter.renderer, "steps", lambda *a, **b: drawn.append(a[3]) or steps(*a, **b))
    for _ in range(5):
        hands.frame()
    assert drawn == []
    hands.viewer.assign("level", 1.0)
    for _ in range(5):
        hands.frame()
    assert drawn == [1]


def test_a_picture_at_rest_goes_from_one_sample_to_four_to_nine(monkeypatch):
    hands = Hands(Workshop(), size=(400, 100), samples=(1, 4, 9))
    for _ in range(5):
        hands.frame()
    assert hands.viewer.status().endswith("9 samples")
    hands.viewer.assign("level", 1.0)
    hands.frame()
    # The change's own frame has one sample, drawn at once.
    assert "1 sample" in hands.viewer.status() or "4 samples" in hands.viewer.status()
    hands.close()


def test_the_picture_is_the_renderer_s_to_the_byte(hands):
    alone = hands.viewer.painter.renderer.frame(hands.scene, hands.viewer.clock, (560 - WIDTH, HIGH), 4).pixels()
    still = hands.viewer.still()[:, : 560 - WIDTH]
    assert np.array_equal(still[:HIGH], alone)


def test_two_stills_are_the_same_bytes_and_let_no_time_pass(hands):
    hands.key(" ")
    at = hands.viewer.clock.time
    assert np.array_equal(hands.viewer.still(), hands.viewer.still())
    assert hands.viewer.clock.time == at


def test_without_a_panel_the_picture_fills_the_canvas_and_imgui_is_not_loaded():
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from workshop import Workshop\n"
        "from engine.output.offscreen import make_canvas\n"
        "from engine.app.viewer import Viewer\n"
        "viewer = Viewer(Workshop(), make_canvas((90, 60)), panel=False)\n"
        "assert viewer.still().shape == (60, 90, 4)\n"
        "assert viewer.painter.picture.size == (90, 60)\n"
        "assert 'imgui_bundle' not in sys.modules\n"
    )
    tests = Path(__file__).parents[1]
    folders = [str(tests / "shared"), str(tests.parent)]
    done = subprocess.run([sys.executable, "-c", code, *folders], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_at_twice_the_pixels_the_panel_is_as_wide_and_twice_as_fine():
    from engine.app.viewer import Viewer
    from engine.output.offscreen import make_canvas

    canvas = make_canvas((500, 300), pixel_ratio=2.0)
    viewer = Viewer(Workshop(), canvas)
    assert viewer.still().shape == (600, 1000, 4)
    assert viewer.painter.picture.size == (1000 - 2 * WIDTH, 600 - 2 * STATUS)
    canvas.close()


@pytest.mark.parametrize("size", [(300, 200), (330, 40), (40, 30)])
def test_a_canvas_too_small_for_the_panel_still_draws(size):
    hands = Hands(Workshop(), size=size)
    assert hands.frame().shape == (size[1], size[0], 4)
    hands.key("Tab")
    hands.frame()
    assert hands.viewer.painter.picture.size == size and hands.viewer.notices.problem is None
    hands.close()


def test_a_small_live_view_begins_with_the_picture_alone():
    hands = Hands(Workshop(), size=(400, 200), live=True)
    assert hands.viewer.painter.picture.size == (400, 200)
    hands.close()


def test_a_rest_is_no_time_for_what_begins_to_move_after_it(monkeypatch):
    wall = [100.0]
    monkeypatch.setattr("engine.app.live.frames.time.perf_counter", lambda: wall[0])
    hands = Hands(Workshop(), live=True)
    viewer = hands.viewer
    while viewer.needs_frame:
        wall[0] += 0.05
        hands.canvas.draw()
    wall[0] += 60.0
    viewer.transport.toggle()
    hands.canvas.draw()
    assert viewer.transport.time == pytest.approx(FRAME)
    wall[0] += 0.2
    hands.canvas.draw()
    assert viewer.transport.time == pytest.approx(FRAME + 0.2)
    hands.close()


# What goes wrong.


def test_an_error_while_drawing_is_one_line_and_the_window_lives_on(hands):
    hands.scene.fails = SettingError("levels=0: it takes a number above 0.")
    hands.viewer.assign("level", 1.0)
    hands.frame()
    hands.frame()
    assert hands.viewer.notices.problem == "levels=0: it takes a number above 0."
    hands.scene.fails = None
    hands.viewer.assign("level", 0.5)
    hands.frame()
    assert hands.viewer.notices.problem is None and hands.scene.told is not None


def test_a_scene_s_own_bug_is_one_line_too(hands, capsys):
    hands.scene.fails = ZeroDivisionError("division by zero")
    hands.viewer.assign("level", 1.0)
    for _ in range(3):
        hands.frame()
    assert hands.viewer.notices.problem == "ZeroDivisionError: division by zero"
    # Its author finds the place, once.
    assert capsys.readouterr().err.count("Traceback") == 1


def test_an_action_that_fails_is_said(hands):
    def fail():
        raise SettingError("there is nothing to do.")

    hands.viewer.notices.run(fail)
    assert hands.viewer.notices.problem == "there is nothing to do."


def test_a_panel_that_fails_half_way_can_be_drawn_again(hands, capsys):
    actions = hands.scene.actions
    hands.scene.actions = lambda: 1 / 0
    hands.frame()
    assert "ZeroDivisionError" in hands.viewer.notices.problem
    del hands.scene.actions
    assert hands.scene.actions == actions
    hands.frame()
    hands.frame()
    assert "act.Level up" in hands.viewer.overlay.widgets.places


# Time.


def test_a_change_of_the_loop_keeps_its_phase(hands):
    hands.viewer.transport.scrub(1.0)
    hands.scene.loop = 8.0
    hands.frame()
    assert hands.viewer.transport.time == 2.0 and hands.viewer.transport.loop == 8.0


def test_the_scene_gets_the_transport_s_time(hands):
    hands.viewer.transport.scrub(1.25)
    hands.viewer.painter.refinement.moved()
    hands.frame()
    assert hands.scene.told.time == 1.25


# Saving.


def test_f12_saves_the_picture_with_its_state_under_a_free_name(hands, tmp_path):
    hands.viewer.assign("level", 1.5)
    hands.viewer.transport.scrub(1.25)
    hands.key("F12")
    hands.key("F12")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["workshop-0001.png", "workshop-0002.png"]
    assert "saved workshop-0002.png" in hands.viewer.notices.message
    state = read_state(tmp_path / "workshop-0001.png")
    assert state["settings"]["level"] == 1.5 and state["time"] == 1.25
    assert Image.open(tmp_path / "workshop-0001.png").size == (560 - WIDTH, HIGH)


def test_a_recording_runs_a_frame_at_a_time_and_says_where_it_is(hands, tmp_path):
    recording = hands.viewer.recording
    recording.set_seconds(0.2, 600.0, hands.viewer.notices.show_problem)
    hands.click(*hands.place("record.start"))
    assert recording.is_running and recording.progress[1] == 5
    for _ in range(8):
        hands.frame()
    assert not recording.is_running and "saved workshop-0001.gif" in hands.viewer.notices.message
    # 25 frames a second, GIF's own.
    assert Image.open(tmp_path / "workshop-0001.gif").n_frames == 5


def test_a_cancelled_recording_leaves_nothing(hands, tmp_path):
    hands.click(*hands.place("record.start"))
    hands.frame()
    hands.click(*hands.place("record.cancel"))
    assert not hands.viewer.recording.is_running
    assert list(tmp_path.iterdir()) == []


def test_a_closed_window_cancels_its_recording(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hands = Hands(Workshop())
    hands.click(*hands.place("record.start"))
    hands.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not has_display(), reason="there is no display to open a window on")
def test_a_window_opens_draws_and_closes():
    from engine.app.viewer import Viewer
    from engine.output.window import make_canvas

    canvas = make_canvas((500, 300), "test")
    viewer = Viewer(Workshop(), canvas)
    canvas.force_draw()
    assert viewer.live and viewer.painter.picture is not None and viewer.notices.problem is None
    viewer.quit()
    assert canvas.get_closed()


def test_a_view_that_was_given_nothing_to_save_with_says_so(tmp_path):
    from engine.app.viewer import Viewer
    from engine.output.offscreen import make_canvas

    canvas = make_canvas((500, 300))
    viewer = Viewer(Workshop(), canvas, folder=tmp_path)
    assert viewer.save_picture() is None and "`save`" in viewer.notices.problem
    viewer.record()
    assert "`recording`" in viewer.notices.problem and list(tmp_path.iterdir()) == []
    canvas.close()
