"""How far rays are searched before they are left undecided, and what is left of that while a picture is drawn."""

import time
from dataclasses import dataclass, replace

from engine.errors import SettingError

# Segments of a ray: trained networks take some hundred.
SEGMENTS, MOST_SEGMENTS = 1 << 14, 1 << 30
# Seconds of a picture: up to a month.
MOST_SECONDS = 2.6e6


@dataclass(frozen=True)
class Budget:
    """What a picture's rays may be searched for.

    segments   of each ray and surface
    seconds    of the whole picture; None for as long as it takes

    Raises SettingError for numbers out of range.
    """

    segments: int = SEGMENTS
    seconds: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.segments, bool) or not isinstance(self.segments, int):
            raise SettingError(f"A budget of {self.segments!r} segments: it takes a whole number.")
        if not 1 <= self.segments <= MOST_SEGMENTS:
            raise SettingError(f"A budget of {self.segments} segments: it takes 1 to {MOST_SEGMENTS:,} a ray.")
        if self.seconds is not None and not 0 <= self.seconds <= MOST_SECONDS:  # also refuses nan
            raise SettingError(f"A budget of {self.seconds} seconds: it takes 0 to {MOST_SECONDS:,.0f} a picture.")


class Allowance:
    """What is left of a Budget while one picture is drawn, tile by tile. It begins when it is made.

    rays   of the whole picture
    """

    def __init__(self, budget: Budget, rays: int):
        self._budget, self._rays = budget, rays
        self._half: float | None = None
        self._until: float | None = None
        if budget.seconds is not None:
            self._half, self._until = (time.monotonic() + part * budget.seconds for part in (0.5, 1.0))

    def stop(self) -> None:
        """Ends the search: all rays that are open now stay undecided."""
        self._half = self._until = 0.0

    @property
    def is_timed(self) -> bool:
        """Whether the Budget has an end in time."""
        return self._budget.seconds is not None

    @property
    def is_half_over(self) -> bool:
        """True once half of the time is over, or it was stopped."""
        return self._half is not None and time.monotonic() >= self._half

    @property
    def segments(self) -> int:
        """The most segments of each ray and surface."""
        return self._budget.segments

    @property
    def is_over(self) -> bool:
        """True once no time is left."""
        return self._until is not None and time.monotonic() >= self._until

    def share(self, rays: int) -> Budget:
        """The Budget of the next `rays` of the picture: of the time that is left, their part of the rays left."""
        left, self._rays = max(1, self._rays, rays), self._rays - rays
        if self._until is None:
            return self._budget
        return replace(self._budget, seconds=max(0.0, self._until - time.monotonic()) * rays / left)
