import gc
import signal
import threading
import time

import pytest

from engine.output import stopping


class Dying:
    """Something whose finaliser a signal arrives in."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", stopping.NUMBERS)
def test_a_signal_while_an_object_is_finalised_stops_what_comes_after(number, monkeypatch):
    ignored = []
    monkeypatch.setattr("sys.unraisablehook", ignored.append)
    with stopping.interruptible(), pytest.raises(KeyboardInterrupt):
        dying = Dying(number)
        del dying
        gc.collect()
        for _ in range(10_000):
            time.sleep(0.001)
    assert not ignored
    assert stopping.status() == (None if number == signal.SIGINT else 128 + number)


def test_the_first_signal_asks_and_the_second_stops():
    with pytest.raises(KeyboardInterrupt), stopping.stopping() as stopped:
        assert isinstance(stopped, threading.Event)
        signal.raise_signal(signal.SIGINT)
        assert stopped.is_set()
        signal.raise_signal(signal.SIGINT)


def test_what_a_process_was_started_to_ignore_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stopping.interruptible():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
