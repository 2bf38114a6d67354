"""Words at a place in space, always upright and never scaled by distance."""

from dataclasses import dataclass

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.words import text

# Type sizes of a picture 720 pixels high: caption, label, title.
SIZES = {"small": 12.0, "normal": 15.0, "title": 20.0}


@dataclass(frozen=True)
class Sprite:
    """A picture laid over the finished one.

    image   (H, W, 4) uint8, sRGB, premultiplied by alpha
    x, y    its top left corner in pixels of the whole picture
    """

    image: np.ndarray
    x: int
    y: int


def tinted(mask, colour, opacity=1.0):
    """A mask (H, W) in a linear RGB colour, as a sprite's premultiplied image."""
    c = np.asarray(colour, float)
    srgb = np.where(c <= 0.0031308, c * 12.92, 1.055 * np.maximum(c, 0) ** (1 / 2.4) - 0.055)
    image = np.empty((*mask.shape, 4))
    image[..., :3], image[..., 3] = srgb * (mask[..., None] * opacity), mask * opacity
    return np.round(image * 255).astype(np.uint8)


class Label(Drawable):
    """A line of text whose middle lies at the node's origin.

    text     what it says
    size     small, normal or title
    colour   linear RGB, or None for the theme's ink
    """

    def __init__(self, words, *, size="normal", colour=None, name=None):
        super().__init__(name or f"label {words}")
        self.words, self.size, self.colour = words, size, colour

    def overlay(self, frame, world):
        place = frame.project(world[:3, 3])
        if place is None:
            return
        mask = text.mask(self.words, max(6.0, SIZES[self.size] * frame.scale))
        height, width = mask.shape
        image = tinted(mask, frame.theme.ink if self.colour is None else self.colour)
        frame.sprites.append(Sprite(image, round(place[0] - width / 2), round(place[1] - height / 2)))
