"""Where the pointer is: when to ask what lies under it in the picture, and which part of the panel it is over."""

from __future__ import annotations

from collections.abc import Callable

from engine.scene.view_data import Reading

# Seconds of rest; a hand that moves on purpose seldom stops shorter.
REST = 0.08
# Pixels a resting hand may tremble.
TREMBLE = 2.0


class Pointer:
    """Where the pointer is over the picture, and for how long.

    place     (x, y) in logical pixels, or None when it is elsewhere
    reading   what was found under it, until it or the picture moves; whoever asks puts it here
    """

    def __init__(self) -> None:
        self.place: tuple[float, float] | None = None
        self.reading: Reading | None = None
        self._rest = 0.0
        self._asked = False

    def move(self, x: float, y: float) -> bool:
        """It is here now; returns True if that is somewhere else than before."""
        if self.place is not None and abs(x - self.place[0]) <= TREMBLE and abs(y - self.place[1]) <= TREMBLE:
            return False
        self.place = (x, y)
        self.stir()
        return True

    def leave(self) -> None:
        self.place = None
        self.stir()

    def stir(self) -> None:
        """What lies under it may be another thing now."""
        self._rest, self._asked, self.reading = 0.0, False, None

    def tick(self, seconds: float) -> bool:
        """Lets seconds pass; returns True once, when it has rested long enough to be asked about."""
        if not self.is_waiting:
            return False
        self._rest += seconds
        self._asked = self._rest >= REST
        return self._asked

    @property
    def is_waiting(self) -> bool:
        """True while a question is still to come, so that time must go on."""
        return self.place is not None and not self._asked


class Hover:
    """Reports to a scene which of its parts is under the pointer: once when it comes, once when it leaves.

    place   what a part calls it, (kind, ...); None for nothing
    """

    def __init__(self) -> None:
        self.place: tuple | None = None
        self._leave: Callable[[], object] | None = None
        self._offered: tuple | None = None

    def offer(self, place: tuple, enter: Callable[[], object], leave: Callable[[], object]) -> None:
        """A part reports in a frame that the pointer is over it.

        enter, leave   called if that is new, and when it is over
        """
        self._offered = place, enter, leave

    def finish(self) -> bool:
        """Ends a frame; returns True if something was reported to the scene."""
        (place, enter, leave), self._offered = self._offered or (None, None, None), None
        if place == self.place:
            self._leave = leave
            return False
        before, gone = self.place, self._leave
        self.place, self._leave = place, leave
        # From a unit to the next only the next is reported.
        if gone is not None and not (place and before and place[0] == before[0] == "unit"):
            gone()
        if enter is not None:
            enter()
        return True
