"""Ctrl-C, asked for politely: the first ends work with what there is, the second at once. Other stops do the same.

A terminal that is closed (SIGHUP) and a system that shuts down (SIGTERM) stop work as Ctrl-C does (SIGINT), so that
nothing half-written stays. What a process was started to ignore, by nohup or in the background, stays ignored.
"""

import _thread
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

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
    came = int(signal.SIGINT)

    def handler(number: int, frame: FrameType | None) -> None:
        global _last
        nonlocal came
        came, _last = number, None if number == signal.SIGINT else signal.Signals(number)
        work()

    def unraisable(found: Any) -> None:
        # Python goes on after what is raised while an object is finalised: then the signal comes once more.
        if not issubclass(found.exc_type, KeyboardInterrupt):
            usual(found)
            return
        again = threading.Timer(LATER, _thread.interrupt_main, (came,))
        again.daemon = True
        again.start()

    # Signals arrive in the main thread only. A handler is None if it was not set from Python.
    is_main = threading.current_thread() is threading.main_thread()
    heard = [number for number in numbers if is_main and signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, handler) for number in heard}
    usual = sys.unraisablehook
    if heard:
        sys.unraisablehook = unraisable
    try:
        yield
    finally:
        if heard:
            sys.unraisablehook = usual
        for number, earlier in before.items():
            signal.signal(number, earlier)
