"""Settings: the one door for the command line, the panel and stored images."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NeurosceneError, SettingError
from engine.network.random import random_mlp
from engine.scene.data_settings import Network
from engine.scene.scene import Scene
from engine.scene.settings import Choice, Integer, Number, Switch, Text, assign, in_group, settings


class Knobs(Scene):
    level = Number(0.5, bounds=(-1, 1), unit="m", group="shown", doc="a number")
    count = Integer(3, bounds=(1, None), rebuild=True)
    lit = Switch(True, group="time")
    kind = Choice(["round", "square"], group="save")
    words = Text("hello")
    net = Network(None, inputs=3)


def test_settings_come_group_by_group_in_the_order_written():
    assert [n for n in settings(Knobs) if n in ("level", "count", "lit", "kind", "words", "net")] == [
        "level", "net", "count", "words", "lit", "kind",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("level", "0.25", 0.25), ("level", "-1e-3", -1e-3), ("count", "7", 7), ("lit", "off", False),
        ("lit", "True", True),
        ("kind", "square", "square"), ("words", "a b", "a b"),
    ],
)  # fmt: skip
def test_text_becomes_the_value_it_says(name, text, value):
    scene = Knobs()
    assign(scene, name, text)
    assert getattr(scene, name) == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("level", "2", "from -1 to 1 in m"), ("level", "nan", "a number"), ("level", "inf", "a number"),
        ("level", "x", "a number"),
        ("count", "0", "whole number from 1 on"), ("count", "2.5", "whole number"), ("lit", "maybe", "on or off"),
        ("kind", "roundish", "Near: round"), ("levle", "1", "Near: level"),
    ],
)  # fmt: skip
def test_what_it_does_not_take_is_said_in_one_line_and_changes_nothing(name, text, says):
    scene = Knobs()
    before = scene.state()
    with pytest.raises(SettingError, match=says) as error:
        assign(scene, name, text)
    assert "\n" not in str(error.value)
    assert scene.state() == before


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("level", 2, r"level=2: it takes a number from -1 to 1 in m"), ("level", "x", "level=x: it takes a number"),
        ("count", 0, "count=0: it takes a whole number from 1 on"), ("count", 1.5, "whole number"),
        ("seed", -1, "seed=-1: it takes a whole number from 0 to 2147483647"), ("lit", 3, "lit=3: it takes on or off"),
        ("kind", "roundish", r"kind=roundish: .*Near: round"), ("words", 3, "words=3: it takes text"),
        ("net", 5, "int"),
    ],
)  # fmt: skip
def test_python_is_told_in_the_same_line(name, value, says):
    for refused in (lambda: setattr(Knobs(), name, value), lambda: Knobs(**{name: value})):
        with pytest.raises(NeurosceneError, match=says) as error:
            refused()
        assert "\n" not in str(error.value)


def test_an_unknown_name_is_told_with_the_near_ones():
    with pytest.raises(SettingError, match=r"Knobs: There is no setting `levle`.*Near: level"):
        Knobs(levle=1)


def test_a_default_outside_its_bounds_is_told_where_it_is_written():
    with pytest.raises(SettingError, match="Number=3: it takes a number from 0 to 1"):
        Number(3, bounds=(0, 1))


def test_what_a_watcher_does_wrong_is_not_taken_for_a_wrong_value():
    scene = Knobs()
    scene.param.watch(lambda *_: int("x"), ["level"])
    with pytest.raises(ValueError, match="invalid literal"):
        scene.level = 0.25


def test_a_network_of_another_width_is_refused_with_both_numbers():
    with pytest.raises(SettingError, match="has 2 inputs, but this scene shows networks with 3"):
        Knobs(net=random_mlp([2, 4, 1]))


@given(st.sampled_from(["level", "count", "lit", "kind", "net", "seed", "theme", "nothing"]), st.text(max_size=12))
def test_no_text_does_more_than_refuse(name, text):
    try:
        assign(Knobs(), name, text)
    except NeurosceneError as error:
        assert "\n" not in str(error)


@given(st.floats(-1, 1), st.integers(1, 10**6), st.booleans(), st.text(max_size=20))
def test_a_state_gives_every_setting_back_to_the_bit(level, count, lit, words):
    scene = Knobs(level=level, count=count, lit=lit, words=words, net=random_mlp([3, 4, 1], seed=5))
    again = Knobs()
    again.restore(scene.state())
    assert again.level == level or math.isnan(level)
    assert (again.count, again.lit, again.words) == (count, lit, words)
    assert again.net.equals(scene.net)


def test_a_network_too_large_for_the_state_is_left_out_and_named():
    scene = Knobs(net=random_mlp([3, 600, 600, 1]))
    state = scene.state()
    assert "net" not in state["settings"]
    assert "3-600-600-1" in state["left_out"][0]


@pytest.mark.parametrize(
    "state", [{}, {"settings": 3}, {"settings": {}, "camera": {"eye": 1}, "time": 0}, {"settings": {}, "time": "x"}]
)
def test_a_broken_state_is_refused_in_a_line(state):
    with pytest.raises(NeurosceneError) as error:
        Knobs().restore(state)
    assert "\n" not in str(error.value)


def test_settings_under_a_group_have_it_and_its_condition_unless_they_say_another():
    inner = lambda scene: scene.seed == 2
    with in_group("time", when=lambda scene: scene.seed == 1):
        first, own = Switch(), Switch(group="camera", when=inner)
        with in_group(when=inner):
            nested = Switch()
    after = Switch()
    assert [s.group for s in (first, own, nested, after)] == ["time", "camera", "time", "how"]
    one, two = SimpleNamespace(seed=1), SimpleNamespace(seed=2)
    assert first.when(one) and not first.when(two)
    assert own.when is inner and nested.when is inner and after.when is None
    with pytest.raises(KeyError), in_group("save"):
        raise KeyError
    assert Switch().group == "how"
