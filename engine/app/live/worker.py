"""A thread that does what takes long for a window: drawing, recording, the scene's own work, and what a click asks."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.gpu.native.apart import Dropped, turn

if TYPE_CHECKING:  # the viewer imports this module
    from engine.app.viewer import Viewer

# Seconds that a frame of the window waits for its turn with the scene; after that it shows what it last knew.
PATIENCE = 0.02
# Seconds after which Python lets another thread go on.
SWITCH = 0.0005
# Seconds after which a window that nobody touches shows how far the work is.
NEWS = 0.2
# Seconds between two looks at whether a picture that waits for a rest may be begun.
REST = 0.03


class Worker:
    """Works for one viewer, which it takes turns with.

    viewer   has labour, request, painter, answers
    """

    def __init__(self, viewer: Viewer):
        self.viewer = viewer
        self._jobs: deque[Callable[[], object]] = deque()
        self._wake, self._closed = threading.Event(), False
        self._thread = threading.Thread(target=self._live, name="drawing", daemon=True)
        self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether the thread that asks is this one."""
        return threading.current_thread() is self._thread

    def do(self, job: Callable[[], object]) -> None:
        """Has a job done soon, after those that were asked for before and the step of a picture that is in hand."""
        self._jobs.append(job)
        self._wake.set()

    def wake(self) -> None:
        """To be called when there may be something to do."""
        self._wake.set()

    def close(self) -> None:
        """Ends the thread after the call that it is in."""
        self._closed = True
        self._wake.set()

    def _live(self):
        before = sys.getswitchinterval()
        # A frame calls the driver a hundred times, and after each it waits so long for a thread that runs Python.
        sys.setswitchinterval(SWITCH)
        try:
            with suppress(ReferenceError):  # the viewer is gone
                self._run()
        finally:
            sys.setswitchinterval(before)

    def _run(self):
        shown = 0.0
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            if self._closed:
                break
            more, picture = False, self.viewer.painter.picture
            turn.take()
            try:
                if self._closed:
                    break
                while self._jobs:
                    self._jobs.popleft()()
                    self.viewer.answers.stale()
                more = self.viewer.labour()
            except Dropped:
                more = True
            except Exception as error:
                if not self._closed:
                    self.viewer.painter.failed(error)
            finally:
                turn.give()
            if self._closed:
                break
            is_new = self.viewer.painter.picture is not picture
            if is_new or time.perf_counter() - shown > NEWS:
                shown = time.perf_counter()
                self.viewer.request()
            if more:
                if not self.viewer.painter.is_drawing and not is_new:
                    time.sleep(REST)
                self._wake.set()
