"""Text at a place in space, always upright, and of the same size at every distance."""

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import RGB
from engine.draw.drawable import Drawable
from engine.draw.frame import Frame
from engine.draw.node import transformed
from engine.draw.words import text
from engine.draw.words.composite import word

# From a place to words beyond it, pixels in a picture 720 high.
GAP = 5.0


class Label(Drawable):
    """A line of text whose middle lies at the node's origin; not drawn where it would touch other words.

    words    the text
    size     small, normal or title
    colour   linear RGB, or None for the theme's foreground
    beyond   (3,), the node's space: the text lies beyond the origin as seen from that point; None: on it
    """

    def __init__(
        self, words: str, *, size: str = "normal", colour: RGB | None = None, beyond: ArrayLike | None = None,
        name: str | None = None,
    ):  # fmt: skip
        super().__init__(name or f"label {words}")
        self.words, self.size, self.colour, self.beyond = words, size, colour, beyond

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        place = frame.project(world[:3, 3])
        if place is None or not self.words:
            return
        colour = frame.theme.foreground if self.colour is None else self.colour
        image = word(self.words, text.type_size(self.size, frame.type_scale), tuple(colour))
        half = np.array(image.shape[1::-1]) / 2.0
        middle = np.array(place[:2])
        if self.beyond is not None:
            away = _outwards(frame.project(transformed(world, self.beyond)), middle)
            middle += away * (GAP * frame.type_scale + half * (1.0, 0.7))
        frame.write(image, *(middle - half))


def _outwards(start, place):
    """(2,) of length 1: the direction in the picture from a point to another; upwards where they are one."""
    away = np.zeros(2) if start is None else place - start[:2]
    length = np.hypot(*away)
    return away / length if length > 1e-3 else np.array([0.0, -1.0])
