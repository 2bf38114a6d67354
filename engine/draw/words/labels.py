"""Many words at places in space, upright, none over another."""

from functools import lru_cache

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.words import text
from engine.draw.words.label import SIZES, Sprite
from engine.draw.words.legend import blend, srgb

# Of a line's height between words that do not touch.
AIR = 0.25
# Pixels of a picture 720 high that a halo reaches, and how opaque it is.
HALO, FADED = 2.5, 0.75


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
            reach = max(1, round(HALO * frame.scale))
            image = _haloed(mask, tuple(ink), tuple(frame.theme.background), float(strength), reach)
            frame.sprites.append(Sprite(image, left - reach, top - reach))


@lru_cache(maxsize=256)
def _halo(data, shape, reach):
    """(H + 2 reach, W + 2 reach) coverage of what lies within reach of a mask, softer outwards."""
    mask = np.pad(np.frombuffer(data, np.float32).reshape(shape), reach)
    found = mask
    for k in range(reach):
        wide = np.pad(found, 1)
        near = np.max([wide[i : i + mask.shape[0], j : j + mask.shape[1]] for i in range(3) for j in range(3)], axis=0)
        found = np.maximum(found, near * (1.0 - k / (reach + 1.0)))
    return found


def _haloed(mask, ink, background, opacity, reach):
    """A sprite's image: the mask in ink, on a halo of the background that sets it off from what is behind it."""
    halo = _halo(mask.tobytes(), mask.shape, reach) * FADED
    image = np.zeros((*halo.shape, 4))
    image[..., :3], image[..., 3] = srgb(background) * halo[..., None], halo
    blend(image, mask, srgb(ink), reach, reach)
    return np.round(np.clip(image * opacity, 0, 1) * 255).astype(np.uint8)


def _touch(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
