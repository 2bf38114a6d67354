"""Text at a place in space, always upright, and of the same size at every distance."""

import numpy as np

from engine.draw.colour import RGB
from engine.draw.drawable import Drawable
from engine.draw.frame import Frame, Sprite
from engine.draw.words import text
from engine.draw.words.composite import word


class Label(Drawable):
    """A line of text whose middle lies at the node's origin.

    words    the text
    size     small, normal or title
    colour   linear RGB, or None for the theme's foreground
    """

    def __init__(self, words: str, *, size: str = "normal", colour: RGB | None = None, name: str | None = None):
        super().__init__(name or f"label {words}")
        self.words, self.size, self.colour = words, size, colour

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        place = frame.project(world[:3, 3])
        if place is not None:
            colour = frame.theme.foreground if self.colour is None else self.colour
            image = word(self.words, text.type_size(self.size, frame.scale), tuple(colour))
            height, width = image.shape[:2]
            frame.sprites.append(Sprite(image, round(place[0] - width / 2), round(place[1] - height / 2)))
