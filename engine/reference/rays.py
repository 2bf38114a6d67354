"""Where rays cross a network's level sets, none skipped: the float64 twin of the search on the GPU, one ray at a time.

The search tries one segment after another. Within a segment the output lies between two parabolas (enclosure.py). If
neither reaches the next level above or below, the segment has no crossing, and the next one is twice as long. Else a
shorter one is tried, until a crossing is enclosed as closely as f is known, or f is only rounding away from a level.
"""

import numpy as np
from numpy.typing import ArrayLike

from engine.network.mlp import Mlp
from engine.network.parts import observed
from engine.reference.enclosure import ULP, End, end_at, remainder

MISS, HIT, GRAZE, UNDECIDED = range(4)
SEGMENTS = 1 << 14
# A contact longer than this part of the ray is a graze, however it ends.
LONG = 2.0**-7
# (t, uncertainty, outcome, level, rising) of a crossing.
Answer = tuple[float, float, int, float, bool]


def _roots(bend: float, rise: float, gap: float) -> tuple[float, float, float]:
    """(slope at 0, discriminant, the x that matters, which may be nan) of rise x + 4 bend x (1 - x) = gap."""
    slope = rise + 4 * bend
    discriminant = slope * slope - 16 * bend * gap
    root = np.sqrt(max(discriminant, 0.0))
    below, above = (2 * gap, slope + root) if slope > 0 else (slope - root, 8 * bend)
    return slope, discriminant, below / above if abs(above) > 1e-300 else np.nan


def first_reach(high: float, rise: float, gap: float) -> float:
    """The first x in [0, 1] where rise x + 4 high x (1 - x) is `gap`; 2 for nowhere, 0 for a gap below 0."""
    if gap <= 0:
        return 0.0
    if gap == np.inf:
        return 2.0
    slope, discriminant, x = _roots(high, rise, gap)
    return 2.0 if discriminant < 0 or (slope <= 0 and high >= 0) else x


def last_reach(low: float, rise: float, gap: float) -> float:
    """The x from which on rise x + 4 low x (1 - x) is above `gap`, where it is so at 1."""
    _, discriminant, x = _roots(low, rise, gap)
    return 0.0 if discriminant < 0 or np.isnan(x) else min(max(x, 0.0), 1.0)


