"""The time of a live view, and the ways along a timeline."""

import numpy as np
import pytest

from engine.scene.view_data import Timeline
from engine.ui.control.transport import LADDER, Transport


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


# Along a timeline.


def timeline(count, *, seconds=None, growing=False, steps=None):
    times = np.arange(count) * (1.0 if seconds is None else seconds / count)
    return Timeline(np.arange(count) * 10 if steps is None else steps, times, is_growing=growing)


def made(count, *, loop=None, **more):
    state = Transport(loop)
    state.follow(timeline(count, **more), loop)
    return state


def play(state, seconds, loop=None):
    state.follow(state.timeline, loop)
    state.tick(seconds)


def test_steps_stay_between_the_first_and_the_last_and_pause():
    state = made(5)
    state.toggle()
    state.step(2)
    assert state.index == 2 and not state.playing
    state.step(99)
    assert state.index == 4
    state.step(-99)
    assert state.index == 0


def test_without_a_loop_playing_ends_at_the_last_and_begins_again_from_the_first():
    state = made(5)
    state.toggle()
    play(state, 10.0)
    assert state.index == 4 and state.time == 4.0 and not state.playing
    state.toggle()
    assert state.index == 0 and state.playing


def test_in_a_loop_the_first_follows_the_last():
    state = made(5, loop=5.0)
    state.go(4)
    state.toggle()
    assert state.index == 4
    play(state, 1.5, 5.0)
    assert state.index == 0 and state.playing


def test_while_snapshots_are_made_playing_waits_for_them():
    state = made(5, growing=True)
    state.toggle()
    play(state, 10.0)
    assert state.index == 4 and state.playing
    state.follow(timeline(8, growing=True), None)
    assert state.index == 7


@pytest.mark.parametrize("loop", [None, 20.0])
def test_who_is_at_the_last_snapshot_stays_with_the_last(loop):
    # With a loop the same seconds are shared among more snapshots.
    state = made(5, seconds=loop, loop=loop)
    state.go(4)
    state.follow(timeline(9, seconds=loop), loop)
    assert state.index == 8


@pytest.mark.parametrize("loop", [None, 20.0])
def test_who_is_at_another_snapshot_stays_there_while_more_come(loop):
    state = made(5, seconds=loop, loop=loop)
    state.go(2)
    for count in range(6, 30):
        state.follow(timeline(count, seconds=loop, growing=True), loop)
        assert state.index == 2


def test_another_run_is_shown_at_the_same_step():
    state = made(5)
    state.go(3)
    state.follow(timeline(4, steps=[0, 25, 29, 31]), None)
    # Step 30: the last one at or before it.
    assert state.timeline.steps[state.index] == 29


def test_playing_goes_on_while_snapshots_arrive():
    state = made(5, growing=True)
    state.toggle()
    for count in range(6, 30):
        state.follow(timeline(count, growing=True), None)
        state.tick(0.1)
    # Never quite at the next snapshot by itself: a thousandth of the way is left.
    assert state.time == pytest.approx(2.4, abs=2e-3)


def test_plus_and_minus_go_through_the_speeds_and_back():
    state = made(5)
    for _ in range(10):
        state.quicken(1)
    assert state.speed == LADDER[-1]
    speeds = []
    for _ in range(10):
        state.quicken(-1)
        speeds.append(state.speed)
    assert speeds[: len(LADDER) - 1] == list(LADDER[-2::-1]) and speeds[-1] == LADDER[0]


def test_without_a_timeline_there_are_no_keys_for_it_and_playing_goes_on():
    state = Transport(4.0)
    state.follow(None, 4.0)
    assert state.actions() == []
    state.toggle()
    state.tick(9.0)
    assert state.playing
