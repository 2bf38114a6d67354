"""Records films: frame k shows the time start + k / fps, however long it takes to draw."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np

from engine.errors import SettingError
from engine.output.writers.formats import open_writer
from engine.output.writers.frame_writer import FrameText
from engine.render.encoding import Encoding
from engine.render.picture import Picture

# More frames are refused as a typing error: an hour at 60 frames a second is a fifth of this.
MOST_FRAMES = 1_000_000
# Seconds recorded of a scene that has no loop, where none are given.
DEFAULT_SECONDS = 5.0


@dataclass(frozen=True)
class FrameTimes:
    """The times of a film's frames.

    count     frames
    fps       frames a second that the file states
    start     seconds, of the first frame
    spacing   seconds of the scene between two frames: 1 / fps, or a little less or more for a loop
    """

    count: int
    fps: float
    start: float = 0.0
    spacing: float = 0.0

    def time(self, k: int) -> float:
        """The time of frame k in seconds; a product, not a sum, so that rounding errors do not add up."""
        return self.start + k * self.spacing

    def step(self, k: int) -> float:
        """Seconds from the frame before to frame k."""
        return self.spacing if k else 0.0


def plan(
    seconds: float | None = None, fps: float = 30.0, *, loop: float | None = None, start: float = 0.0
) -> FrameTimes:
    """The times of a recording's frames.

    seconds   how long; None for exactly one loop, or 5 where there is none
    fps       frames a second
    loop      seconds after which the animation repeats, or None
    start     seconds the first frame is for

    The count is seconds * fps, rounded, at least 1. A loop is divided evenly, so that the frame after the last would be
    the first, and the film repeats without a seam. Raises SettingError for numbers out of range.
    """
    one_loop = seconds is None and loop is not None
    length = loop if one_loop else DEFAULT_SECONDS if seconds is None else seconds
    for name, value, positive in (("seconds", length, True), ("fps", fps, True), ("start", start, False)):
        if not isinstance(value, Real) or not math.isfinite(value) or (positive and value <= 0):
            raise SettingError(f"{name}={value}: it takes a number{' above 0' if positive else ''}.")
    assert length is not None
    count = max(1, round(length * fps))
    if count > MOST_FRAMES:
        raise SettingError(
            f"{length:g} s at {fps:g} frames a second are {count} frames, over {MOST_FRAMES}. Record less."
        )
    return FrameTimes(count, float(fps), float(start), length / count if one_loop else 1.0 / fps)


class FilmRecorder:
    """Draws and writes a film, one frame a step.

    path           of the file or folder; its ending decides the format
    render_frame   function of the frame's index that returns its pixels, (H, W, 4) or (H, W, 3) uint8, or a Picture
                   that the GPU is still drawing
    times          FrameTimes
    size           (width, height) in pixels
    text, encoding, quality   see open_writer

    Raises FileError for a path that cannot be written, before anything is drawn.
    A window calls `step` between its frames; `run` calls it to the end.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        render_frame: Callable[[int], np.ndarray | Picture],
        times: FrameTimes,
        *,
        size: tuple[int, int],
        text: FrameText | None = None,
        encoding: Encoding | None = None,
        quality: str = "good",
    ):
        self.times = times
        self.count = times.count
        self.frames_done = 0
        self.is_done = False
        # Whether all frames so far, of several, are the same.
        self.is_still = times.count > 1
        self._render = render_frame
        self._started = 0
        self._ready: np.ndarray | None = None
        self._first: np.ndarray | None = None
        self._writer = open_writer(path, size, times.fps, text, encoding, quality)
        self.path = self._writer.path

    def step(self) -> bool:
        """Draws one frame and writes the one before; True when the file is complete.

        The frame before is encoded while the GPU draws this one. After an error all that was written is deleted, and
        the error is raised.
        """
        if self.is_done:
            return True
        try:
            drawn = self._render(self._started)
            self._write_ready()
            self._ready = drawn if isinstance(drawn, np.ndarray) else drawn.pixels()
            self._started += 1
            if self._started == self.count:
                self._write_ready()
                self._writer.close()
                self.is_done = True
        except BaseException:
            self.abort()
            raise
        return self.is_done

    def _write_ready(self) -> None:
        if self._ready is not None:
            self._writer.add(self._ready)
            if self.is_still:
                self._first = self._ready if self._first is None else self._first
                self.is_still = np.array_equal(self._first, self._ready)
            self._ready = None
            self.frames_done += 1

    def run(self, tick: Callable[[int], object] | None = None) -> str:
        """Steps to the end; returns the path.

        tick   called after every step with the number of frames written

        After Ctrl-C all that was written is deleted and an earlier file is unchanged; the KeyboardInterrupt says so.
        """
        try:
            while not self.is_done:
                self.step()
                if tick:
                    tick(self.frames_done)
        except BaseException as error:
            self.abort()
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(self.stop_message()) from None
            raise
        return self.path

    def stop_message(self) -> str:
        """The message to a person who stopped the recording."""
        before = "the earlier file is as it was" if self._writer.atomic.target.exists() else "no file was left"
        return f"Stopped after {self.frames_done} of {self.count} frames of {self.path}: nothing was saved, {before}."

    def abort(self) -> None:
        """Stops and deletes what was written; an earlier file stays."""
        self._ready = None
        self._writer.abort()
