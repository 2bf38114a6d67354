"""How far a search along many rays has come."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Of so many rays, those to which no further answer will come; and how far all of the work has come.

    stage   what is being done: boxes, rays, normals, sparks
    done    about the share of the work that is done, 0 to 1; None for that of the rays that are decided
    """

    decided: int
    rays: int
    stage: str = "rays"
    done: float | None = None

    @property
    def share(self) -> float:
        """About the share of the work that is done, 0 to 1."""
        return self.decided / max(1, self.rays) if self.done is None else self.done
