"""Chooses the quality of the next picture: coarse while things move, then finer and finer, then none."""

from collections.abc import Sequence
from dataclasses import dataclass

# Seconds that the picture of a moving frame may take, for 30 frames a second.
AIM = 0.030
# Scales of a moving picture, per side, relative to the full size: in coarser ones nothing is recognised.
SCALES = (1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0)
# The scale of the first picture on an adapter known to be slow.
CAUTIOUS = 1.0 / 3.0
# The scale of the first draft of a network: better soon than fine while nothing is shown; and of moving ones where
# finer ones take longer than so many seconds.
FIRST_DRAFT, SLOW_DRAFT = 1.0 / 8.0, 1.0
# At rest, a coarse picture is followed by these scales, so that a finer picture comes soon.
BETWEEN = (1.0 / 4.0, 1.0 / 2.0)
# Samples a pixel of the successive pictures at rest.
SAMPLES = (1, 4, 9)
# A picture that takes longer than this many seconds is begun only after an equally long rest, so that a short pause
# starts no slow work. After LONGEST_REST seconds it is begun in any case; it is drawn tile by tile, between events.
PATIENCE = 0.1
LONGEST_REST = 0.4
# Seconds that a draft may take at rest; what is certain is begun in its place.
LONGEST_DRAFT = 5.0


@dataclass(frozen=True)
class Quality:
    """How to draw a picture: its scale relative to the full size, its samples a pixel, and whether it is a draft."""

    scale: float
    samples: int
    draft: bool = False


class Refinement:
    """Chooses the Quality of each picture from the times that the last ones took.

    samples    samples a pixel of the successive pictures at rest
    cautious   True to begin coarsely, on adapters known to be slow
    coarsest   the least scale, since below it a picture is not drawn faster. May be changed
    drafts     whether something in the picture can be drafted. May be changed
    """

    def __init__(self, samples: Sequence[int] = SAMPLES, *, aim: float = AIM, cautious: bool = False):
        self.samples = tuple(samples)
        self.aim = aim
        self.coarsest, self.drafts = 0.0, False
        self._cautious = cautious
        # Seconds of full-size pictures of one sample a pixel, estimated from the last two; None before the first. Apart
        # by whether they are drafts, and whether they could be: other networks are shown then.
        self._costs: dict[tuple[bool, bool], list[float] | None] = {}
        self._scale = 1.0
        self._rest = 0.0
        # The qualities still to be drawn; None from a change until the first picture after it.
        self._left: list[Quality] | None = None
        self._moving = True

    @property
    def is_done(self) -> bool:
        """True when the finest picture is drawn."""
        return not self._moving and self._left == []

    @property
    def is_moving(self) -> bool:
        """True from a change until `rested` is called."""
        return self._moving

    def moved(self) -> None:
        """To be called after a change: the next picture is quick."""
        self._moving, self._left, self._rest = True, None, 0.0

    def marked(self) -> None:
        """To be called when a mark changed: the next picture is as fine as the one shown, unless things move."""
        if self._moving:
            self.moved()
        else:
            self._left, self._rest = self._fine(), LONGEST_REST

    def rested(self, seconds: float) -> None:
        """To be called when nothing changed for `seconds` more. A change before that is still drawn quickly first."""
        if self._moving and self._left is None:
            return
        self._moving = False
        self._rest += seconds

    def next(self) -> Quality | None:
        """The Quality of the picture to draw now; None if there is none to draw now."""
        if self._moving:
            return None if self._left is not None else self._choose()
        while self._left and self._left[0].draft and self.expected(self._left[0]) > LONGEST_DRAFT:
            self._left = self._left[1:]
        if not self._left or self._rest < self._wait(self._left[0]):
            return None
        return self._left[0]

    def drew(self, quality: Quality, seconds: float | None = None) -> None:
        """To be called when a picture was drawn, with its seconds, if measured."""
        if seconds is not None:
            cost = seconds / (quality.scale**2 * quality.samples)
            # The first picture's time, and sometimes a later one's, includes what drivers compile when it is first
            # used: the lesser of two is used. Drafts run it before.
            key = quality.draft, self.drafts
            costs = self._costs.get(key)
            self._costs[key] = [] if costs is None and not quality.draft else [*(costs or []), cost][-2:]
        if self._moving:
            stages = [Quality(scale, 1, quality.draft) for scale in BETWEEN if scale >= 2.0 * quality.scale]
            stages += self._fine(quality.draft)
            # The moving picture may already have been as fine as the first stage.
            self._left = stages[1:] if stages[0] == quality else stages
        else:
            self._left = self._left[1:] if self._left else []

    def expected(self, quality: Quality) -> float:
        """The estimated seconds of a picture."""
        return min(self._costs.get((quality.draft, self.drafts)) or [0.0]) * quality.scale**2 * quality.samples

    def _fine(self, draft=False):
        """The stages at full size: a draft, if what is certain may take long, comes before it."""
        return [Quality(1.0, 1, True)] * draft + [Quality(1.0, samples) for samples in self.samples]

    def _wait(self, quality):
        expected = self.expected(quality)
        return min(expected, LONGEST_REST) if expected > PATIENCE else 0.0

    def _choose(self):
        # What is certain is drafted unless it is known to be drawn in time.
        whole = Quality(1.0, 1)
        draft = self.drafts and not (self._costs.get((False, True)) and self.expected(whole) <= self.aim)
        costs = self._costs.get((draft, self.drafts))
        if costs is None and (self._cautious or draft):
            return Quality(max(FIRST_DRAFT if draft else CAUTIOUS, self.coarsest), 1, draft)
        # A finer scale is chosen only with a fifth of the time to spare, or the scale would alternate between two.
        for scale in SCALES:
            if scale < self.coarsest:
                break
            best = scale
            spare = 0.8 if scale > self._scale else 1.0
            if self.expected(Quality(scale, 1, draft)) <= self.aim * spare:
                break
        if draft and self.expected(Quality(best, 1, draft)) > SLOW_DRAFT:
            best = max(FIRST_DRAFT, self.coarsest)
        self._scale = best
        return Quality(best, 1, draft)
