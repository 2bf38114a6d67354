"""Many words at places in space, upright, none over another."""

import numpy as np

from engine.draw import text
from engine.draw.drawable import Drawable
from engine.draw.label import SIZES, Sprite, tinted

# Of a line's height between words that do not touch.
AIR = 0.25


class Labels(Drawable):
    """Lines of text, each with the middle of its upper edge at a place; where two would touch, the nearer one is kept.

    words       texts; an empty one is not drawn
    positions   (N, 3), the node's space
    size        small, normal or title
    colour      linear RGB, or None for the theme's ink
    opacity     a number or (N,)
    """

    def __init__(self, words=(), positions=(), *, size="small", colour=None, opacity=1.0, name=None):
        super().__init__(name)
        self.words, self.positions, self.size, self.colour, self.opacity = words, positions, size, colour, opacity

    def overlay(self, frame, world):
        type_size = max(6.0, SIZES[self.size] * frame.scale)
        opacity = np.broadcast_to(np.asarray(self.opacity, float), (len(self.words),))
        found = []
        for words, position, strength in zip(self.words, self.positions, opacity, strict=True):
            point = world[:3, :3] @ np.asarray(position, float) + world[:3, 3]
            place = frame.project(point)
            if place is not None and words and strength > 0.0:
                away = float(np.dot(point - frame.camera.eye, frame.camera.forward))
                found.append((away, place[0], place[1], words, strength))
        taken = []
        for _, x, y, words, strength in sorted(found):
            mask = text.mask(words, type_size)
            height, width = mask.shape
            left, top, air = round(x - width / 2), round(y), AIR * height
            box = left - air, top, left + width + air, top + height
            if any(_touch(box, other) for other in taken):
                continue
            taken.append(box)
            ink = frame.theme.ink if self.colour is None else self.colour
            frame.sprites.append(Sprite(tinted(mask, ink, float(strength)), left, top))


def _touch(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
