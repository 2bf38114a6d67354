"""The time of a live view: play, pause, speed, scrub, and steps along a scene's timeline."""

import numpy as np

from engine.scene.view_data import Action, Clock, Timeline

# The least and the greatest speed, and the speeds that + and - step through.
SPEEDS = (0.1, 10.0)
LADDER = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
# Seconds that the scrubber shows for a scene that does not loop; doubled when its time runs past them.
SPAN = 10.0


class Transport:
    """The time that a view shows. Only `tick` and `scrub` change it, and the methods that call them.

    loop      seconds after which time begins again, or None
    time      seconds
    speed     seconds of the scene in a second
    playing   whether `tick` moves the time
    timeline  the last Timeline that the scene returned, or None
    is_open   whether the timeline is shown below the picture
    """

    def __init__(self, loop: float | None = None, *, time: float = 0.0, playing: bool = False):
        self.loop, self.time, self.speed, self.playing = loop, float(time), 1.0, playing
        self.timeline: Timeline | None = None
        self.is_open = True
        self._step = 0.0
        self._seen = self.time

    @property
    def shown(self) -> Timeline:
        """The timeline; to be asked only if there is one."""
        assert self.timeline is not None
        return self.timeline

    @property
    def index(self) -> int:
        """The number of the snapshot shown; 0 without a timeline."""
        return self.timeline.at(self.time) if self.timeline is not None else 0

    @property
    def span(self) -> float:
        """Seconds from one end of the scrubber to the other: the loop, else SPAN, doubled until the time fits."""
        span = self.loop or SPAN
        while not self.loop and span < self.time:
            span *= 2.0
        return span

    def clock(self) -> Clock:
        """The Clock of this moment."""
        return Clock(self.time, self._step)

    def tick(self, seconds: float) -> bool:
        """Lets seconds pass; returns True if the time has changed since the last tick, by playing or by `scrub`.

        Without a loop, playing ends at the last snapshot; while more snapshots are being made, it waits there.
        """
        step = self.speed * seconds if self.playing else 0.0
        if step:
            self.scrub(self.time + step)
        self._step = step
        if self.timeline is not None and not self.loop and self.time > self.timeline.times[-1]:
            self.scrub(float(self.timeline.times[-1]))
            self.playing = self.playing and self.timeline.is_growing
        moved, self._seen = bool(step) or self.time != self._seen, self.time
        return moved

    def scrub(self, time: float) -> None:
        """Goes to a time in seconds; of a looping scene, modulo the loop."""
        self.time = time % self.loop if self.loop else max(0.0, time)
        self._step = 0.0

    def follow(self, timeline: Timeline | None, loop: float | None) -> None:
        """Takes the scene's present timeline, or None, and its loop.

        If the loop's length changes, the time keeps its fraction of the loop, so that the picture does not jump. If the
        timeline changes, the same step stays shown; at the last snapshot of a growing timeline, the new last one is.
        """
        before, self.timeline, time = self.timeline, timeline, self.time
        if loop != self.loop:
            scale = loop / self.loop if loop and self.loop else 1.0
            self.loop = loop
            self.scrub(time * scale)
        if timeline is None or before is None or timeline.times is before.times:
            return
        if np.array_equal(timeline.times, before.times) and np.array_equal(timeline.steps, before.steps):
            return
        at = before.at(time)
        grown = timeline.count > before.count and timeline.steps[0] == before.steps[0]
        if at == before.count - 1 and (grown or before.is_growing):
            self.go(timeline.count - 1)
            return
        new = int(max(0, np.searchsorted(timeline.steps, before.steps[at], side="right") - 1))
        # The time elapsed since the snapshot is kept, so that playing goes on while snapshots arrive.
        width = float(timeline.times[new + 1] - timeline.times[new]) if new + 1 < timeline.count else 0.0
        self.scrub(float(timeline.times[new]) + min(max(time - float(before.times[at]), 0.0), 0.999 * width))

    # What keys and buttons do.

    def go(self, index: int) -> None:
        """Shows a snapshot by its number; beyond an end, the one at that end."""
        if self.timeline is not None:
            self.scrub(float(self.timeline.times[min(max(index, 0), self.timeline.count - 1)]))

    def step(self, count: int) -> None:
        """Pauses, and goes `count` snapshots forward, or back if that is negative."""
        self.playing = False
        self.go(self.index + count)

    def toggle(self) -> None:
        """Plays or pauses; from the last snapshot it begins again."""
        self.playing = not self.playing
        timeline = self.timeline
        if timeline is None or not self.playing or self.loop or timeline.is_growing:
            return
        if self.index == timeline.count - 1:
            self.go(0)

    def set_speed(self, speed: float) -> None:
        """Sets the speed, clipped to SPEEDS."""
        self.speed = min(max(speed, SPEEDS[0]), SPEEDS[1])

    def quicken(self, direction: int) -> None:
        """Goes to the next speed of LADDER: a faster one for 1, a slower one for -1."""
        if direction > 0:
            self.set_speed(next((s for s in LADDER if s > self.speed * 1.001), SPEEDS[1]))
        else:
            self.set_speed(next((s for s in reversed(LADDER) if s < self.speed * 0.999), SPEEDS[0]))

    def fold(self) -> None:
        """Shows the timeline, or hides it."""
        self.is_open = not self.is_open

    def actions(self) -> list[Action]:
        """Actions for the timeline's keys; none without a timeline."""
        if (timeline := self.timeline) is None:
            return []
        return [
            Action("next snapshot", "next snapshot", lambda: self.step(1), key="ArrowRight"),
            Action("previous snapshot", "previous snapshot", lambda: self.step(-1), key="ArrowLeft"),
            Action("first snapshot", "first snapshot", lambda: self.go(0), key="Home"),
            Action("last snapshot", "last snapshot", lambda: self.go(timeline.count - 1), key="End"),
            Action("faster", "play faster", lambda: self.quicken(1), key="+"),
            # The same key without shift.
            Action("faster still", "", lambda: self.quicken(1), key="="),
            Action("slower", "play slower", lambda: self.quicken(-1), key="-"),
            Action("timeline", "fold or open the timeline", self.fold, key="t"),
        ]
