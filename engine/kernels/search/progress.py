"""How far a search along many rays has come."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Of so many rays, those to which no further answer will come."""

    decided: int
    rays: int
