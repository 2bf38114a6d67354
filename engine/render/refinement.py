"""Which picture to draw next: coarse while things move, finer and finer when they rest, then none."""

from collections.abc import Sequence
from dataclasses import dataclass

# Seconds a moving frame may take: 30 a second with a little left for the rest.
AIM = 0.030
# Parts of the full size a moving picture may have, per side; the last for networks that take a GPU's work.
SCALES = (1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 6.0, 1.0 / 8.0, 1.0 / 12.0, 1.0 / 16.0)
# The first picture on an adapter known to be slow.
CAUTIOUS = 1.0 / 3.0
# Where a moving picture was coarser than these, they come between it and the full size: none waits long for the next.
BETWEEN = (1.0 / 8.0, 1.0 / 3.0)
# Samples a pixel of the pictures at rest, in turn.
SAMPLES = (1, 4, 9)
# A picture that takes longer than this many seconds is begun only after as long a rest: a hand that pauses is not
# made to wait for it. After LONGEST_REST seconds it is begun however long it takes: tile by tile it stops nobody.
PATIENCE = 0.1
LONGEST_REST = 0.4


@dataclass(frozen=True)
class Quality:
    """How to draw a picture: its size as a part of the full one, and samples a pixel."""

    scale: float
    samples: int


class Refinement:
    """Chooses the quality of each frame from what the last ones took.

    samples    the samples a pixel to go through at rest
    cautious   True to begin coarsely, for adapters known to be slow
    coarsest   part of the full size below which a picture is drawn no sooner; none is coarser. May be changed
    """

    def __init__(self, samples: Sequence[int] = SAMPLES, *, aim: float = AIM, cautious: bool = False):
        self.samples = tuple(samples)
        self.aim = aim
        self.coarsest = 0.0
        self._cautious = cautious
        # Seconds a full-size sample took in the last two pictures; None before the first.
        self._costs: list[float] | None = None
        self._scale = 1.0
        self._rest = 0.0
        # The qualities still to come; None while nothing is drawn since things moved.
        self._left: list[Quality] | None = None
        self._moving = True

    @property
    def is_done(self) -> bool:
        """True when the last stage is drawn."""
        return not self._moving and self._left == []

    @property
    def is_moving(self) -> bool:
        """True from a change until the first rest."""
        return self._moving

    def moved(self) -> None:
        """Something changed; the next picture is drawn to be quick."""
        self._moving, self._left, self._rest = True, None, 0.0

    def marked(self) -> None:
        """A mark on the picture changed: what is shown stays until one as fine as that is drawn, unless things move."""
        if self._moving:
            self.moved()
        else:
            self._left, self._rest = [Quality(1.0, samples) for samples in self.samples], LONGEST_REST

    def rested(self, seconds: float) -> None:
        """Nothing changed for so many seconds more. What did is drawn first, quickly, however short the rest."""
        if self._moving and self._left is None:
            return
        self._moving = False
        self._rest += seconds

    def next(self) -> Quality | None:
        """The Quality of the picture to draw now; None if the one shown will do for now."""
        if self._moving:
            return None if self._left is not None else Quality(self._choose(), 1)
        if not self._left or self._rest < self._wait(self._left[0]):
            return None
        return self._left[0]

    def drew(self, quality: Quality, seconds: float | None = None) -> None:
        """A picture was drawn; seconds it took, if measured."""
        if seconds is not None:
            cost = seconds / (quality.scale**2 * quality.samples)
            # The first picture's time went into compiling, and now and then a later one's: the lesser of two counts.
            self._costs = [] if self._costs is None else [*self._costs, cost][-2:]
        if self._moving:
            stages = [Quality(scale, 1) for scale in BETWEEN if scale > quality.scale]
            stages += [Quality(1.0, samples) for samples in self.samples]
            # The moving picture may have been as fine as the first of them.
            self._left = stages[1:] if stages[0] == quality else stages
        else:
            self._left = self._left[1:] if self._left else []

    def expected(self, quality: Quality) -> float:
        """Seconds a picture will take, as far as is known."""
        return min(self._costs or [0.0]) * quality.scale**2 * quality.samples

    def _wait(self, quality):
        expected = self.expected(quality)
        return min(expected, LONGEST_REST) if expected > PATIENCE else 0.0

    def _choose(self):
        if self._cautious and self._costs is None:
            return max(CAUTIOUS, self.coarsest)
        # A coarser picture is left only when the finer one has a fifth to spare; else it would flicker between two.
        for scale in SCALES:
            if scale < self.coarsest:
                break
            best = scale
            spare = 0.8 if scale > self._scale else 1.0
            if self.expected(Quality(scale, 1)) <= self.aim * spare:
                break
        self._scale = best
        return best
