"""Long calls of the driver, made so that nobody waits who need not: a window, and a person who presses Ctrl-C.

A driver compiles for seconds, and a software driver computes within a call. In a command such calls are made in a
thread beside the main one, which only waits and so hears signals. Where a window is drawn by a thread of its own, the
two take turns with the scene (`turn`): the thread that draws gives its turn away for the length of each such call.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

# The priority (`nice`) of threads that give way; the names of those that do not.
BEHIND, RASTER = 10, re.compile(r"llvmpipe-\d")
# Seconds within which a signal is heard.
SLICE = 0.1


class Dropped(BaseException):
    """Ends work that is no longer wanted; raised from `apart` in a block of `Turn.droppable`."""


class Turn:
    """Says which of two threads may use scenes and what is made from them: one that draws, and a window's.

    The window's goes first. Threads that never take a turn are not held up.
    """

    def __init__(self) -> None:
        self._free = threading.Condition(threading.Lock())
        self.holder: int | None = None  # the thread that has it
        self._is_first = False
        self._wanted = self._waiting = 0
        self._owes = False
        # Of each thread whose work may be dropped.
        self._droppable: dict[int, Callable[[], bool]] = {}

    @property
    def is_mine(self) -> bool:
        """Whether this thread has the turn."""
        return self.holder == threading.get_ident()

    @property
    def may_be_given(self) -> bool:
        """Whether this thread has the turn and may give it away; a window, for whom it would be long, may not."""
        return self.is_mine and not self._is_first

    @property
    def is_wanted(self) -> bool:
        """Whether a window waits for it."""
        return self._wanted > 0

    def take(self, *, first: bool = False, seconds: float | None = None) -> bool:
        """Waits for the turn; False if it was not free within so many seconds.

        first   before those that wait without it; but after such a turn they have one, lest they never have
        """
        with self._free:
            self._wanted += first
            self._waiting += not first
            try:
                free = self._free.wait_for(lambda: self.holder is None and self._may(first), seconds)
            finally:
                self._wanted -= first
                self._waiting -= not first
            if free:
                self.holder, self._is_first = threading.get_ident(), first
                self._owes = self._owes and first
            return free

    def _may(self, first):
        return not (self._owes and self._waiting) if first else self._owes or not self._wanted

    def give(self) -> None:
        """Ends this thread's turn."""
        with self._free:
            self.holder, self._owes = None, self._is_first and self._waiting > 0
            self._free.notify_all()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Gives the turn away for the length of the block."""
        self.give()
        try:
            yield
        finally:
            self.take()

    @contextmanager
    def briefly(self, seconds: float) -> Iterator[bool]:
        """Takes the turn for the block, before all that wait; gives False where it was not free in so many seconds."""
        mine = self.is_mine
        taken = not mine and self.take(first=True, seconds=seconds)
        try:
            yield mine or taken
        finally:
            if taken:
                self.give()

    @contextmanager
    def droppable(self, is_unwanted: Callable[[], bool]) -> Iterator[None]:
        """Ends the block with Dropped after a wait in which its work has become unwanted."""
        self._droppable[threading.get_ident()] = is_unwanted
        try:
            yield
        finally:
            del self._droppable[threading.get_ident()]

    def breathe(self) -> None:
        """Lets a window go first that waits for it; to be called within long work on the processor."""
        if self._wanted and self.may_be_given:
            with self.away():
                pass

    def heed(self) -> None:
        """Raises Dropped where this thread's work has become unwanted."""
        is_unwanted = self._droppable.get(threading.get_ident())
        if is_unwanted is not None and is_unwanted():
            raise Dropped


turn = Turn()
# What long calls are being made: (thread, what, since).
_calls: list[tuple[int, str, float]] = []


def apart(work: Callable[[], T], what: str = "", *, drops: bool = False) -> T:
    """What `work`, a long call of the driver, returns or raises.

    what    it does, for the status line of a window
    drops   whether the work around it may end here when it is no longer wanted
    """
    entry = threading.get_ident(), what, time.monotonic()
    _calls.append(entry)
    try:
        if turn.may_be_given:
            with turn.away():
                found = work()
        elif turn.is_mine:
            found = work()
        elif threading.current_thread() is threading.main_thread():
            found = _beside(work)
        else:
            found = work()
    finally:
        _calls.remove(entry)
    if drops:
        turn.heed()
    return found


def awaited(seconds: float = 0.0) -> str:
    """What the longest of the calls being made does, if it was begun more than `seconds` ago; else nothing."""
    now = time.monotonic()
    return next((what for _, what, since in list(_calls) if what and now - since > seconds), "")


class _Beside:
    """A thread that makes calls for the main one."""

    def __init__(self) -> None:
        self.process, self.is_busy = os.getpid(), False
        self._given: SimpleQueue[tuple[Callable[[], Any], list, threading.Lock]] = SimpleQueue()
        threading.Thread(target=self._run, name="driver", daemon=True).start()

    def call(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises; after a signal's exception it goes on unheeded."""
        outcome: list[Any] = []
        done = threading.Lock()
        done.acquire()
        self.is_busy = True
        self._given.put((work, outcome, done))
        # In slices, since a signal that comes just before a wait does not end it.
        while not done.acquire(timeout=SLICE):
            pass
        found, error = outcome
        if error is not None:
            raise error
        return found

    def _run(self):
        while True:
            work, outcome, done = self._given.get()
            try:
                outcome += [work(), None]
            except BaseException as error:
                outcome += [None, error]
            self.is_busy = not self._given.empty()
            done.release()
            del work, outcome, done


_thread: _Beside | None = None


def _beside(work: Callable[[], T]) -> T:
    global _thread
    if _thread is None or _thread.process != os.getpid() or _thread.is_busy:
        # Not the one that is still in a call which nobody waits for, and none of the process that forked this one.
        _thread = _Beside()
    return _thread.call(work)


def give_way() -> None:
    """Has the threads of a software driver that compute let all others of this process go first, where that is known.

    Those that fill the pixels of a window's frames are not among them; on Linux, by Mesa's names.
    """
    mine = {thread.native_id for thread in threading.enumerate()}
    for task in Path("/proc/self/task").glob("*"):
        number = int(task.name)
        with suppress(OSError):  # a thread that has ended
            if number not in mine and not RASTER.match((task / "comm").read_text()):
                os.setpriority(os.PRIO_PROCESS, number, max(BEHIND, os.getpriority(os.PRIO_PROCESS, number)))


def is_busy() -> bool:
    """Whether another thread draws, or is in a call of the driver: the process must end without waiting for it."""
    mine = threading.get_ident()
    threads = [turn.holder or mine, *(thread for thread, _, _ in list(_calls))]
    return any(thread != mine for thread in threads) or (_thread is not None and _thread.is_busy)
