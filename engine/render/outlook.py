"""How long work that has begun will still take."""

import time

# The share of the work from which the time it took says more than what was expected of all of it.
TELLING = 0.25
# Before so many seconds, and so much of the work, nothing is measured from them.
LEAST_SECONDS, LEAST_SHARE = 1.0, 0.02


class Outlook:
    """Tells the time left from the share of the work that is done, and from what was expected.

    expected   seconds of all of the work; None where that is not known
    """

    def __init__(self, expected: float | None = None):
        self._expected = expected
        # (moment, share) when the work was first seen to go on: compiling comes before.
        self._first: tuple[float, float] | None = None

    def left(self, share: float) -> float | None:
        """About the seconds that are left where so much is done; None while nothing is known."""
        now = time.monotonic()
        self._first = self._first or (now, share)
        taken, done = now - self._first[0], share - self._first[1]
        is_telling = taken >= LEAST_SECONDS and done >= LEAST_SHARE
        measured = taken * (1.0 - share) / done if is_telling else None
        if self._expected is None or self._expected <= taken:
            return measured
        expected = self._expected - taken
        weight = min(1.0, share / TELLING)
        return expected if measured is None else weight * measured + (1.0 - weight) * expected

    def words(self, share: float) -> str:
        """`, about 40 s left`; empty while nothing is known."""
        left = self.left(share)
        return "" if left is None else f", about {lasting(left)} left"


def lasting(seconds: float) -> str:
    """A time to about a fifth: `40 s`, `3 min`, `2 h`."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"{_rounded(seconds / length)} {unit}"
    return f"{_rounded(seconds)} s"


def _rounded(number):
    return f"{number:.0f}" if number < 20 else f"{round(number, 1 - len(str(int(number)))):.0f}"
