"""Where rays cross a network's level sets, none skipped: the float64 twin of the search on the GPU, one ray at a time.

The search tries one segment after another. Within a segment the output lies between two parabolas (enclosure.py). If
neither reaches the next level above or below, the segment has no crossing, and the next one is twice as long. Else a
shorter one is tried, until a crossing is certain and enclosed to TOLERANCE, or only rounding is left.
"""

import numpy as np
from numpy.typing import ArrayLike

from engine.network.mlp import Mlp
from engine.network.parts import observed
from engine.reference.enclosure import ULP, End, end_at, remainder

MISS, HIT, GRAZE, UNDECIDED = range(4)
TOLERANCE = 1e-7
SEGMENTS = 512
# (t, outcome, level, rising) of a crossing.
Answer = tuple[float, int, float, bool]


def first_reach(remainder_high: float, rise: float, gap: float) -> float:
    """The first x in [0, 1] where rise x + 4 remainder_high x (1 - x) is `gap`; 2 for nowhere, 0 for a gap below 0."""
    if gap <= 0:
        return 0.0
    if gap == np.inf:
        return 2.0
    slope = rise + 4 * remainder_high
    discriminant = slope * slope - 16 * remainder_high * gap
    if discriminant < 0 or slope + np.sqrt(discriminant) <= 0:
        return 2.0
    return 2 * gap / (slope + np.sqrt(discriminant))


