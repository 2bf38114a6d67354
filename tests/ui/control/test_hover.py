"""A scene is told once of what the pointer is over, and once when it leaves."""

import pytest

from engine.ui.control.hover import Hover


@pytest.fixture
def told():
    return []


def frame(hover, told, place):
    if place is not None:
        hover.offer(place, lambda: told.append(("on", place)), lambda: told.append(("off", place)))
    return hover.finish()


def test_it_is_told_once_and_once_when_it_is_over(told):
    hover = Hover()
    assert [frame(hover, told, p) for p in (None, ("row", 1), ("row", 1), None, None)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert told == [("on", ("row", 1)), ("off", ("row", 1))]


def test_from_a_row_to_a_unit_both_are_told(told):
    hover = Hover()
    frame(hover, told, ("row", 1))
    frame(hover, told, ("unit", 0, 2))
    assert told == [("on", ("row", 1)), ("off", ("row", 1)), ("on", ("unit", 0, 2))]


def test_from_a_unit_to_the_next_there_is_no_moment_without_one(told):
    hover = Hover()
    frame(hover, told, ("unit", 0, 2))
    frame(hover, told, ("unit", 0, 3))
    frame(hover, told, None)
    assert told == [("on", ("unit", 0, 2)), ("on", ("unit", 0, 3)), ("off", ("unit", 0, 3))]
