"""The snapshots of a scene's timeline: which one the time stands at, and how to go from one to another."""

import numpy as np

from engine.scene.view_data import Action, Timeline
from engine.ui.control.transport import SPEEDS, Transport

# What + and - go through.
LADDER = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class TimelineState:
    """Moves a Transport along a Timeline. A scene without one leaves it to the transport alone.

    timeline   engine.scene.view_data.Timeline or None, as the scene gave it last
    is_open    whether it is shown below the picture
    """

    def __init__(self, transport: Transport):
        self.transport = transport
        self.timeline: Timeline | None = None
        self.is_open = True

    @property
    def shown(self) -> Timeline:
        """The timeline, where there is known to be one."""
        assert self.timeline is not None
        return self.timeline

    @property
    def index(self) -> int:
        """The snapshot shown; 0 without a timeline."""
        return self.timeline.at(self.transport.time) if self.timeline is not None else 0

    def follow(self, timeline: Timeline | None, loop: float | None) -> None:
        """Takes the scene's timeline, or None, and its loop.

        The same step stays shown in another timeline. Whoever is at the last snapshot stays with the last.
        """
        before, self.timeline = self.timeline, timeline
        time, at = self.transport.time, before.at(self.transport.time) if before else 0
        self.transport.follow(loop)
        if timeline is None or before is None or timeline.times is before.times:
            return
        if np.array_equal(timeline.times, before.times) and np.array_equal(timeline.steps, before.steps):
            return
        grown = timeline.count > before.count and timeline.steps[0] == before.steps[0]
        if at == before.count - 1 and (grown or before.is_growing):
            self.go(timeline.count - 1)
            return
        new = int(max(0, np.searchsorted(timeline.steps, before.steps[at], side="right") - 1))
        # A part of the time to the next one stays: playing goes on while snapshots arrive.
        width = float(timeline.times[new + 1] - timeline.times[new]) if new + 1 < timeline.count else 0.0
        self.transport.scrub(float(timeline.times[new]) + min(max(time - float(before.times[at]), 0.0), 0.999 * width))

    def rest(self) -> None:
        """Stops at the last snapshot, where time does not begin again; while more are being made, waits there."""
        if self.timeline is None or self.transport.loop or self.transport.time <= self.timeline.times[-1]:
            return
        self.transport.scrub(float(self.timeline.times[-1]))
        if self.transport.playing and not self.timeline.is_growing:
            self.transport.toggle()

    # Verbs.

    def go(self, index: int) -> None:
        """Shows a snapshot; one beyond an end is the end."""
        if self.timeline is not None:
            self.transport.scrub(float(self.timeline.times[min(max(index, 0), self.timeline.count - 1)]))

    def step(self, count: int) -> None:
        """Pauses, and goes so many snapshots on, or back."""
        if self.transport.playing:
            self.transport.toggle()
        self.go(self.index + count)

    def toggle(self) -> None:
        """Plays or pauses; from the end it begins again."""
        self.transport.toggle()
        timeline = self.timeline
        if timeline is None or self.transport.loop or timeline.is_growing or not self.transport.playing:
            return
        if self.index == timeline.count - 1:
            self.go(0)

    def quicken(self, direction: int) -> None:
        """The next speed of the ladder: faster for 1, slower for -1."""
        speed = self.transport.speed
        if direction > 0:
            self.transport.set_speed(next((s for s in LADDER if s > speed * 1.001), SPEEDS[1]))
        else:
            self.transport.set_speed(next((s for s in reversed(LADDER) if s < speed * 0.999), SPEEDS[0]))

    def fold(self) -> None:
        """Shows the timeline, or hides it."""
        self.is_open = not self.is_open

    def actions(self) -> list[Action]:
        """Keys for all this, as Actions; none without a timeline."""
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
