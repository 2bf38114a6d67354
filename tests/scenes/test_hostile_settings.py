"""Hostile values of settings and stored states: a picture, or one line; `python tools/hostile.py` tries them all."""

import random

import pytest

from engine.app.lookup import find_scene
from engine.app.picture_state import stored
from engine.cli import main
from engine.scene.view_data import Clock
from scenes import SCENES
from tools.hostile import COSTLY, pairs, picture_of, states, subsets, wrong

# Values of a scene that the suite tries; every tenth or so makes a picture.
SAMPLED, TOGETHER, STATES = 14, 10, 25


@pytest.mark.parametrize("name", SCENES)
def test_no_value_of_a_setting_does_more_than_be_refused_in_a_line_or_make_a_picture(name, tmp_path):
    cheap = [pair for pair in pairs(name) if pair[0] not in COSTLY]
    for key, text in random.Random(name).sample(cheap, SAMPLED):
        what, _ = wrong([name, "--set", f"{key}={text}"], tmp_path)
        assert what is None, f"--set {key}={ascii(text)[:100]}: {what}"


def test_many_hostile_values_together_are_refused_in_a_line_or_make_a_picture(tmp_path):
    statuses = set()
    for name, picked in subsets(list(SCENES), TOGETHER, seed=1):
        what, status = wrong([name, *(word for key, text in picked for word in ("--set", f"{key}={text}"))], tmp_path)
        assert what is None, f"{name} {ascii(picked)[:300]}: {what}"
        statuses.add(status)
    assert statuses == {main.OK, main.MISTAKE}


@pytest.mark.parametrize("name", SCENES)
def test_no_stored_state_does_more_than_be_refused_in_a_line_or_make_a_picture(name, tmp_path):
    whole, folder = stored(find_scene(name)(), Clock(), (12, 10)), tmp_path / "made"
    folder.mkdir()
    for text in states(whole, STATES, seed=2):
        what, _ = wrong([str(picture_of(text, tmp_path / "state.png"))], folder)
        assert what is None, f"{ascii(text)[:1500]}: {what}"
