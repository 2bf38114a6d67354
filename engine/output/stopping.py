"""Ctrl-C, asked for politely: the first ends work with what there is, the second at once. Other stops do the same.

A terminal that is closed (SIGHUP) and a system that shuts down (SIGTERM) stop work as Ctrl-C does (SIGINT), so that
nothing half-written stays. What a process was started to ignore, by nohup or in the background, stays ignored.
"""

import _thread
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Seconds after which a signal is raised again that came while an object was finalised.
LATER = 0.01
NUMBERS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
# The last signal other than SIGINT, for the exit status.
_last: signal.Signals | None = None


def status() -> int | None:
    """The exit status of a program that a signal has stopped, 128 and its number; None if that was Ctrl-C's."""
    return None if _last is None else 128 + _last


@contextmanager
def interruptible() -> Iterator[None]:
    """All of these signals raise KeyboardInterrupt in the block."""
    global _last
    _last = None

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with _handled(NUMBERS, stop):
        yield


@contextmanager
def stopping(numbers: tuple[signal.Signals, ...] = NUMBERS) -> Iterator[threading.Event]:
    """An event that the first of these signals sets; the second raises KeyboardInterrupt."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    with _handled(numbers, stop):
        yield stopped


@contextmanager
def _handled(numbers: tuple[signal.Signals, ...], work: Callable[[], None]) -> Iterator[None]:
    def handler(number: int, frame: FrameType | None) -> None:
        global _last
        _last = None if number == signal.SIGINT else signal.Signals(number)
        if _is_finalising(frame):
            # Python prints what is raised there, and goes on as if nothing had been.
            again = threading.Timer(LATER, _thread.interrupt_main, (number,))
            again.daemon = True
            again.start()
        else:
            work()

    # Signals arrive in the main thread only. A handler is None if it was not set from Python.
    is_main = threading.current_thread() is threading.main_thread()
    heard = [number for number in numbers if is_main and signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _is_finalising(frame):
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None