class Search:
    """One ray's crossings, front to back: `next()` gives (t, uncertainty, outcome, level, rising).

    net         as from `observed`: the search looks at output 0
    origin      and direction, (3,); length, a number
    level, spacing, single   as for `cast`
    """

    def __init__(
        self,
        net: Mlp,
        origin: np.ndarray,
        direction: np.ndarray,
        length: float,
        level: float,
        spacing: float,
        single: bool,
    ):
        self.net, self.origin, self.direction, self.length = net, origin, direction, length
        self.zero, self.spacing, self.single = level, 1.0 if single else spacing, single
        self.least = 4 * ULP * length
        self.t, self.width, self.aim, self.ended = 0.0, 0.2 * length, -1.0, False
        self.segments = self.evaluations = 0
        self.near, self.value, self.error_bound = self.at(0.0)
        # f lies beside `level`, on `side` of it. In contact it is within rounding of `level` since `touch`, having come
        # from `side` (0: not known).
        self.contact, self.touch = False, 0.0
        self.level: float = 0.0 if single else np.floor(self.value)
        self.side: float = -1.0 if self.value < self.level else 1.0
        nearest = self.nearest(self.value)
        if abs(self.value - nearest) <= self.error_bound:
            self.begin_contact(nearest, 0.0, 0.0)

    def at(self, t: float) -> tuple[End, float, float]:
        """The End at t, f there in units of the spacing, and a bound of f's rounding."""
        self.evaluations += 1
        end = end_at(self.net, self.origin[None], self.direction[None], np.array([t]))
        value = (end.value[0] - self.zero) / self.spacing
        return end, value, end.error_bound[0] / self.spacing + 4 * ULP * abs(value)

    def nearest(self, value: float) -> float:
        return 0.0 if self.single else float(np.round(value))

    def beyond(self, level: float, side: float) -> float:
        """The level after one, upwards (1) or downwards (-1)."""
        return side * np.inf if self.single else level + side

    def begin_contact(self, level: float, side: float, t: float) -> None:
        self.contact, self.level, self.side, self.touch, self.aim = True, level, side, t, -1.0

    def next(self) -> Answer:
        """The next crossing; a MISS at the ray's end and ever after."""
        for _ in range(SEGMENTS):
            if self.ended or self.t >= self.length:
                touching, self.ended, self.contact = self.contact and not self.ended, True, False
                if touching:
                    return self.answer(self.touch, self.length, 0.0, self.level, self.side <= 0, False)
                return self.length, 0.0, MISS, 0.0, False
            end = self.t + self.width
            answer = self.step(self.length if self.length - end < self.least else end)
            if answer is not None:
                return answer
        self.ended = True
        return self.touch if self.contact else self.t, 0.0, UNDECIDED, 0.0, False

    def step(self, end: float) -> Answer | None:
        """Takes the segment up to `end`: passes it or makes the next shorter; gives an answer if it holds one."""
        width, contact = end - self.t, self.contact
        far, value, error_bound = self.at(end)
        self.segments += 1
        low, high = (x[0] / self.spacing for x in remainder(self.net, self.near, far))
        change, drift = value - self.value, error_bound - self.error_bound
        other = self.beyond(self.level, self.side)
        lower, upper = sorted((self.level, other))
        if contact:
            lower, upper = (self.beyond(self.level, side) for side in (-1.0, 1.0))
        reach_up = first_reach(high, change + drift, upper - self.value - self.error_bound)
        reach_down = first_reach(-low, drift - change, self.value - self.error_bound - lower)
        reach, error = min(reach_up, reach_down) * (1 - 16 * ULP), max(self.error_bound, error_bound)
        excess = max(abs(low), abs(high))
        clear, short = reach >= 1, width <= 1.5 * self.least
        small = short or excess <= error / 2

        loose = contact and ((not self.single and min(self.error_bound, error_bound) >= 0.25) or (short and not clear))
        at = self.nearest(value) if loose else self.level
        ends_up, ends_down = value >= upper - error_bound, value <= lower + error_bound
        up = value > at if contact else (ends_up if ends_up or ends_down else reach_up < reach_down)
        level, side = at if contact else (upper if up else lower), 1.0 if up else -1.0
        rise, gap, bend = side * change, side * (level - self.value), low if up else -high
        past = rise - gap
        sure = past > (1 if end >= self.length else 2) * error_bound
        last = last_reach(bend, rise - drift, gap + self.error_bound) if sure else 1.0
        first = min((reach_up if up else reach_down) * (1 - 16 * ULP), last)

        alone = (reach_down if up else reach_up) >= 1
        tight = small or excess <= error or (last - first) * width <= 2 * self.least
        crosses = not contact and not clear and sure and tight and alone
        crosses = crosses and (self.single or max(0.0, rise) + error + excess - gap < 0.999)
        touches = not contact and not clear and not crosses
        close = past >= -error_bound or (alone and past >= -error_bound - 2 * excess)
        touches = touches and (short or (small and not sure and close))
        stays = contact and (short or (small and (clear or loose)))
        passes = crosses or touches or (stays if contact else clear)

        from_t, to_t = self.t + first * width, end if loose else self.t + last * width
        share = min(max(gap / rise, 0.0), 1.0) if rise > 0 else 0.0
        place = self.t + width * min(max(share, first), last)
        if not passes:
            known = sure and not contact
            self.shorten(width, excess, error, reach, (gap, rise) if known else None, contact and small)
            return None
        self.width = self.aim - end if not contact and self.aim > end else 2 * width
        self.t, self.near, self.value, self.error_bound = end, far, value, error_bound
        if touches:
            self.begin_contact(level, -side, from_t)
        if (touches or contact) and past >= 0 and gap >= 0:
            self.aim = place
        if contact and loose:
            self.level, self.side = at, 0.0
        if not crosses and not (stays and sure):
            return None
        start, crossed = self.touch if contact else from_t, crosses or self.side == -side
        place = self.aim if contact and self.aim >= 0 else place
        self.contact, self.level, self.side, self.aim = False, level, side, -1.0
        self.width = max(self.width, 0.01 * self.length)
        return self.answer(start, to_t, place, level, up, crossed)

    def shorten(
        self, width: float, excess: float, error: float, reach: float, known: tuple | None, is_small: bool
    ) -> None:
        """Makes the next segment shorter: where a crossing is `known` (gap, rise), to end just beside or beyond it."""
        excess, share = max(excess, 1e-300), min(max(1.6 * reach, 0.25), 0.8)
        if self.contact:
            share = 1.0 if reach >= 1 else share
            share = min(share, 1.0 if is_small else min(max(np.sqrt(0.4 * error / excess), 0.1), 0.8))
        if known is not None:
            gap, rise = known
            y = min(max(gap / rise, 0.0), 1.0)
            margin = max(1.2 * y * (1 - y) * excess / rise, 0.35 * np.sqrt(error / excess))
            far = y + margin if self.single else min(y + margin, (gap + 0.5) / rise)
            before = min(y - margin, max(1.6 * reach, 0.5 * np.sqrt(max(gap, 0.0) / excess)))
            share = min(max(far if y <= 2 * margin else before, 0.1), 0.95)
            self.aim = self.t + min(far, 1.0) * width
        self.width = max(width * share, self.least)

    def answer(self, first: float, last: float, t: float, level: float, rises: bool, crosses: bool) -> Answer:
        """That somewhere from `first` to `last` f meets the level, probably at t; `crosses`: certainly."""
        hit = crosses and last - first <= LONG * self.length
        place = min(max(t if hit else (first + last) / 2, first), last)
        return place, max(place - first, last - place) + 2 * ULP * last, HIT if hit else GRAZE, level, rises


def cast(
    net: Mlp,
    origins: ArrayLike,
    directions: ArrayLike,
    lengths: ArrayLike,
    *,
    level: float = 0.0,
    spacing: float = 1.0,
    single: bool = False,
    output: int = 0,
    surfaces: int = 1,
) -> np.ndarray:
    """The first crossings of level sets along each ray, in float64: what engine.kernels.rays.cast gives on the GPU.

    The arguments are the same and so are the fields of what it returns, with t in float64. Meant for hundreds of rays.
    Method: docs/rays.md.
    """
    net = observed(net, output)
    o, d = (np.asarray(x, np.float32).astype(float) for x in (origins, directions))
    length = np.broadcast_to(np.asarray(lengths, np.float32), (len(o),)).astype(float)
    level, spacing = float(np.float32(level)), float(np.float32(spacing))
    each = f"({surfaces},)"
    fields = np.dtype(f"{each}f8, {each}f8, {each}u1, {each}f8, {each}?, u4, u4")
    fields.names = ("t", "uncertainty", "outcome", "level", "rising", "segments", "evaluations")
    result = np.zeros(len(o), fields)
    for ray, row in zip(zip(o, d, length, strict=True), result, strict=True):
        search = Search(net, *ray, level, spacing, single)
        for k in range(surfaces):
            for name, given in zip(fields.names, search.next(), strict=False):
                row[name][k] = given
        row["segments"], row["evaluations"] = search.segments, search.evaluations
    return result