class Search:
    """One ray's crossings, front to back: `next()` gives (t, outcome, level, rising).

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
        self.level, self.spacing, self.single = level, spacing, single
        self.t, self.width, self.ended = 0.0, 0.2 * length, False
        self.segments = self.evaluations = 0
        self.near, self.value, self.error_bound = self.at(0.0)
        # While f is within rounding of a level: (level, side f came from, (t, f) on arrival, was it the last answer?)
        self.contact: tuple[float, float, tuple[float, float], bool] | None = None
        base = 0 if single else np.floor(self.value)
        self.stand_beside(base, -1 if self.value < base else 1)
        nearest = 0 if single else np.round(self.value)
        if abs(self.value - nearest) <= self.error_bound:
            self.touch(nearest, 0)

    def at(self, t: float) -> tuple[End, float, float]:
        """The End at t, f there in units of the spacing, and a bound of f's rounding."""
        self.evaluations += 1
        end = end_at(self.net, self.origin[None], self.direction[None], np.array([t]))
        value = (end.value[0] - self.level) / self.spacing
        return end, value, end.error_bound[0] / self.spacing + 4 * ULP * abs(value)

    def stand_beside(self, level: float, side: float) -> None:
        """Records that f lies between a level and the next one on a side of it (1 above, -1 below)."""
        other = side * np.inf if self.single else level + side
        self.lower, self.upper = (level, other) if side > 0 else (other, level)
        self.contact = None

    def touch(self, level: float, side: float, reported: bool = False) -> None:
        self.contact = (level, side, (self.t, self.value), reported)
        far = np.inf if self.single else 1
        self.lower, self.upper = level - far, level + far

    def next(self) -> Answer:
        """The next crossing; a MISS at the ray's end and ever after."""
        if self.ended:
            return self.length, MISS, 0.0, False
        for _ in range(SEGMENTS):
            end = self.t + self.width
            if self.length - end < 4 * ULP * self.length:
                end = self.length
            answer = self.segment(end)
            if answer is not None:
                return answer
            if self.t >= self.length:
                self.ended = True
                if self.contact and not self.contact[3]:
                    return self.contact[2][0], GRAZE, self.contact[0], self.contact[1] <= 0
                return self.length, MISS, 0.0, False
        self.ended = True
        return self.t, UNDECIDED, 0.0, False

    def segment(self, end: float) -> Answer | None:
        """Takes the segment up to `end`: passes it or makes the next shorter; gives an answer if it holds one."""
        width = end - self.t
        far, value, error_bound = self.at(end)
        self.segments += 1
        low, high = (x[0] / self.spacing for x in remainder(self.net, self.near, far))
        rise, drift = value - self.value, error_bound - self.error_bound
        reach_up = first_reach(high, rise + drift, self.upper - self.value - self.error_bound)
        reach_down = first_reach(-low, drift - rise, self.value - self.error_bound - self.lower)
        clear = min(reach_up, reach_down) * (1 - 16 * ULP) >= 1
        excess = max(abs(low), abs(high))
        short = width <= TOLERANCE
        small = short or excess <= max(self.error_bound, error_bound) / 2

        if self.contact:
            level, side, touched, reported = self.contact
            # f - level >= x (f(1) - level + 4 (1 - x) low), and the same for -f.
            rises = value - error_bound - level + 4 * min(low, 0) >= 0
            falls = level - value - error_bound - 4 * max(high, 0) >= 0
            if (clear or short) and (rises or falls):
                sign = 1 if rises else -1
                self.stand_beside(level, sign)
                self.move(end, far, value, error_bound, width)
                if side == -sign:
                    return self.sharpen(touched[0], end, level, sign), HIT, level, rises
                # After a crossing that was reported there is nothing new; otherwise f has touched the level.
                return None if reported else (touched[0], GRAZE, level, rises)
            if short or (clear and abs(value - level) + excess <= 4 * max(self.error_bound, error_bound)):
                self.move(end, far, value, error_bound, width)
                return None
        elif clear:
            self.move(end, far, value, error_bound, width)
            return None
        else:
            # If the end lies beyond a level, f has crossed that level by `pin`, and not before `reach`.
            for level, sign, reach, stray in ((self.upper, 1, reach_up, low), (self.lower, -1, reach_down, -high)):
                if sign * (value - level) < error_bound:
                    continue
                pin = min(first_reach(stray, sign * rise - drift, sign * (level - self.value) + self.error_bound), 1.0)
                if small or (pin - reach) * width <= TOLERANCE:
                    t = self.sharpen(self.t + min(reach, pin) * width, self.t + pin * width, level, sign)
                    self.go_on(min(t + TOLERANCE, end), level, sign)
                    return t, HIT, level, sign > 0
            for level, sign, reach in ((self.upper, 1, reach_up), (self.lower, -1, reach_down)):
                if (small and sign * (value - level) + error_bound >= 0) or (short and reach < 1):
                    self.touch(level, -sign)
                    self.move(end, far, value, error_bound, width)
                    return None
        self.width = max(width * min(max(1.6 * min(reach_up, reach_down), 0.25), 0.8), 4 * ULP * self.length)
        return None

    def move(self, t: float, near: End, value: float, error_bound: float, width: float) -> None:
        self.t, self.near, self.value, self.error_bound, self.width = t, near, value, error_bound, 2 * width

    def go_on(self, t: float, level: float, sign: float) -> None:
        """Restarts just past a crossing, since the segment it was found in may reach over the next level."""
        near, value, error_bound = self.at(t)
        self.stand_beside(level, sign)
        self.move(t, near, value, error_bound, 0.01 * self.length)
        if sign * (value - level) <= error_bound:
            self.touch(level, sign, reported=True)

    def sharpen(self, low: float, high: float, level: float, sign: float) -> float:
        """The t between low and high at which f is `level`, by bisection down to rounding."""
        while high - low > 4 * ULP * max(self.length, 1e-300):
            middle = (low + high) / 2
            if not low < middle < high:
                break
            if sign * (self.at(middle)[1] - level) < 0:
                low = middle
            else:
                high = middle
        return (low + high) / 2


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
    fields = np.dtype(f"{each}f8, {each}u1, {each}f8, {each}?, u4, u4")
    fields.names = ("t", "outcome", "level", "rising", "segments", "evaluations")
    result = np.zeros(len(o), fields)
    for ray, row in zip(zip(o, d, length, strict=True), result, strict=True):
        search = Search(net, *ray, level, spacing, single)
        for k in range(surfaces):
            row["t"][k], row["outcome"][k], row["level"][k], row["rising"][k] = search.next()
        row["segments"], row["evaluations"] = search.segments, search.evaluations
    return result
