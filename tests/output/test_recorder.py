"""The recorder: its own clock, an exact number of frames, no seam, nothing half-written."""

import os
import signal

import numpy as np
import pytest
from frames import smooth
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.errors import FileError, SettingError
from engine.output import stopping
from engine.output.recorder import MOST_FRAMES, FilmRecorder, plan


@given(st.floats(0.01, 100), st.floats(0.1, 240), st.floats(-1e4, 1e4))
def test_the_count_is_seconds_times_fps_and_frame_k_is_at_start_plus_k_over_fps(seconds, fps, start):
    p = plan(seconds, fps, start=start)
    assert p.count == max(1, round(seconds * fps))
    k = p.count - 1
    assert p.time(0) == start
    assert p.time(k) == pytest.approx(start + k / fps, abs=1e-9 * (1 + abs(start) + seconds))
    assert p.step(0) == 0 and p.step(1) == 1 / fps


@given(st.floats(0.5, 30), st.floats(1, 120))
def test_one_loop_is_divided_evenly_and_the_frame_after_the_last_would_be_the_first(loop, fps):
    p = plan(None, fps, loop=loop, start=2.0)
    assert p.count == max(1, round(loop * fps))
    assert p.time(p.count) == pytest.approx(2.0 + loop)
    assert p.time(p.count - 1) < 2.0 + loop - 1e-9


def test_given_seconds_win_over_the_loop():
    assert plan(1.0, 10.0, loop=5.0).count == 10
    assert plan(None, 10.0, loop=5.0).count == 50
    assert plan(None, 10.0).count == 50  # five seconds where there is no loop


@pytest.mark.parametrize(
    "numbers",
    [{"seconds": 0}, {"seconds": -1}, {"seconds": float("nan")}, {"seconds": "long"}, {"seconds": 1e9}, {"loop": -1.0},
     {"fps": 0}, {"fps": float("inf")}, {"start": float("nan")}],
)  # fmt: skip
def test_numbers_that_cannot_be_are_refused_in_a_line(numbers):
    with pytest.raises(SettingError) as caught:
        plan(**{"fps": 30.0, **numbers})
    assert "\n" not in str(caught.value)
    assert str(MOST_FRAMES) in str(caught.value) or "it takes a number" in str(caught.value)


def film(path, count=6, render=None):
    frames = smooth(count)
    return FilmRecorder(path, render or frames.__getitem__, plan(count / 10, 10.0), size=(48, 32))


def test_each_frame_is_asked_for_once_and_in_order(tmp_path):
    asked, frames = [], smooth(6)

    def render(k):
        asked.append(k)
        return frames[k]

    film(f"{tmp_path}/out/", render=render).run()
    assert asked == list(range(6))
    for k, frame in enumerate(frames):
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / f"frame_{k:04d}.png")), frame[..., :3])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_steps_make_the_same_file_as_a_run(count, tmp_path):
    film(f"{tmp_path}/run.gif", count).run()
    recorder = film(f"{tmp_path}/steps.gif", count)
    steps = 1
    while not recorder.step():
        steps += 1
    assert steps == recorder.count == recorder.frames_done == count
    assert recorder.step() is True  # and stays so
    assert (tmp_path / "run.gif").read_bytes() == (tmp_path / "steps.gif").read_bytes()


def test_a_frame_is_waited_for_only_after_the_one_before_was_written(tmp_path):
    # What makes encoding and rendering overlap: the renderer is at work between `render` and `pixels`.
    order, frames = [], smooth(3)

    class Picture:
        def __init__(self, k):
            self.k = k
            order.append(f"start {k}")

        def pixels(self):
            order.append(f"wait {self.k}")
            return frames[self.k]

    recorder = film(f"{tmp_path}/out/", 3, Picture)
    add = recorder._writer.add
    recorder._writer.add = lambda pixels: (order.append("write"), add(pixels))
    recorder.run()
    assert order == ["start 0", "wait 0", "start 1", "write", "wait 1", "start 2", "write", "wait 2", "write"]


def test_progress_counts_up_to_the_whole(tmp_path):
    seen = []
    film(f"{tmp_path}/out.gif").run(seen.append)
    assert seen == sorted(seen) and seen[-1] == 6


@pytest.mark.parametrize("name", ["out.gif", "out.mp4", "out/"])
@pytest.mark.parametrize("at", [0, 3, 5])
def test_an_error_while_drawing_comes_through_and_leaves_nothing(name, at, tmp_path):
    frames = smooth(6)

    def render(k):
        if k == at:
            raise ZeroDivisionError("in the scene")
        return frames[k]

    with pytest.raises(ZeroDivisionError, match="in the scene"):
        film(f"{tmp_path}/{name}", render=render).run()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["out.gif", "out.webm", "out/"])
def test_ctrl_c_says_what_is_left_and_leaves_the_earlier_file(name, tmp_path, ctrl_c):
    film(f"{tmp_path}/{name}").run()
    before = os.listdir(tmp_path)
    frames = smooth(6)

    def render(k):
        if k == 3:
            ctrl_c()
        return frames[k]

    with pytest.raises(KeyboardInterrupt) as caught:
        film(f"{tmp_path}/{name}", render=render).run()
    assert "of 6 frames" in str(caught.value)
    assert "nothing was saved" in str(caught.value) and "earlier file is as it was" in str(caught.value)
    assert os.listdir(tmp_path) == before


def test_a_place_that_cannot_be_written_is_reported_before_anything_is_drawn(tmp_path):
    def never(k):
        raise AssertionError("drawn")

    with pytest.raises(FileError, match="no folder"):
        film(f"{tmp_path}/none/out.mp4", render=never)


@pytest.mark.parametrize("name", ["out.gif", "out.mp4", "out/"])
@pytest.mark.parametrize("number", stopping.NUMBERS)
def test_whatever_stops_it_leaves_no_file_and_no_program(name, number, tmp_path):
    frames, programs = smooth(6), []

    def render(k):
        if k == 3:
            programs.append(getattr(recorder._writer, "_ffmpeg", None))
            os.kill(os.getpid(), number)
        return frames[k]

    recorder = film(f"{tmp_path}/{name}", render=render)
    with stopping.interruptible(), pytest.raises(KeyboardInterrupt, match="nothing was saved"):
        recorder.run()
    assert os.listdir(tmp_path) == [] and all(program is None or program.poll() is not None for program in programs)
    assert stopping.status() == (None if number == signal.SIGINT else 128 + number)


def test_what_a_process_ignores_stays_ignored(tmp_path):
    for number in stopping.NUMBERS:
        before = signal.signal(number, signal.SIG_IGN)
        try:
            with stopping.interruptible(), stopping.stopping() as stopped:
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), number)
            assert not stopped.is_set() and signal.getsignal(number) == signal.SIG_IGN
        finally:
            signal.signal(number, before)
