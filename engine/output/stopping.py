"""Ctrl-C, asked for politely: the first ends work with what there is, the second at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopping(*numbers: int) -> Iterator[threading.Event]:
    """An event that the first of these signals sets (SIGINT if none is named); the second raises KeyboardInterrupt."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    # Signals arrive in the main thread only.
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, stop) for number in (numbers or (signal.SIGINT,)) if is_main}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
