"""A finished picture, as a texture or an array, with the counts of its rays."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.gpu.array import Array
from engine.gpu.texture import Texture
from engine.gpu.timing import PassTime


@dataclass(frozen=True)
class Report:
    """The counts of a picture's rays, and the time of its passes.

    rays        samples of the picture, those that miss the region included
    grazes      rays that came within rounding of a level without a certain crossing
    undecided   rays whose search used up its budget of segments
    cut         rays with more surfaces than a list of layers has room for
    passes      the times of the passes, longest first; None if not timed, see Renderer.time_passes
    """

    rays: int = 0
    grazes: int = 0
    undecided: int = 0
    cut: int = 0
    passes: tuple[PassTime, ...] | None = None


@dataclass(eq=False)
class Picture:
    """A finished picture: in a texture, or, if it was made of several tiles, in an array.

    size   (width, height)
    """

    size: tuple[int, int]
    _texture: Texture | None
    _counts: Array
    _rays: int
    _pixels: np.ndarray | None = None
    _passes: tuple[PassTime, ...] | None = None

    @property
    def texture(self) -> Texture:
        """The whole picture, rgba8unorm, sRGB-encoded, opaque. Raises DeviceLimitError if it is too large."""
        if self._texture is None:
            # The picture was made in tiles, which were read back one by one.
            self._texture = Texture.of(self.pixels())
        return self._texture

    def pixels(self) -> np.ndarray:
        """(H, W, 4) uint8, row 0 on top; waits for the GPU."""
        if self._pixels is None:
            self._pixels = self.texture.read()
        return self._pixels

    @cached_property
    def report(self) -> Report:
        """The Report; waits for the GPU."""
        _, grazes, undecided, cut = (int(n) for n in self._counts.read())
        return Report(self._rays, grazes, undecided, cut, self._passes)
