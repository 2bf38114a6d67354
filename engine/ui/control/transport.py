"""The clock of a live view: play, pause, speed, scrub. It moves only by `tick` and `scrub`."""

from engine.scene.view_data import Clock

SPEEDS = (0.1, 10.0)
# Seconds the scrubber shows for a scene that does not loop, until its time runs past them.
SPAN = 10.0


class Transport:
    """Where a scene's time stands.

    loop      seconds after which time begins again, or None
    time      seconds
    speed     scene seconds a second
    playing   whether `tick` moves the time
    """

    def __init__(self, loop: float | None = None, *, time: float = 0.0, playing: bool = False):
        self.loop = loop
        self.time = float(time)
        self.speed = 1.0
        self.playing = playing
        self._step = 0.0
        self._seen = self.time

    def tick(self, seconds: float) -> bool:
        """Lets seconds pass; returns True if the time moved since the last tick, by itself or by `scrub`."""
        self._step = self.speed * seconds if self.playing else 0.0
        if self._step:
            self.scrub(self.time + self._step, moved=self._step)
        moved, self._seen = bool(self._step) or self.time != self._seen, self.time
        return moved

    def scrub(self, time: float, *, moved: float = 0.0) -> None:
        """Goes to a time; in a loop, to the same place of its first pass."""
        self.time = time % self.loop if self.loop else max(0.0, time)
        self._step = moved

    def follow(self, loop: float | None) -> None:
        """Takes another loop's length; the time stays at the same part of it, so that the picture does not jump."""
        before = self.loop
        if loop != before:
            self.loop = loop
            self.scrub(self.time * (loop / before if loop and before else 1.0))

    def toggle(self) -> None:
        """Plays if paused, pauses if playing."""
        self.playing = not self.playing

    def set_speed(self, speed: float) -> None:
        self.speed = min(max(speed, SPEEDS[0]), SPEEDS[1])

    @property
    def span(self) -> float:
        """Seconds from one end of the scrubber to the other: the loop, or doubled until the time fits."""
        if self.loop:
            return self.loop
        span = SPAN
        while span < self.time:
            span *= 2.0
        return span

    def clock(self) -> Clock:
        """The Clock of this moment."""
        return Clock(self.time, self._step)
