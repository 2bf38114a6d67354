"""How long work still takes: from its share that is done, and from what was expected."""

import pytest

from engine.render import outlook
from engine.render.outlook import Outlook, lasting


@pytest.fixture
def clock(monkeypatch):
    """A list with the present moment."""
    now = [100.0]
    monkeypatch.setattr(outlook.time, "monotonic", lambda: now[0])
    return now


def lefts(clock, shares, expected=None, seconds=40.0):
    """Of work of so many seconds, whose share after a part of these is `shares` of it: (time left, what is said)."""
    ahead, begun = Outlook(expected), clock[0]
    for part in (k / 20 for k in range(20)):
        clock[0] = begun + part * seconds
        yield seconds * (1 - part), ahead.left(shares(part))


def test_even_work_is_told_exactly_once_it_goes_on(clock):
    found = list(lefts(clock, lambda part: part))
    assert found[0][1] is None and all(said == pytest.approx(left) for left, said in found[1:])


@pytest.mark.parametrize("wrong", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("power", [0.7, 1.0, 1.3])
def test_uneven_work_and_wrong_expectations_are_told_within_a_factor_of_two(clock, wrong, power):
    for left, said in lefts(clock, lambda part: part**power, 40.0 * wrong):
        assert left / 2.2 < said < 2.2 * left


def test_what_compiling_took_is_not_taken_for_the_work(clock):
    ahead = Outlook()
    clock[0] += 30.0
    assert ahead.left(0.0) is None
    clock[0] += 5.0
    assert ahead.left(0.5) == pytest.approx(5.0) and ahead.words(0.5) == ", about 5 s left"


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (44.0, "40 s"), (200.0, "3 min"), (9000.0, "2 h")])
def test_times_are_told_to_about_a_fifth(seconds, words):
    assert lasting(seconds) == words
