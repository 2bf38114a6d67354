"""The values along a side of a sheet: ranges, lists, and how they are written beside it."""

import math
from fractions import Fraction

import numpy as np
import pytest
from drawn import Drawn
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FileError, NeurosceneError, SettingError
from engine.formats.load_mlp import save
from engine.network.random import random_mlp
from engine.scene.figure import Step
from engine.sheets.axis import MOST_CELLS, axis


def values(text, scene=Drawn):
    side = axis(scene, text)
    return [next(iter(step.settings.values())) if step.settings else step.time for step in side.steps]


def labels(given):
    return [step.label for step in axis(Drawn, given).steps]


RANGES = {
    "count=1..4": [1, 2, 3, 4],
    "count=4..1": [4, 3, 2, 1],
    "count=2..9:3": [2, 5, 8],
    "count=1..31*4": [1, 11, 21, 31],
    "count=40..5/2": [40, 20, 10, 5],
    "count=5..40/2": [5, 10, 20, 40],
    "count=5..40/0.5": [5, 10, 20, 40],
    "count=1..3,7,20..30:5": [1, 2, 3, 7, 20, 25, 30],
    "count=3": [3],
    "count=2..2": [2],
    "spread=0..1:0.25": [0.0, 0.25, 0.5, 0.75, 1.0],
    "spread=1..0:0.4": [1.0, 0.6, 0.2],
    "spread=0..0.3:0.1": [0.0, 0.1, 0.2, 0.3],
    "spread=0.5..1.0*3": [0.5, 0.75, 1.0],
    "spread=0.5..1.0x3": [0.5, 0.75, 1.0],
    "spread=1e-2..1e0/10": [0.01, 0.1, 1.0],
    "spread=0.01..1*3:log": [0.01, 0.1, 1.0],
    "spread=4..0.25*3:log": [4.0, 1.0, 0.25],
    " spread = 1 .. 3 , 0.5": [1.0, 2.0, 3.0, 0.5],
    "time=-1..1*3": [-1.0, 0.0, 1.0],
    "time=0,2.5": [0.0, 2.5],
    "shade=white,red": ["white", "red"],
    "shade=..": ["red", "green_and_blue", "white"],
    "shown=on,off": [True, False],
    "shown=..": [False, True],
    "words=one, two": ["one", "two"],
    "words=a,b;c": ["a,b", "c"],
    "net=none": [None],
}


@pytest.mark.parametrize("text", RANGES)
def test_what_is_written_is_what_is_varied(text):
    found = values(text)
    # Exactly: 0.1 thrice is 0.3 here, because the steps are counted in whole parts and rounded once.
    assert found == RANGES[text]
    assert [type(value) for value in found] == [type(value) for value in RANGES[text]]


@pytest.mark.parametrize(
    "old, new",
    [
        ("time=40..0.625/2", "time=40..0.625*7:log"),
        ("time=1..100/3", "time=1..81*5:log"),
        ("time=-1..-8/2", "time=-1..-8*4:log"),
        ("time=999.9999999999..1/10", "time=999.9999999999..9.999999999999*3:log"),
        ("time=1..1.5/2", "time=1"),
    ],
)
def test_a_range_by_a_factor_says_how_it_is_written_now(old, new, capsys):
    found = values(old)
    assert capsys.readouterr().err == f"neuroscene: note: {old[5:]} is now written {new[5:]}.\n"
    # Values of the new notation have twelve digits.
    assert found == pytest.approx(values(new), rel=5e-12)
    assert capsys.readouterr().err == ""


