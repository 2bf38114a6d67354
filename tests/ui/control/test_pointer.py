"""When to ask what lies under the pointer; what it is over is reported once, and once when it leaves."""

import pytest

from engine.ui.control.pointer import REST, Hover, Pointer


def test_a_resting_pointer_asks_once():
    pointer = Pointer()
    pointer.move(10, 10)
    assert not pointer.tick(REST / 2)
    assert pointer.tick(REST / 2)
    assert not pointer.tick(REST)


def test_a_moving_pointer_never_asks():
    pointer = Pointer()
    for x in range(0, 100, 10):
        pointer.move(x, 10)
        assert not pointer.tick(REST / 2)


def test_a_trembling_hand_rests():
    pointer = Pointer()
    pointer.move(10, 10)
    pointer.tick(REST * 0.6)
    assert not pointer.move(11, 9)
    assert pointer.tick(REST * 0.6)


def test_it_asks_again_when_the_picture_changed():
    pointer = Pointer()
    pointer.move(10, 10)
    pointer.tick(REST)
    pointer.stir()
    assert pointer.tick(REST)


def test_away_from_the_picture_it_does_not_ask():
    pointer = Pointer()
    pointer.move(10, 10)
    pointer.leave()
    assert not pointer.tick(REST) and not pointer.is_waiting


# Hover.


@pytest.fixture
def calls():
    return []


def frame(hover, calls, place):
    if place is not None:
        hover.offer(place, lambda: calls.append(("on", place)), lambda: calls.append(("off", place)))
    return hover.finish()


def test_it_is_reported_once_and_once_when_it_is_over(calls):
    hover = Hover()
    assert [frame(hover, calls, p) for p in (None, ("row", 1), ("row", 1), None, None)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert calls == [("on", ("row", 1)), ("off", ("row", 1))]


def test_from_a_row_to_a_unit_both_are_reported(calls):
    hover = Hover()
    frame(hover, calls, ("row", 1))
    frame(hover, calls, ("unit", 0, 2))
    assert calls == [("on", ("row", 1)), ("off", ("row", 1)), ("on", ("unit", 0, 2))]


def test_from_a_unit_to_the_next_there_is_no_moment_without_one(calls):
    hover = Hover()
    frame(hover, calls, ("unit", 0, 2))
    frame(hover, calls, ("unit", 0, 3))
    frame(hover, calls, None)
    assert calls == [("on", ("unit", 0, 2)), ("on", ("unit", 0, 3)), ("off", ("unit", 0, 3))]
