"""A recording from the panel, with a recorder that only counts."""

import pytest

from engine.errors import FileError
from engine.ui.control.recording import Recording


class Counter:
    path, count, aborted = "loop.gif", 3, False

    def __init__(self):
        self.frames_done = 0

    def step(self):
        self.frames_done += 1
        return self.frames_done == self.count

    def abort(self):
        self.aborted = True


def test_it_runs_a_frame_a_step_and_ends_with_the_path():
    made = []
    recording = Recording(lambda *given: made.append(given) or Counter())
    recording.start()
    assert made == [(".gif", None, None)]
    assert [recording.step() for _ in range(4)] == [None, None, "loop.gif", None]
    assert not recording.is_running


def test_progress_goes_from_nothing_to_all():
    recording = Recording(lambda *given: Counter())
    recording.start()
    recording.step()
    assert recording.progress == (1, 3)


def test_cancelling_leaves_it_to_the_recorder_to_clean_up():
    counter = Counter()
    recording = Recording(lambda *given: counter)
    recording.start()
    recording.cancel()
    assert counter.aborted and not recording.is_running


def test_a_failing_frame_ends_the_recording():
    counter = Counter()
    counter.step = lambda: (_ for _ in ()).throw(FileError("full"))
    recording = Recording(lambda *given: counter)
    recording.start()
    with pytest.raises(FileError):
        recording.step()
    assert not recording.is_running


@pytest.mark.parametrize("value", ["fast", "0", "-3", 1e9, "nan"])
def test_a_length_that_cannot_be_is_said_and_not_taken(value):
    said = []
    recording = Recording(None)
    recording.set_seconds(value, 600.0, said.append)
    assert said and recording.seconds(4.0) == 4.0


def test_the_length_is_what_was_chosen_else_a_loop_else_five():
    recording = Recording(None)
    assert recording.seconds(None) == 5.0 and recording.seconds(4.0) == 4.0
    recording.set_seconds("2.5", 600.0, None)
    assert recording.seconds(4.0) == 2.5
