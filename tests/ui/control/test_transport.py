"""The clock of a live view."""

import pytest

from engine.ui.control.transport import Transport


def test_time_stands_still_until_it_plays():
    transport = Transport()
    assert not transport.tick(1.0)
    assert transport.clock().time == 0.0
    transport.toggle()
    assert transport.tick(1.0)
    assert transport.clock().time == 1.0 and transport.clock().step == 1.0


def test_speed_multiplies_the_seconds():
    transport = Transport(playing=True)
    transport.set_speed(2.0)
    transport.tick(0.5)
    assert transport.time == 1.0 and transport.clock().step == 1.0


@pytest.mark.parametrize(("given", "taken"), [(1e9, 10.0), (0.0, 0.1), (3.0, 3.0)])
def test_speed_stays_within_its_bounds(given, taken):
    transport = Transport()
    transport.set_speed(given)
    assert transport.speed == taken


def test_a_loop_begins_again():
    transport = Transport(4.0, playing=True)
    for _ in range(9):
        transport.tick(0.5)
    assert transport.time == pytest.approx(0.5)


def test_scrubbing_is_no_step():
    transport = Transport(4.0)
    transport.scrub(3.0)
    assert transport.clock().time == 3.0 and transport.clock().step == 0.0


def test_a_scrub_while_paused_is_a_change_once():
    transport = Transport(4.0)
    transport.scrub(3.0)
    assert transport.tick(0.1)
    assert not transport.tick(0.1)


def test_time_does_not_go_below_zero_without_a_loop():
    transport = Transport()
    transport.scrub(-2.0)
    assert transport.time == 0.0


@pytest.mark.parametrize(("loop", "time", "span"), [(4.0, 3.0, 4.0), (None, 3.0, 10.0), (None, 25.0, 40.0)])
def test_the_scrubber_spans_a_loop_or_what_has_passed(loop, time, span):
    assert Transport(loop, time=time).span == span
