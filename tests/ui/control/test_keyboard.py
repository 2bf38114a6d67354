"""Which key does what."""

import pytest

from engine.scene.view_data import Action
from engine.ui.control.keyboard import REPEAT, Keyboard


@pytest.fixture
def done():
    return []


@pytest.fixture
def keyboard(done):
    actions = [Action(k, "", lambda k=k: done.append(k), key=k) for k in ("n", "ArrowUp", "r", "z")]
    own = {"r": lambda: done.append("own r"), "?": lambda: done.append("help")}
    control = {"z": lambda: done.append("undo"), "Shift+z": lambda: done.append("redo")}
    return Keyboard(own, control, lambda: actions, lambda run: run())


@pytest.mark.parametrize(
    ("key", "modifiers", "does"),
    [
        ("n", (), ["n"]),
        ("N", ("Shift",), ["n"]),
        ("r", (), ["own r"]),
        ("z", ("Control",), ["undo"]),
        ("Z", ("Control", "Shift"), ["redo"]),
        ("z", ("Meta",), ["undo"]),
        ("z", (), ["z"]),
        ("n", ("Control",), []),
        ("n", ("Alt",), []),
        ("?", ("Shift",), ["help"]),
        ("/", ("Shift",), ["help"]),
        ("/", (), []),
        ("x", (), []),
    ],
)
def test_a_key_does_what_it_means_and_the_view_s_own_come_first(keyboard, done, key, modifiers, does):
    assert keyboard.down({"key": key, "modifiers": modifiers}) == bool(does)
    assert done == does


def test_a_held_arrow_repeats_until_it_is_let_go(keyboard, done):
    keyboard.down({"key": "ArrowUp"})
    keyboard.tick(REPEAT[0])
    keyboard.tick(REPEAT[1])
    assert done == ["ArrowUp"] * 3
    keyboard.up({"key": "ArrowUp"})
    keyboard.tick(1.0)
    assert done == ["ArrowUp"] * 3 and not keyboard.is_held


def test_a_held_letter_does_not_repeat(keyboard, done):
    keyboard.down({"key": "n"})
    keyboard.tick(1.0)
    assert done == ["n"]
