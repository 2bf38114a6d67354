"""The ways along a timeline."""

import numpy as np
import pytest

from engine.scene.view_data import Timeline
from engine.ui.control.timeline_state import LADDER, Moments
from engine.ui.control.transport import Transport


def timeline(count, *, seconds=None, growing=False, steps=None):
    times = np.arange(count) * (1.0 if seconds is None else seconds / count)
    return Timeline(np.arange(count) * 10 if steps is None else steps, times, is_growing=growing)


def made(count, *, loop=None, **more):
    moments = Moments(Transport(loop))
    moments.follow(timeline(count, **more), loop)
    return moments


def play(moments, seconds, loop=None):
    moments.follow(moments.timeline, loop)
    moments.transport.tick(seconds)
    moments.rest()


def test_steps_stay_between_the_first_and_the_last_and_pause():
    moments = made(5)
    moments.toggle()
    moments.step(2)
    assert moments.index == 2 and not moments.transport.playing
    moments.step(99)
    assert moments.index == 4
    moments.step(-99)
    assert moments.index == 0


def test_without_a_loop_playing_ends_at_the_last_and_begins_again_from_the_first():
    moments = made(5)
    moments.toggle()
    play(moments, 10.0)
    assert moments.index == 4 and moments.transport.time == 4.0 and not moments.transport.playing
    moments.toggle()
    assert moments.index == 0 and moments.transport.playing


def test_in_a_loop_the_first_follows_the_last():
    moments = made(5, loop=5.0)
    moments.go(4)
    moments.toggle()
    assert moments.index == 4
    play(moments, 1.5, 5.0)
    assert moments.index == 0 and moments.transport.playing


def test_while_snapshots_are_made_playing_waits_for_them():
    moments = made(5, growing=True)
    moments.toggle()
    play(moments, 10.0)
    assert moments.index == 4 and moments.transport.playing
    moments.follow(timeline(8, growing=True), None)
    assert moments.index == 7


@pytest.mark.parametrize("loop", [None, 20.0])
def test_who_is_at_the_last_snapshot_stays_with_the_last(loop):
    # With a loop the same seconds are shared among more snapshots.
    moments = made(5, seconds=loop, loop=loop)
    moments.go(4)
    moments.follow(timeline(9, seconds=loop), loop)
    assert moments.index == 8


@pytest.mark.parametrize("loop", [None, 20.0])
def test_who_is_at_another_snapshot_stays_there_while_more_come(loop):
    moments = made(5, seconds=loop, loop=loop)
    moments.go(2)
    for count in range(6, 30):
        moments.follow(timeline(count, seconds=loop, growing=True), loop)
        assert moments.index == 2


def test_another_run_is_shown_at_the_same_step():
    moments = made(5)
    moments.go(3)
    moments.follow(timeline(4, steps=[0, 25, 29, 31]), None)
    # Step 30: the last one at or before it.
    assert moments.timeline.steps[moments.index] == 29


def test_playing_goes_on_while_snapshots_arrive():
    moments = made(5, growing=True)
    moments.toggle()
    for count in range(6, 30):
        moments.follow(timeline(count, growing=True), None)
        moments.transport.tick(0.1)
    # Never quite at the next snapshot by itself: a thousandth of the way is left.
    assert moments.transport.time == pytest.approx(2.4, abs=2e-3)


def test_plus_and_minus_go_through_the_speeds_and_back():
    moments = made(5)
    for _ in range(10):
        moments.quicken(1)
    assert moments.transport.speed == LADDER[-1]
    speeds = []
    for _ in range(10):
        moments.quicken(-1)
        speeds.append(moments.transport.speed)
    assert speeds[: len(LADDER) - 1] == list(LADDER[-2::-1]) and speeds[-1] == LADDER[0]


def test_without_a_timeline_there_are_no_keys_for_it_and_playing_is_the_transport_s():
    moments = Moments(Transport(4.0))
    moments.follow(None, 4.0)
    assert moments.actions() == []
    moments.toggle()
    moments.rest()
    assert moments.transport.playing
