"""Every control of the panel, used as a person would: pressed, dragged, typed into."""

import inspect

import numpy as np
import param
import pytest
from hands import Hands
from workshop import Workshop

import engine
from engine.formats.load_mlp import load, save
from engine.network.random import random_mlp
from engine.scene.data_settings import HeldInputs, Network
from engine.scene.scene import Scene
from engine.scene.settings import Data, Setting, Switch, settings
from engine.ui.cards import STATUS
from engine.ui.control.weight_history import weight
from engine.ui.theme import WIDTH


@pytest.fixture
def hands(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = Hands(Workshop())
    yield made
    made.close()


def cell(hands, row, column):
    """(x, y) of a cell of the matrix on the page that is shown."""
    hands.place("matrix.table", 0.5, 0.1)
    matrix = hands.viewer.overlay.panel.matrix
    (wide, high), (left, top) = matrix.cell_size, matrix.origin
    return left + (column + 0.5) * wide, top + (row + 0.5) * high


def test_every_setting_has_a_control(hands):
    places = hands.viewer.overlay.widgets.places
    for name, setting in settings(hands.scene).items():
        assert any(p.partition(".")[0] == name for p in places), f"{name} ({type(setting).__name__})"


def test_the_workshop_has_every_public_kind_of_setting_that_is_no_file():
    public = [getattr(engine, name) for name in engine.PUBLIC]
    kinds = {
        kind
        for kind in public
        # Held inputs are a line of text to the panel.
        if inspect.isclass(kind) and issubclass(kind, Setting) and not issubclass(kind, Data | HeldInputs)
    }
    assert kinds == {type(setting) for setting in settings(Workshop).values()} - {Network}


def test_a_kind_of_setting_without_a_control_is_named(hands):
    class Colour(Setting, param.Parameter):
        __slots__ = ("group", "rebuild", "unit", "when")
        taken = lambda self: "a colour"

    setting = type("Coloured", (Scene,), {"tint": Colour(None, allow_None=True)}).param["tint"]
    with pytest.raises(TypeError, match=r"Panel\._setting has no control for Colour"):
        hands.viewer.overlay.panel._setting("level", setting, None)


def test_every_action_has_a_button(hands):
    before = hands.scene.seed
    hands.click(*hands.place("act.randomize"))
    assert hands.scene.seed != before
    hands.click(*hands.place("act.Level up"))
    assert hands.scene.level == 0.5


@pytest.mark.parametrize(("across", "value"), [(0.5, 0.0), (0.99, 2.0), (0.01, -2.0)])
def test_a_slider_goes_where_it_is_pressed(hands, across, value):
    hands.click(*hands.place("level", across))
    # A pixel of its 96 is 0.04.
    assert hands.scene.level == pytest.approx(value, abs=0.05)


def test_a_slider_follows_a_drag_and_stays_at_its_end(hands):
    start = hands.place("level", 0.5)
    hands.drag(start, (start[0] + 500, start[1]))
    assert hands.scene.level == 2.0


def test_shift_drags_ten_times_finer(hands):
    start = hands.place("level", 0.56)
    hands.click(*start)
    # Else the press would be a double click.
    hands.wait(1.0)
    before = hands.scene.level
    hands.drag(start, (start[0] + 20, start[1]), modifiers=("Shift",))
    # 20 of the track's pixels, of which 4 units are about 90, by a tenth.
    assert hands.scene.level - before == pytest.approx(20 / 90 * 4 / 10, abs=0.03)


def test_right_click_on_a_slider_is_its_default(hands):
    hands.viewer.assign("level", 1.5)
    hands.click(*hands.place("level"), button=2)
    assert hands.scene.level == 0.25


@pytest.mark.parametrize("open_by", ["number", "ctrl"])
def test_a_typed_number_is_taken_exactly(hands, open_by):
    if open_by == "number":
        hands.click(*hands.place("level.value"))
    else:
        hands.click(*hands.place("level"), modifiers=("Control",))
    hands.type("1.2345")
    hands.key("Enter")
    assert hands.scene.level == 1.2345
    assert hands.viewer.notices.problem is None


def test_a_typed_number_outside_its_bounds_is_refused_in_a_line(hands):
    hands.click(*hands.place("level.value"))
    hands.type("7")
    hands.key("Enter")
    assert hands.scene.level == 0.25
    assert "level=7" in hands.viewer.notices.problem and "-2 to 2" in hands.viewer.notices.problem
    hands.frame()
    x, y, width, height = hands.viewer.overlay.widgets.places["problem.close"]
    hands.click(x + width / 2, y + height / 2)
    assert hands.viewer.notices.problem is None


def test_escape_leaves_a_field_and_not_the_window(hands):
    hands.click(*hands.place("level.value"))
    hands.type("1.5")
    hands.key("Escape")
    assert hands.scene.level == 0.25 and not hands.canvas.get_closed()


def test_typing_triggers_no_keys(hands):
    seed = hands.scene.seed
    hands.click(*hands.place("caption.value"))
    for letter in "n r q h":
        hands.frame({"event_type": "key_down", "key": letter, "modifiers": ()})
        hands.type(letter)
        hands.frame({"event_type": "key_up", "key": letter, "modifiers": ()})
    hands.key("Enter")
    assert hands.scene.caption == "n r q h"
    assert hands.scene.seed == seed and not hands.viewer.overlay.help_shown and not hands.canvas.get_closed()
    assert not hands.viewer.transport.playing


def test_a_slider_by_powers_has_one_in_its_middle(hands):
    hands.click(*hands.place("strength"))
    # 96 pixels for four decades: half a pixel is 5%.
    assert hands.scene.strength == pytest.approx(1.0, rel=0.1)


def test_a_whole_number_s_slider_gives_a_whole_number(hands):
    hands.click(*hands.place("neurons", 0.7))
    assert isinstance(hands.scene.neurons, int) and 40 <= hands.scene.neurons <= 50


def test_a_number_without_ends_is_stepped_and_typed(hands):
    hands.click(*hands.place("amount.plus"))
    assert hands.scene.amount == pytest.approx(3.1)
    hands.click(*hands.place("amount.value"))
    hands.type("-2e3")
    hands.key("Enter")
    assert hands.scene.amount == -2000.0


def test_a_switch_turns_and_hides_what_depends_on_it(hands):
    assert isinstance(settings(hands.scene)["lit"], Switch)
    hands.click(*hands.place("lit"))
    hands.frame()
    assert hands.scene.lit is False
    assert "strength" not in hands.viewer.overlay.widgets.places


def test_segments_choose(hands):
    hands.click(*hands.place("kind.single"))
    assert hands.scene.kind == "single"


def test_a_list_opens_and_chooses(hands):
    hands.click(*hands.place("map"))
    hands.frame()
    x, y, width, height = hands.viewer.overlay.widgets.places["map.plasma"]
    hands.click(x + width / 2, y + height / 2)
    assert hands.scene.map == "plasma"


def test_escape_closes_a_list_and_not_the_window(hands):
    hands.click(*hands.place("map"))
    hands.frame()
    hands.key("Escape")
    hands.frame()
    assert not hands.canvas.get_closed() and "map.plasma" not in hands.viewer.overlay.widgets.places


def test_the_theme_is_worn_by_the_panel(hands):
    dark = hands.viewer.still()[5, -40]
    hands.viewer.assign("theme", "paper")
    paper = hands.viewer.still()[5, -40]
    assert dark[:3].max() < 60 and paper[:3].min() > 200


def test_a_group_folds(hands):
    hands.click(*hands.place("group.how"))
    hands.frame()
    assert "lit" not in hands.viewer.overlay.widgets.places


def test_playing_scrubbing_and_speed(hands):
    hands.click(*hands.place("time.play"))
    assert hands.viewer.transport.playing
    hands.click(*hands.place("time.play"))
    hands.click(*hands.place("time.scrub", 0.5))
    assert hands.viewer.transport.time == pytest.approx(2.0, abs=0.1)
    hands.click(*hands.place("time.speed", 0.99))
    assert hands.viewer.transport.speed == 10.0


def test_the_panel_never_covers_the_picture(hands):
    assert hands.viewer._size()[:2] == (560 - WIDTH, 620 - STATUS)
    assert hands.viewer.painter.picture.size == (560 - WIDTH, 620 - STATUS)


# The matrix.


def test_the_wheel_changes_a_weight_by_the_original_s_notch(hands):
    before = hands.scene.matrix()
    value = weight(before, 0, 1, 2)
    hands.wheel(*cell(hands, 1, 2), -1 if value > 0 else 1)
    after = weight(hands.scene.matrix(), 0, 1, 2)
    assert abs(after - value) == pytest.approx(0.15, abs=1e-6)


def test_a_turn_of_the_wheel_is_one_step_back(hands):
    before = hands.scene.matrix()
    at = cell(hands, 1, 2)
    for _ in range(3):
        hands.wheel(*at, -1)
    hands.key("z", "Control")
    assert hands.scene.matrix().equals(before)
    hands.key("y", "Control")
    assert not hands.scene.matrix().equals(before)


def test_the_wheel_over_a_weight_does_not_scroll_the_panel(hands):
    at = cell(hands, 1, 2)
    place = hands.viewer.overlay.widgets.places["matrix.table"]
    hands.wheel(*at, -3)
    assert hands.viewer.overlay.widgets.places["matrix.table"] == place


def test_nothing_below_the_matrix_jumps_while_a_weight_changes(hands):
    x, y = cell(hands, 1, 1)
    hands.wheel(x, y, -1)
    hands.press(x, y)
    place = hands.viewer.overlay.widgets.places["level"]
    for down in range(5, 40, 5):
        hands.move(x, y + down, buttons=(1,))
        assert hands.viewer.overlay.widgets.places["level"] == place
    hands.release(x, y)


def test_a_drag_changes_a_weight_smoothly_and_as_one_step(hands):
    before = hands.scene.matrix()
    value = weight(before, 0, 1, 1)
    x, y = cell(hands, 1, 1)
    way = -60 if value < 0 else 60
    hands.drag((x, y), (x, y + way))
    # 120 pixels are 1.
    assert weight(hands.scene.matrix(), 0, 1, 1) == pytest.approx(value - way / 120, abs=1e-6)
    hands.click(*hands.place("matrix.undo"))
    assert hands.scene.matrix().equals(before)


def test_without_ctrl_a_weight_stays_within_one_and_with_it_goes_on(hands):
    x, y = cell(hands, 1, 1)
    hands.drag((x, y), (x, y - 400))
    assert weight(hands.scene.matrix(), 0, 1, 1) == 1.0
    hands.wait(1.0)
    hands.drag((x, y), (x, y - 60), modifiers=("Control",))
    assert weight(hands.scene.matrix(), 0, 1, 1) == pytest.approx(1.5)


def test_double_click_zeroes(hands):
    hands.double(*cell(hands, 4, 0))
    assert weight(hands.scene.matrix(), 0, 4, 0) == 0.0


def test_a_clicked_weight_takes_an_exact_value(hands):
    hands.click(*cell(hands, 2, 4))
    hands.frame()
    hands.type("-0.333")
    hands.key("Enter")
    # The output column is the second layer's, turned on its side.
    assert weight(hands.scene.matrix(), 1, 0, 2) == np.float32(-0.333)


def test_a_weight_that_is_no_number_is_refused_in_a_line(hands):
    before = hands.scene.matrix()
    hands.click(*cell(hands, 2, 4))
    hands.frame()
    hands.type("nan")
    hands.key("Enter")
    hands.frame()
    assert hands.scene.matrix().equals(before) and "finite" in hands.viewer.notices.problem


def test_reset_gives_the_network_back_as_it_came(hands):
    before = hands.scene.matrix()
    hands.wheel(*cell(hands, 1, 2), -2)
    hands.wheel(*cell(hands, 3, 1), -2)
    hands.click(*hands.place("matrix.reset"))
    assert hands.scene.matrix().equals(before)


def test_deep_networks_turn_pages(hands):
    hands.viewer.assign("net", random_mlp((3, 5, 4, 2), seed=1))
    hands.frame()
    hands.frame()
    hands.click(*hands.place("matrix.page.2"))
    hands.frame()
    hands.double(*cell(hands, 3, 4))
    assert weight(hands.scene.matrix(), 1, 3, 4) == 0.0


def test_a_wide_layer_draws_and_edits(hands):
    hands.viewer.assign("net", random_mlp((3, 700, 1), seed=1))
    hands.frame()
    hands.frame()
    hands.double(*cell(hands, 5, 1))
    assert weight(hands.scene.matrix(), 0, 5, 1) == 0.0


# Files.


def test_a_network_is_loaded_by_typing_its_path(hands, tmp_path):
    net = random_mlp((3, 6, 1), seed=9)
    save(net, tmp_path / "mine.npz")
    hands.click(*hands.place("net.load"))
    hands.frame()
    hands.frame()
    hands.type("mine.npz")
    hands.key("Enter")
    assert hands.scene.net.equals(net)
    hands.frame()
    assert hands.viewer.overlay.panel.chooser is None


def test_a_network_is_loaded_from_the_list(hands, tmp_path):
    net = random_mlp((3, 6, 1), seed=9)
    save(net, tmp_path / "mine.npz")
    hands.click(*hands.place("net.load"))
    hands.frame()
    hands.click(*hands.place("chooser.mine.npz"))
    assert hands.scene.net.equals(net)


def test_tab_completes_a_path(hands, tmp_path):
    save(random_mlp((3, 6, 1), seed=9), tmp_path / "mine.npz")
    hands.click(*hands.place("net.load"))
    hands.frame()
    hands.frame()
    hands.type("mi")
    hands.key("Tab")
    hands.key("Enter")
    assert hands.scene.net is not None and hands.viewer.overlay.panel.is_open


def test_a_network_that_does_not_fit_is_refused_in_a_line_and_another_can_be_typed(hands, tmp_path):
    save(random_mlp((2, 6, 1), seed=9), tmp_path / "flat.npz")
    hands.click(*hands.place("net.load"))
    hands.frame()
    hands.click(*hands.place("chooser.flat.npz"))
    hands.frame()
    assert hands.scene.net is None
    assert "2 inputs" in hands.viewer.overlay.panel.chooser.problem


def test_escape_leaves_the_chooser_and_not_the_window(hands):
    hands.click(*hands.place("net.load"))
    hands.frame()
    hands.frame()
    hands.key("Escape")
    hands.frame()
    assert hands.viewer.overlay.panel.chooser is None and not hands.canvas.get_closed()


def test_the_network_shown_is_saved_and_loads_again(hands, tmp_path):
    hands.click(*hands.place("net.save"))
    hands.frame()
    hands.frame()
    hands.key("Enter")
    assert load(tmp_path / "network.safetensors").equals(hands.scene.matrix())


# Pass times.


def test_a_switch_lists_what_each_pass_takes_or_why_that_is_not_known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hands = Hands(Workshop(), live=True)
    painter = hands.viewer.painter
    hands.click(*hands.place("passes"))
    # One of the two: this adapter has timestamps, or a sentence says that it has none. A live view draws a picture a
    # part a frame, as much as there is time for.
    for _ in range(200):
        if not (painter.passes or painter.timing_lack):
            hands.wait(0.1)
    assert painter.passes or painter.timing_lack
    hands.click(*hands.place("passes"))
    hands.wait(0.5)
    assert painter.passes is None and hands.viewer.notices.problem is None
    hands.close()


def test_a_picture_of_the_panel_has_no_switch_for_pass_times(hands):
    hands.place("record.start")
    assert "passes" not in hands.viewer.overlay.widgets.places
