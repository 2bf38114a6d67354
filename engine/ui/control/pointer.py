"""When to ask what lies under the pointer: once it rests, not while it passes."""

# Seconds of rest; a hand that moves on purpose seldom stops shorter.
REST = 0.08
# Pixels a resting hand may tremble.
TREMBLE = 2.0


class Pointer:
    """Where the pointer is over the picture, and for how long.

    place     (x, y) in logical pixels, or None when it is elsewhere
    reading   what was found under it, until it or the picture moves; whoever asks puts it here
    """

    def __init__(self):
        self.place = self.reading = None
        self._rest = 0.0
        self._asked = False

    def move(self, x, y):
        """It is here now; returns True if that is somewhere else than before."""
        moved = self.place is None or abs(x - self.place[0]) > TREMBLE or abs(y - self.place[1]) > TREMBLE
        if moved:
            self.place = (x, y)
            self.stir()
        return moved

    def leave(self):
        self.place = None
        self.stir()

    def stir(self):
        """What lies under it may be another thing now."""
        self._rest, self._asked, self.reading = 0.0, False, None

    def tick(self, seconds):
        """Lets seconds pass; returns True once, when it has rested long enough to be asked about."""
        if self.place is None or self._asked:
            return False
        self._rest += seconds
        if self._rest < REST:
            return False
        self._asked = True
        return True

    @property
    def is_waiting(self):
        """True while a question is still to come, so that time must go on."""
        return self.place is not None and not self._asked
