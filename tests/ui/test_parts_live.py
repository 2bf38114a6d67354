"""The timeline, the units, the diagram and the listing, used as a person would, with mouse and keys."""

import itertools

import numpy as np
import pytest
from hands import Hands
from story import Story
from workshop import Workshop

from engine.app.viewer import Viewer
from engine.output.offscreen import make_canvas
from engine.scene.view_data import Action
from engine.ui.cards import STATUS
from engine.ui.theme import WIDTH
from engine.ui.widgets.timeline import LEAST

SIZE = (900, 1000)
ALL = ((True,) * 4, (True,) * 3)


@pytest.fixture
def hands(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = Hands(Story(), SIZE)
    yield made
    made.close()


def index(hands):
    return hands.viewer.transport.index


def at_snapshot(hands, number):
    """(x, y) over a snapshot of ten evenly spaced ones, on the slider."""
    x, y, width, height = hands.viewer.overlay.widgets.places["timeline.track"]
    # The track's area reaches 8 pixels beyond either end.
    return x + 8.0 + (width - 16.0) * number / 9.0, y + height - 24.0


# The picture and the strip.


def test_the_picture_gets_what_is_left_above_the_strip(hands):
    below = hands.viewer.overlay.below
    assert 100 + STATUS <= below <= 150 + STATUS
    assert hands.viewer.painter.picture.size == (SIZE[0] - WIDTH, SIZE[1] - below)


@pytest.mark.parametrize("fold", ["key", "button"])
def test_the_strip_folds_and_opens_and_the_picture_takes_its_place(hands, fold):
    if fold == "key":
        hands.key("t")
    else:
        hands.click(*hands.place("timeline.fold"))
    hands.frame()
    assert hands.viewer.painter.picture.size == (SIZE[0] - WIDTH, SIZE[1] - STATUS)
    if fold == "key":
        hands.key("t")
    else:
        x, y, width, height = hands.viewer.overlay.over.places["unfold.timeline"]
        hands.click(x + width / 2, y + height / 2)
    hands.frame()
    assert hands.viewer.painter.picture.size[1] == SIZE[1] - hands.viewer.overlay.below < SIZE[1]


def test_a_scene_without_snapshots_has_no_strip_and_no_keys_for_it():
    hands = Hands(Workshop(), SIZE)
    assert hands.viewer.overlay.below == STATUS and "timeline.track" not in hands.viewer.overlay.widgets.places
    hands.key("End")
    assert hands.viewer.transport.time == 0.0
    hands.close()


@pytest.mark.parametrize(
    ("size", "ratio"), [((600, 400), 1.0), ((600, 400), 1.5), ((900, 700), 2.0), ((360, 120), 1.0)]
)
def test_at_any_size_and_fineness_picture_and_strip_share_the_window(size, ratio):
    canvas = make_canvas(size, pixel_ratio=ratio)
    viewer = Viewer(Story(), canvas)
    still = viewer.still()
    assert still.shape == (size[1] * ratio, size[0] * ratio, 4)
    below = viewer.overlay.below
    # A very low window belongs to the picture.
    assert below >= LEAST + STATUS if size[1] >= 400 else below == 0.0
    assert viewer.painter.picture.size == ((size[0] - WIDTH) * ratio, (size[1] - below) * ratio)
    assert viewer.notices.problem is None
    canvas.close()


@pytest.mark.parametrize("width", [WIDTH + 170, WIDTH + 240, WIDTH + 300, WIDTH + 460, WIDTH + 640, WIDTH + 900])
def test_the_strip_s_buttons_do_not_lie_on_one_another(width):
    hands = Hands(Story(), (int(width), 500))
    places = hands.viewer.overlay.widgets.places
    mine = [p for name, p in places.items() if name.startswith("timeline.") and name != "timeline.track"]
    assert len(mine) >= 4
    for (a, _, wide, _), (b, _, _, _) in itertools.pairwise(sorted(mine)):
        # Segments beside each other touch, but for rounding.
        assert a + wide <= b + 1e-6
    hands.close()


def test_the_strip_has_the_theme_s_colours(hands):
    dark = hands.viewer.still()[-3, 3]
    hands.viewer.assign("theme", "paper")
    paper = hands.viewer.still()[-3, 3]
    assert dark[:3].max() < 60 and paper[:3].min() > 200


def test_two_stills_with_all_parts_are_the_same_bytes(hands):
    assert np.array_equal(hands.viewer.still(), hands.viewer.still())


# Going through time.


@pytest.mark.parametrize("number", [0, 4, 9])
def test_a_press_in_the_strip_goes_to_the_nearest_snapshot(hands, number):
    hands.viewer.transport.go(2)
    hands.click(*at_snapshot(hands, number))
    assert index(hands) == number
    assert hands.viewer.transport.time == float(number)
    hands.frame()
    assert hands.scene.drawn[-1] == number


def test_a_drag_scrubs_and_the_picture_follows(hands):
    hands.drag(at_snapshot(hands, 1), at_snapshot(hands, 8), steps=7)
    hands.frame()
    assert index(hands) == 8
    assert sorted(set(hands.scene.drawn)) == list(range(9))


def test_a_drag_in_the_strip_leaves_the_camera(hands):
    before = hands.scene.camera
    hands.drag(at_snapshot(hands, 1), (300.0, 200.0))
    assert hands.scene.camera is before


def test_the_wheel_over_the_strip_goes_one_snapshot_on_or_back(hands):
    x, y = at_snapshot(hands, 5)
    hands.wheel(x, y - 30.0, 1)
    hands.wheel(x, y - 30.0, 1)
    assert index(hands) == 2
    hands.wheel(x, y - 30.0, -1)
    assert index(hands) == 1


def test_arrows_home_and_end_go_through_the_snapshots(hands):
    hands.key("ArrowRight")
    hands.key("ArrowRight")
    hands.key("ArrowLeft")
    assert index(hands) == 1
    hands.key("End")
    assert index(hands) == 9
    hands.key("Home")
    assert index(hands) == 0
    hands.frame({"event_type": "key_down", "key": "ArrowRight", "modifiers": ()})
    hands.wait(0.8)
    hands.frame({"event_type": "key_up", "key": "ArrowRight", "modifiers": ()})
    assert index(hands) > 3


def test_a_scene_s_own_arrow_comes_first(hands):
    hands.scene.extra = (Action("mine", "something else", lambda: hands.scene.ran.append("mine"), key="ArrowRight"),)
    hands.key("ArrowRight")
    assert hands.scene.ran == ["mine"] and index(hands) == 0


def test_plus_and_minus_change_the_speed(hands):
    hands.key("+", "Shift")
    assert hands.viewer.transport.speed == 2.0
    # Where plus is on the key of the equals sign, windows may report that.
    hands.key("=", "Shift")
    assert hands.viewer.transport.speed == 5.0
    hands.key("-")
    assert hands.viewer.transport.speed == 2.0


def test_the_strip_s_buttons_play_step_and_change_the_speed(hands):
    hands.click(*hands.place("timeline.on"))
    hands.click(*hands.place("timeline.on"))
    hands.click(*hands.place("timeline.back"))
    assert index(hands) == 1
    hands.click(*hands.place("timeline.plus"))
    assert hands.viewer.transport.speed == 2.0
    hands.click(*hands.place("timeline.speed"))
    assert hands.viewer.transport.speed == 1.0
    hands.click(*hands.place("timeline.play"))
    hands.wait(2.0)
    assert hands.viewer.transport.playing and index(hands) == 3


def test_spacing_and_powers_are_the_scene_s(hands):
    hands.click(*hands.place("timeline.log"))
    assert hands.scene.powers
    for _ in range(2):
        # One button at this width, which goes through the spacings.
        hands.click(*hands.place("timeline.spacing"))
    assert hands.scene.spacing == "log"
    hands.viewer.assign("spacing", "step")
    hands.frame()
    hands.click(*at_snapshot(hands, 4.5))
    # Half of 10,000 steps are 5,000.
    assert hands.scene.steps[index(hands)] == 5000


def test_a_mark_close_to_the_pointer_is_gone_to(hands):
    hands.viewer.assign("spacing", "step")
    hands.frame()
    x, y, width, height = hands.viewer.overlay.widgets.places["timeline.track"]
    # Step 1,000 of 10,000 is the mark's; the pointer is 4 pixels from it.
    hands.click(x + 8.0 + (width - 16.0) / 10.0 + 4.0, y + height - 24.0)
    assert index(hands) == 6


def test_resting_over_the_strip_tells_the_step_above_it(hands):
    plain = hands.viewer.still()
    x, y = at_snapshot(hands, 5)
    hands.move(x, y)
    hands.wait(0.1)
    changed = np.argwhere((hands.viewer.still() != plain).any(2))
    top = SIZE[1] - hands.viewer.overlay.below
    card = changed[changed[:, 0] < top]
    assert len(card) > 2000 and abs(card[:, 1].mean() - x) < 40


def test_whoever_is_at_the_end_of_a_growing_story_stays_there(hands):
    hands.key("End")
    hands.scene.growing = True
    hands.scene.grow(5)
    hands.frame()
    assert index(hands) == 14
    hands.key("ArrowLeft")
    hands.scene.grow(5)
    hands.frame()
    assert index(hands) == 13


@pytest.mark.parametrize("count", [1, 2, 5000])
def test_one_snapshot_and_thousands_are_drawn(count):
    scene = Story()
    scene.steps, scene.curves = scene.steps[:1], tuple(
        type(c)(c.name, c.values[:1], c.colour, c.wide) for c in scene.curves
    )  # fmt: skip
    if count > 1:
        scene.grow(count - 1)
    scene.loop = float(count)
    hands = Hands(scene, (900, 400))
    hands.key("End")
    hands.frame()
    assert index(hands) == count - 1 and hands.viewer.notices.problem is None
    hands.close()


def test_a_timeline_that_fails_is_one_line_and_the_window_lives_on(hands, capsys):
    hands.scene.fails = ValueError("no such step")
    hands.frame()
    hands.frame()
    assert hands.viewer.notices.problem == "ValueError: no such step"


# Units.


def test_a_click_shows_or_hides_a_unit(hands):
    hands.click(*hands.place("units.0.2"))
    assert hands.scene.shown == ((True, True, False, True), ALL[1])
    hands.wait(1.0)
    hands.click(*hands.place("units.0.2"))
    assert hands.scene.shown == ALL


@pytest.mark.parametrize("how", ["shift", "double"])
def test_a_unit_alone_and_then_all_again(hands, how):
    press = hands.double if how == "double" else lambda x, y: hands.click(x, y, modifiers=("Shift",))
    press(*hands.place("units.1.1"))
    assert hands.scene.shown == ((False,) * 4, (False, True, False))
    hands.wait(1.0)
    press(*hands.place("units.1.1"))
    assert hands.scene.shown == ALL


def test_a_drag_hides_all_it_goes_over_however_quick(hands):
    start, end = hands.place("units.0.0"), hands.place("units.0.3")
    hands.drag(start, end, steps=1)
    assert hands.scene.shown == ((False,) * 4, ALL[1])


def test_all_and_a_layer_are_shown_and_hidden(hands):
    hands.click(*hands.place("units.1.hide"))
    assert hands.scene.shown == (ALL[0], (False,) * 3)
    hands.click(*hands.place("units.Hide all"))
    assert hands.scene.shown == ((False,) * 4, (False,) * 3)
    hands.click(*hands.place("units.1.show"))
    assert hands.scene.shown == ((False,) * 4, ALL[1])
    hands.click(*hands.place("units.Show all"))
    assert hands.scene.shown == ALL


def test_the_scene_is_told_what_is_hovered_and_when_it_is_left(hands):
    hands.move(*hands.place("units.0.1"))
    hands.frame()
    hands.move(*hands.place("units.1.0"))
    hands.frame()
    hands.move(5.0, 5.0)
    hands.frame()
    assert hands.scene.reported == [(0, 1), (1, 0), None]


def test_a_pointer_that_leaves_the_window_leaves_the_unit(hands):
    hands.move(*hands.place("units.0.1"))
    hands.frame({"event_type": "pointer_leave"})
    hands.frame()
    assert hands.scene.reported == [(0, 1), None]


def test_a_unit_the_scene_marks_is_marked(hands):
    plain = hands.viewer.still()
    hands.scene.marked = (1, 2)
    x, y, width, height = (int(n) for n in hands.viewer.overlay.widgets.places["units.1.2"])
    changed = (hands.viewer.still() != plain).any(2)
    assert changed[y - 1 : y + height + 1, x - 1 : x + width + 1].any()
    assert changed.sum() > 100


@pytest.mark.parametrize("sizes", [(64, 64, 64, 64, 64), (1,), (5, 100)])
def test_any_number_of_layers_and_units_can_be_pressed(sizes):
    from engine.scene.view_data import UnitLayer, Units

    scene = Story()
    scene.shown = tuple((True,) * n for n in sizes)
    scene.units = lambda: Units(
        tuple(UnitLayer(f"Layer {k + 1}", "#56b4e9", s) for k, s in enumerate(scene.shown)),
        lambda shown: setattr(scene, "shown", shown),
    )
    hands = Hands(scene, SIZE)
    hands.click(*hands.place("units.0.0"))
    assert scene.shown[0][0] is False and sum(map(sum, scene.shown)) == sum(sizes) - 1
    hands.close()


# The diagram.


def test_a_node_is_its_unit(hands):
    x, y = hands.place("diagram.2.1")
    hands.move(x, y)
    hands.frame()
    assert hands.scene.reported == [(1, 1)]
    hands.click(x, y)
    assert hands.scene.shown == (ALL[0], (True, False, True))


def test_an_input_s_node_shows_its_weights_and_is_no_unit(hands):
    x, y = hands.place("diagram.0.0")
    plain = hands.viewer.still()
    hands.click(x, y)
    assert hands.scene.shown == ALL and hands.scene.reported == []
    assert (hands.viewer.still() != plain).any(2).sum() > 500


# The listing.


def test_a_row_is_gone_to_and_told_when_hovered(hands):
    x, y = hands.place("listing.1")
    hands.move(x, y)
    hands.frame()
    hands.click(x, y)
    assert hands.scene.ran == [1]
    hands.move(5.0, 5.0)
    hands.frame()
    assert hands.scene.reported == [(1, True), (1, False)]


def test_a_long_list_is_scrolled_in_its_place(hands):
    x, y = hands.place("listing.1")
    assert "listing.30" not in hands.viewer.overlay.widgets.places
    for _ in range(60):
        if "listing.30" in hands.viewer.overlay.widgets.places:
            break
        hands.wheel(x, y, -2)
    hands.click(*hands.place("listing.30"))
    assert hands.scene.ran == [30]


def test_the_listing_folds_by_its_heading(hands):
    hands.click(*hands.place("group.listing"))
    hands.frame()
    assert "listing.0" not in hands.viewer.overlay.widgets.places


def test_a_finding_that_fails_is_one_line(hands, capsys):
    hands.scene._told = lambda k: None
    hands.scene.ran = None
    hands.click(*hands.place("listing.0"))
    assert "AttributeError" in hands.viewer.notices.problem


# Help.


def test_the_help_lies_over_the_strip_which_answers_to_nothing_then(hands):
    before = hands.viewer.still()
    hands.key("h")
    hands.frame()
    assert (hands.viewer.still()[-60:, :400] != before[-60:, :400]).any(2).mean() > 0.2
    hands.click(*at_snapshot(hands, 5))
    assert index(hands) == 0 and not hands.viewer.overlay.help_shown
