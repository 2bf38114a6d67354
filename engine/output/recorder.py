"""Frames to a file, on a clock of their own: frame k is for start + k / fps, however long it takes to draw."""

import math
from dataclasses import dataclass

from engine.errors import SettingError
from engine.output.writers.formats import open_writer

# An hour at 60 frames a second is a fifth of this; past it a number was mistyped.
MOST_FRAMES = 1_000_000
# Seconds recorded of a scene that has no loop, unless told.
DEFAULT_SECONDS = 5.0


@dataclass(frozen=True)
class Plan:
    """Which moments are recorded.

    count     frames
    fps       frames a second, in the file
    start     seconds, of the first frame
    spacing   seconds between two frames: 1 / fps, but for a loop that takes no whole number of them
    """

    count: int
    fps: float
    start: float = 0.0
    spacing: float = 0.0

    def time(self, k):
        """Seconds frame k is for. Multiplied, not added up, so that no error grows."""
        return self.start + k * self.spacing

    def step(self, k):
        """Seconds since the frame before."""
        return self.spacing if k else 0.0


def plan(seconds=None, fps=30.0, *, loop=None, start=0.0):
    """The Plan for a recording.

    seconds   how long; None for exactly one loop, or 5 where there is none
    fps       frames a second
    loop      seconds after which the animation repeats, or None
    start     seconds the first frame is for

    The count is seconds * fps, rounded, at least 1. One loop is divided evenly into its frames, and the frame after the
    last would be the first: played again and again it has no seam.
    Raises SettingError for numbers that cannot be.
    """
    one_loop = seconds is None and loop is not None
    length = loop if one_loop else DEFAULT_SECONDS if seconds is None else seconds
    for name, value, positive in (("seconds", length, True), ("fps", fps, True), ("start", start, False)):
        try:
            good = math.isfinite(value) and (value > 0 or not positive)
        except TypeError:
            good = False
        if not good:
            raise SettingError(f"{name}={value}: it takes a number{' above 0' if positive else ''}.")
    count = max(1, round(length * fps))
    if count > MOST_FRAMES:
        raise SettingError(
            f"{length:g} s at {fps:g} frames a second are {count} frames, over {MOST_FRAMES}. Record less."
        )
    spacing = length / count if one_loop else 1.0 / fps
    return Plan(count, float(fps), float(start), spacing)


class Recorder:
    """Writes the frames of a plan, one a step.

    path           where to; its ending says the format
    render_frame   a function of the frame's index giving its pixels, (H, W, 4) or (H, W, 3) uint8, or something with
                   `pixels()` that gives them
    plan           which moments
    size           (width, height)
    text           see engine.output.writers.frame_writer.WholeWriter

    Raises FileError at once when the path cannot be written, before anything is drawn.

    A window calls `step` once for each frame it shows; `run` calls it to the end.
    """

    def __init__(self, path, render_frame, plan, *, size, text=None):
        self.plan = plan
        self.frames_done = 0
        self.is_done = False
        self._render = render_frame
        self._started = 0
        self._ready = None
        self._writer = open_writer(path, size, plan.fps, text)
        self.path = self._writer.path

    @property
    def count(self):
        """Frames in all."""
        return self.plan.count

    def step(self):
        """Draws one frame and writes the one before; True when the file is complete.

        The frame before is encoded after this one's work was handed to the GPU and before it is waited for, so that the
        two go on at the same time. On any error nothing is kept, and the error is raised.
        """
        if self.is_done:
            return True
        try:
            drawn = self._render(self._started) if self._started < self.count else None
            if self._ready is not None:
                self._writer.add(self._ready)
                self.frames_done += 1
            self._ready = None if drawn is None else drawn.pixels() if hasattr(drawn, "pixels") else drawn
            self._started += 1
            if self.frames_done == self.count - 1 and self._ready is not None and self._started == self.count:
                # The last one has nothing to go on beside.
                self._writer.add(self._ready)
                self.frames_done += 1
                self._writer.close()
                self.is_done, self._ready = True, None
        except BaseException:
            self.abort()
            raise
        return self.is_done

    def run(self, tick=None):
        """Steps to the end; returns the path.

        tick   called after every step with the number of frames written

        Ctrl-C leaves nothing behind, nor does it touch an earlier file; the KeyboardInterrupt says so.
        """
        try:
            while not self.step():
                if tick:
                    tick(self.frames_done)
            if tick:
                tick(self.frames_done)
        except KeyboardInterrupt:
            self.abort()
            raise KeyboardInterrupt(self.stopped()) from None
        except BaseException:
            self.abort()
            raise
        return self.path

    def stopped(self):
        """What to tell a person who stopped it."""
        before = "the earlier file is as it was" if self._writer.beside.target.exists() else "no file was left"
        return f"Stopped after {self.frames_done} of {self.count} frames of {self.path}: nothing was kept, {before}."

    def abort(self):
        """Stops and leaves nothing behind; an earlier file stays."""
        self._ready = None
        self._writer.abort()
