"""Frames to a film: frame k is for the time start + k / fps, however long it takes to draw."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np

from engine.errors import SettingError
from engine.output.writers.formats import open_writer
from engine.output.writers.frame_writer import FrameText
from engine.render.picture import Picture

# An hour at 60 frames a second is a fifth of this; past it a number was mistyped.
MOST_FRAMES = 1_000_000
# Seconds recorded of a scene that has no loop, where none are given.
DEFAULT_SECONDS = 5.0


@dataclass(frozen=True)
class FrameTimes:
    """Which times are recorded.

    count     frames
    fps       frames a second, in the file
    start     seconds, of the first frame
    spacing   seconds between two frames: 1 / fps, except for a loop that is no whole number of them
    """

    count: int
    fps: float
    start: float = 0.0
    spacing: float = 0.0

    def time(self, k: int) -> float:
        """Seconds frame k is for. Multiplied, not added up, so that no error grows."""
        return self.start + k * self.spacing

    def step(self, k: int) -> float:
        """Seconds since the frame before."""
        return self.spacing if k else 0.0


def plan(
    seconds: float | None = None, fps: float = 30.0, *, loop: float | None = None, start: float = 0.0
) -> FrameTimes:
    """The times of a recording's frames.

    seconds   how long; None for exactly one loop, or 5 where there is none
    fps       frames a second
    loop      seconds after which the animation repeats, or None
    start     seconds the first frame is for

    The count is seconds * fps, rounded, at least 1. One loop is divided evenly into its frames, and the frame after the
    last would be the first: played again and again it has no seam. Raises SettingError for numbers that cannot be.
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
    """Writes the frames of a film, one a step.

    path           where to; its ending says the format
    render_frame   a function of the frame's index giving its pixels, (H, W, 4) or (H, W, 3) uint8, or a Picture that
                   is still being drawn
    times          which times
    size           (width, height) in pixels
    text           see FrameWriter

    Raises FileError at once when the path cannot be written, before anything is drawn.
    A window calls `step` once for each frame it shows; `run` calls it to the end.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        render_frame: Callable[[int], np.ndarray | Picture],
        times: FrameTimes,
        *,
        size: tuple[int, int],
        text: FrameText | None = None,
    ):
        self.times = times
        self.count = times.count
        self.frames_done = 0
        self.is_done = False
        self._render = render_frame
        self._started = 0
        self._ready: np.ndarray | None = None
        self._writer = open_writer(path, size, times.fps, text)
        self.path = self._writer.path

    def step(self) -> bool:
        """Draws one frame and writes the one before; True when the file is complete.

        The frame before is encoded after this one's work was handed to the GPU and before it is waited for, so that
        both run at the same time. After an error nothing is left, and the error is raised.
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
            self._ready = None
            self.frames_done += 1

    def run(self, tick: Callable[[int], object] | None = None) -> str:
        """Steps to the end; returns the path.

        tick   called after every step with the number of frames written

        Ctrl-C leaves nothing behind and an earlier file as it was; the KeyboardInterrupt says so.
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
        """What to say to a person who stopped it."""
        before = "the earlier file is as it was" if self._writer.atomic.target.exists() else "no file was left"
        return f"Stopped after {self.frames_done} of {self.count} frames of {self.path}: nothing was saved, {before}."

    def abort(self) -> None:
        """Stops and leaves nothing behind; an earlier file stays."""
        self._ready = None
        self._writer.abort()
