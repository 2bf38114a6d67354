"""The ways along a timeline."""

import numpy as np
import pytest

from engine.scene.view_data import Timeline
from engine.ui.control.timeline_state import LADDER, TimelineState
from engine.ui.control.transport import Transport


def timeline(count, *, seconds=None, growing=False, steps=None):
    times = np.arange(count) * (1.0 if seconds is None else seconds / count)
    return Timeline(np.arange(count) * 10 if steps is None else steps, times, is_growing=growing)


def made(count, *, loop=None, **more):
    state = TimelineState(Transport(loop))
    state.follow(timeline(count, **more), loop)
    return state


def play(state, seconds, loop=None):
    state.follow(state.timeline, loop)
    state.transport.tick(seconds)
    state.rest()


def test_steps_stay_between_the_first_and_the_last_and_pause():
    state = made(5)
    state.toggle()
    state.step(2)
    assert state.index == 2 and not state.transport.playing
    state.step(99)
    assert state.index == 4
    state.step(-99)
    assert state.index == 0


def test_without_a_loop_playing_ends_at_the_last_and_begins_again_from_the_first():
    state = made(5)
    state.toggle()
    play(state, 10.0)
    assert state.index == 4 and state.transport.time == 4.0 and not state.transport.playing
    state.toggle()
    assert state.index == 0 and state.transport.playing


def test_in_a_loop_the_first_follows_the_last():
    state = made(5, loop=5.0)
    state.go(4)
    state.toggle()
    assert state.index == 4
    play(state, 1.5, 5.0)
    assert state.index == 0 and state.transport.playing


def test_while_snapshots_are_made_playing_waits_for_them():
    state = made(5, growing=True)
    state.toggle()
    play(state, 10.0)
    assert state.index == 4 and state.transport.playing
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
        state.transport.tick(0.1)
    # Never quite at the next snapshot by itself: a thousandth of the way is left.
    assert state.transport.time == pytest.approx(2.4, abs=2e-3)


def test_plus_and_minus_go_through_the_speeds_and_back():
    state = made(5)
    for _ in range(10):
        state.quicken(1)
    assert state.transport.speed == LADDER[-1]
    speeds = []
    for _ in range(10):
        state.quicken(-1)
        speeds.append(state.transport.speed)
    assert speeds[: len(LADDER) - 1] == list(LADDER[-2::-1]) and speeds[-1] == LADDER[0]


def test_without_a_timeline_there_are_no_keys_for_it_and_playing_is_the_transport_s():
    state = TimelineState(Transport(4.0))
    state.follow(None, 4.0)
    assert state.actions() == []
    state.toggle()
    state.rest()
    assert state.transport.playing