WRONG = {
    "dpth=1..3": ["Drawn", "dpth", "count", "time"],
    "cuont=1..3": ["Near: count"],
    "count": ["count", "depth=1..10"],
    "count=": ["count="],
    "=3": ["=3"],
    "count=1..": ["1..", "1..10"],
    "count=0....1": ["0 do not reach 0.1"],
    "count=..": ["..", "1..10"],
    "count=1..3:log": ["1..3:log"],
    "count=1..9:2:log": ["1..9:2:log"],
    "count=1..x": ["1..x"],
    "count=1,,2": ["commas"],
    "count=0..3": ["count=0..3", "count=0", "from 1 to 40"],
    "count=38..42": ["count=41", "from 1 to 40"],
    "count=1.5": ["1.5", "whole number"],
    "count=1..3*9": ["1..3*9", "Take fewer"],
    "count=1..9*2.5": ["2.5"],
    "count=1..9*1": ["2 or more"],
    "spread=0.5..1.2": ["0.5..1.2*5", "0.5..1.2:0.1"],
    "spread=0..1:0": ["steps of 0"],
    "spread=0..1/2": ["0..1/2", "neither be 0"],
    "spread=-1..1*4:log": ["one sign"],
    "spread=1..2/1": ["factor of 1"],
    "spread=1..2/-2": ["factor of -2"],
    "spread=1e99..1e98": [str(MOST_CELLS)],
    "spread=much": ["spread=much", "from 0 to 4"],
    "seed=0..2147483647": [str(MOST_CELLS)],
    "seed=0..2147483647*1e9": [str(MOST_CELLS)],
    "spread=1..4/1.0000000001": [str(MOST_CELLS)],
    "shade=rad": ["rad", "Near: red"],
    "shown=perhaps": ["perhaps", "on or off"],
    "time=soon": ["soon", "seconds"],
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_value_is_named_with_what_is_taken(text):
    with pytest.raises(SettingError) as error:
        axis(Drawn, text, "--vary")
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in WRONG[text]), error.value


def test_a_network_that_is_not_there_is_reported_by_its_name():
    with pytest.raises(FileError, match=r"no\.npz"):
        axis(Drawn, "net=no.npz")


@given(st.text(max_size=20), st.sampled_from(["", "count=", "spread=", "time=", "net=", "shade=", "words=", "shown="]))
def test_no_text_at_all_is_anything_but_values_or_one_line(text, begin):
    try:
        side = axis(Drawn, begin + text)
    except NeurosceneError as error:
        assert "\n" not in str(error)
    else:
        assert 1 <= len(side.steps) <= MOST_CELLS


@given(
    st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 50), st.sampled_from([":", "*"]), st.integers(0, 3)
)
def test_a_range_goes_evenly_from_its_first_to_no_further_than_its_last(a, b, by, sign, decimals):
    """Against the same in exact fractions."""
    first, last, by = a / 10**decimals, b / 10**decimals, by + 1 if sign == "*" else by / 10
    found = values(f"time={first}..{last}{sign}{by}")
    exact = [Fraction(str(first)), Fraction(str(last))]
    assert found[0] == first and min(exact) <= Fraction(str(found[-1])) <= max(exact)
    if sign == "*":
        assert len(found) == by and found[-1] == last
    else:
        assert abs(exact[1] - Fraction(str(found[-1]))) < Fraction(str(by))
    steps = np.diff(found)
    # A step is the difference of two rounded numbers up to 300.
    assert np.allclose(steps, steps[0] if len(steps) else 0.0, rtol=0.0, atol=300 * 2**-51)


@given(st.floats(0.001, 1000), st.floats(0.001, 1000), st.integers(2, 30))
def test_so_many_values_by_a_factor_have_one_factor(first, last, count):
    text = f"time={first:.6g}..{last:.6g}*{count}:log"
    found = values(text)
    assert len(found) == count and found[0] == float(f"{first:.6g}") and found[-1] == float(f"{last:.6g}")
    # Values are kept to twelve digits: each is off by 5e-12 of itself at most, and two make a difference.
    assert np.allclose(np.diff(np.log(found)), math.log(found[-1] / found[0]) / (count - 1), rtol=0, atol=1.1e-11)


