"""Where the pointer is: when to find out what is under it in the picture, and which part of the panel it is over."""

from __future__ import annotations

from collections.abc import Callable

from engine.scene.view_data import Reading

# Seconds after which the pointer counts as resting; within a deliberate movement, stops are shorter.
REST = 0.08
# Pixels that the pointer may move while it counts as resting.
TREMBLE = 2.0


class Pointer:
    """Where the pointer is over the picture, and for how long.

    place     (x, y) in logical pixels, or None when it is not over the picture
    reading   the Reading of what is under it, set by the viewer; None once the pointer or the picture has moved
    """

    def __init__(self) -> None:
        self.place: tuple[float, float] | None = None
        self.reading: Reading | None = None
        self._rest = 0.0
        self._asked = False

    def move(self, x: float, y: float) -> bool:
        """Sets the pointer's place; returns True if that has changed."""
        if self.place is not None and abs(x - self.place[0]) <= TREMBLE and abs(y - self.place[1]) <= TREMBLE:
            return False
        self.place = (x, y)
        self.stir()
        return True

    def leave(self) -> None:
        self.place = None
        self.stir()

    def stir(self) -> None:
        """Drops the reading and starts waiting again: something else may be under the pointer now."""
        self._rest, self._asked, self.reading = 0.0, False, None

    def tick(self, seconds: float) -> bool:
        """Lets seconds pass; returns True once, when the pointer has rested for REST seconds."""
        if not self.is_waiting:
            return False
        self._rest += seconds
        self._asked = self._rest >= REST
        return self._asked

    @property
    def is_waiting(self) -> bool:
        """True while `tick` has not yet returned True for this place, so that frames must go on."""
        return self.place is not None and not self._asked


class Hover:
    """Tells a scene which of its parts in the panel is under the pointer: once on entering, once on leaving.

    place   (kind, ...), the part's name for what is under the pointer; None for nothing
    """

    def __init__(self) -> None:
        self.place: tuple | None = None
        self._leave: Callable[[], object] | None = None
        self._offered: tuple | None = None

    def offer(self, place: tuple, enter: Callable[[], object], leave: Callable[[], object]) -> None:
        """Called by a part, in each frame in which the pointer is over it.

        enter, leave   called when the pointer enters this place, and when it leaves
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
        # When the pointer moves from one unit straight to another, only the new one is reported.
        if gone is not None and not (place and before and place[0] == before[0] == "unit"):
            gone()
        if enter is not None:
            enter()
        return True
