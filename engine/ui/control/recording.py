"""Recording from the panel: the choices, and the progress. A recorder does the work, one frame a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# A folder of PNG files ends in a slash, as on the command line.
ENDINGS = {"gif": ".gif", "mp4": ".mp4", "webm": ".webm", "png": "/"}
SIZES = {"as shown": None, "640×480": (640, 480), "1280×720": (1280, 720), "1920×1080": (1920, 1080)}
SECONDS = 5.0
# The shortest recording, seconds.
SHORTEST = 0.1


class Recording:
    """What the panel's recording section holds.

    begin   function (ending, seconds or None for one loop, size or None for the picture's) -> a recorder, with `step`
            (True when complete), `abort`, `frames_done`, `count` and `path`
    """

    FORMATS = tuple(ENDINGS)
    SIZES = tuple(SIZES)

    def __init__(self, begin: Callable[..., Any]):
        self.format, self.size = self.FORMATS[0], self.SIZES[0]
        self._begin, self._recorder = begin, None
        self._seconds: float | None = None

    def seconds(self, loop: float | None) -> float:
        """Seconds to record: those chosen, else one loop, else five."""
        return self._seconds or loop or SECONDS

    def set_seconds(self, value: float | str, longest: float, show_problem: Callable[[str], None]) -> None:
        """Takes a number, or text that was typed; an error in it is shown."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = -1.0
        if SHORTEST <= seconds <= longest:
            self._seconds = seconds
        else:
            show_problem(f"Length {value}: it takes {SHORTEST:g} to {longest:g} seconds.")

    @property
    def is_running(self) -> bool:
        return self._recorder is not None

    @property
    def progress(self) -> tuple[int, int]:
        """(frames written, frames in all); (0, 0) while nothing is recorded."""
        return (self._recorder.frames_done, self._recorder.count) if self._recorder else (0, 0)

    def start(self) -> None:
        """Begins; raises what the recorder raises."""
        if not self.is_running:
            self._recorder = self._begin(ENDINGS[self.format], self._seconds, SIZES[self.size])

    def step(self) -> str | None:
        """Records one frame; returns the path after the last one, else None. Raises what the recorder raises."""
        recorder, complete = self._recorder, True
        if recorder is None:
            return None
        try:
            complete = recorder.step()
        finally:
            if complete:
                self._recorder = None
        return recorder.path if complete else None

    def cancel(self) -> None:
        """Stops, and deletes what was written."""
        if self._recorder is not None:
            self._recorder.abort()
            self._recorder = None
