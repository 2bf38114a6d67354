"""A finished picture, as a texture or an array, with the counts of its rays."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from engine.gpu.texture import Texture
from engine.gpu.timing import PassTime
from engine.kept import once


@dataclass(frozen=True)
class Report:
    """The counts of a picture's rays, and the time of its passes; as text, what is not certain in it.

    rays        samples of the picture whose ray enters a region in which a network is shown
    grazes      rays that came within rounding of a level without a certain crossing: no budget decides them
    undecided   rays whose search used up its budget (`engine.Budget`), or was stopped
    cut         rays with more surfaces than a list of layers has room for
    hits        rays with a surface at all
    passes      the times of the passes, longest first; None if not timed, see Renderer.time_passes
    remarks     what scenes remark on pictures of a command, such as rounding or neurons too faint to be drawn

    Reports are added: the sum is that of all their rays, with each remark once, without the times of passes.
    """

    rays: int = 0
    grazes: int = 0
    undecided: int = 0
    cut: int = 0
    hits: int = 0
    passes: tuple[PassTime, ...] | None = None
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, counts: Iterable[int], passes: tuple[PassTime, ...] | None = None) -> "Report":
        """The Report of (rays, grazes, undecided, cut, hits)."""
        rays, grazes, undecided, cut, hits = (int(n) for n in counts)
        return cls(rays, grazes, undecided, cut, hits, passes)

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        """(rays, grazes, undecided, cut, hits)."""
        return self.rays, self.grazes, self.undecided, self.cut, self.hits

    @property
    def certified(self) -> float:
        """The share of rays whose search has ended with an answer, 0 to 1."""
        return 1.0 - self.undecided / self.rays if self.rays else 1.0

    @property
    def is_empty(self) -> bool:
        """Whether it is certain that none of the rays meets a surface."""
        return self.rays > 0 == self.hits + self.grazes + self.undecided

    def __add__(self, other: "Report") -> "Report":
        counts = Report.of(a + b for a, b in zip(self.counts, other.counts, strict=True))
        return replace(counts, remarks=tuple(dict.fromkeys(self.remarks + other.remarks)))

    def __sub__(self, other: "Report") -> "Report":
        return Report.of(a - b for a, b in zip(self.counts, other.counts, strict=True))

    def __str__(self) -> str:
        open_here = f"undecided: {self._share(self.undecided)}"
        touches = f"grazing, where a touch cannot be told from a miss: {self._share(self.grazes)}"
        behind = f"with surfaces behind the last layer drawn: {self._share(self.cut)}"
        rows = ((self.undecided, open_here), (self.grazes, touches), (self.cut, behind))
        parts = [words for count, words in rows if count]
        none = "none meets a surface" if self.is_empty else "none is undecided"
        return f"Of {self.rays:,} rays that enter the region, {'; '.join(parts) or none}"

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={getattr(self, name)}" for name in ("rays", "grazes", "undecided", "cut", "hits"))
        return f"Report({counts}, certified={self.certified:.4%})"

    def _share(self, count):
        share = count / max(1, self.rays)
        digits = 2 if share < 0.01 else 0 if share > 0.1 else 1
        return f"{count:,} ({share:.{digits}%})" if share >= 1e-4 else f"{count:,} (under 0.01%)"


@dataclass(eq=False)
class Picture:
    """A finished picture: in a texture, or, if it was made of several tiles, in an array.

    size   (width, height)
    """

    size: tuple[int, int]
    _texture: Texture | None
    # Waits for the GPU, and gives the Report; called once.
    _counted: Callable[[], Report]
    _pixels: np.ndarray | None = None

    @property
    def texture(self) -> Texture:
        """The whole picture, rgba8unorm, sRGB-encoded, opaque. Raises DeviceLimitError if it is too large."""
        if self._texture is None:
            # The picture was made in tiles, which were read back one by one.
            self._texture = Texture.of(self.pixels())
        return self._texture

    def pixels(self) -> np.ndarray:
        """(H, W, 4), row 0 on top: uint8, or of the dtype of the Encoding that was asked for; waits for the GPU."""
        if self._pixels is None:
            self._pixels = self.texture.read()
            _ = self.report
        return self._pixels

    def enlarged(self, pixels: np.ndarray) -> "Picture":
        """This picture as (H, W, 4) pixels of another size."""
        return Picture((pixels.shape[1], pixels.shape[0]), None, lambda: self.report, pixels)

    @once
    def report(self) -> Report:
        """The Report; waits for the GPU."""
        return self._counted()