def test_values_of_a_program_become_what_the_setting_holds():
    side = axis(Drawn, {"spread": np.linspace(0.0, 1.0, 3)})
    assert [step.settings["spread"] for step in side.steps] == [0.0, 0.5, 1.0]
    assert all(type(step.settings["spread"]) is float for step in side.steps)
    assert [step.settings["count"] for step in axis(Drawn, {"count": np.arange(1, 4)}).steps] == [1, 2, 3]
    assert values({"count": range(1, 4)}) == values({"count": "1..3"}) == values("count=1..3") == [1, 2, 3]


@pytest.mark.parametrize(
    "given, words",
    [
        ({"count": range(10**12)}, "cells"),
        ({"count": []}, "no value"),
        ({"count": [1], "seed": [1]}, "one setting, not 2"),
        ({"count": [99]}, "from 1 to 40"),
        ({"count": [2.5]}, "whole number"),
        ({"time": [math.nan]}, "seconds"),
        ({"count": 3}, "several values"),
        ([3], "engine.Step"),
        (3, "engine.Step"),
    ],
)
def test_wrong_values_of_a_program_are_reported_too(given, words):
    with pytest.raises(SettingError, match=words):
        axis(Drawn, given)


def test_steps_are_taken_as_they_are_and_nothing_is_no_side():
    steps = (Step("a", {"seed": 1}), Step("b", time=1.0))
    assert axis(Drawn, steps).steps == steps
    assert axis(Drawn, ()) is None and axis(Drawn, None) is None


@pytest.mark.parametrize(
    "given, written",
    [
        ("count=8..11", ["8", "9", "10", "11"]),
        ("spread=0..1:0.25", ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        ("spread=0..1:0.5", ["0.0", "0.5", "1.0"]),
        ("spread=1..3", ["1", "2", "3"]),
        ("spread=0..1*4", ["0.00", "0.33", "0.67", "1.00"]),
        ("time=-0.5..0.5*3", ["-0.5", "0.0", "0.5"]),
        ("time=40..0.15625/2", ["40", "20", "10", "5", "2.5", "1.25", "0.625", "0.312", "0.156"]),
        ("time=0.5..1*5:log", ["0.500", "0.595", "0.707", "0.841", "1.000"]),
        ("time=40,30,10", ["40", "30", "10"]),
        ("time=1e-6..1e6*5:log", ["1e-6", "0.001", "1", "1000", "1000000"]),
        ({"spread": [1.0, 1.00001, 3.0]}, ["1.00000", "1.00001", "3.00000"]),
        ({"time": [0.1 + 0.2, 0.3]}, ["0.30000000000000004", "0.3"]),
        ("shown=on,off", ["on", "off"]),
        ("shade=green_and_blue", ["green_and_blue"]),
    ],
)
def test_labels_have_few_digits_and_tell_the_values_apart(given, written):
    assert labels(given) == written


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=12, unique=True))
def test_different_values_never_have_one_label(numbers):
    written = labels({"time": numbers})
    assert len(set(written)) == len({value + 0.0 for value in numbers})


def test_a_side_is_named_by_its_setting_and_unit():
    assert axis(Drawn, "spread=1..2").title == "Spread (m)"
    assert axis(Drawn, "seed=1..2").title == "Seed"
    assert axis(Drawn, "time=1..2").title == "Time (s)"


def test_networks_are_labelled_by_their_files(tmp_path):
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        save(random_mlp([2, 3, 1], "tanh", seed=1), tmp_path / place / "first.npz")
        save(random_mlp([2, 3, 1], "tanh", seed=2), tmp_path / place / "second.npz")
    a, b = tmp_path / "a", tmp_path / "b"
    assert labels({"net": [a / "first.npz", f"{a / 'second.npz'}:tanh", None]}) == [
        "first",
        "second",
        "the scene's own",
    ]
    assert labels(f"net={a / 'first.npz'},{b / 'first.npz'}") == ["a/first", "b/first"]
    twice = random_mlp([2, 3, 1], "tanh", seed=1)
    assert len(set(labels({"net": [twice, twice]}))) == 2
