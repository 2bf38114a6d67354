"""Many texts at places in space, upright, without overlaps."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import RGB, srgb
from engine.draw.drawable import Drawable
from engine.draw.frame import Frame, Theme, meeting, spans
from engine.draw.words import text
from engine.draw.words.composite import Composite

# Least distance between texts; how far from its body a text may stand; from its place to below its body, at most. All
# relative to a line's height.
AIR, FARTHER, MOST_LINES = 0.25, 1.25, 8.0
# A halo's reach in pixels of a picture 720 high, and its opacity.
HALO, FADED = 2.5, 0.75


class Labels(Drawable):
    """Lines of text, each with the middle of its upper edge at a place; if two would touch, only the nearer is drawn.

    words       texts; an empty one is not drawn
    positions   (N, 3), the node's space
    size        small, normal or title
    colour      linear RGB, or None for the theme's foreground
    opacity     a number or (N,)
    bodies      (B, M, 3) corners of convex bodies in the world, the k-th that of the k-th text. No text lies on one: it
                stands elsewhere beside its own, and is not drawn where it has no place
    """

    bodies: np.ndarray = np.zeros((0, 8, 3))

    def __init__(
        self, words: Sequence[str] = (), positions: ArrayLike = (), *, size: str = "small",
        colour: RGB | None = None, opacity: ArrayLike = 1.0, name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        self.words, self.positions, self.size, self.colour, self.opacity = words, positions, size, colour, opacity

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        size = text.type_size(self.size, frame.type_scale)
        colour = tuple(frame.theme.foreground if self.colour is None else self.colour)
        opacity = np.broadcast_to(np.asarray(self.opacity, float), (len(self.words),))
        found: list[tuple] = []
        for number, (words, position) in enumerate(zip(self.words, np.asarray(self.positions), strict=True)):
            strength = opacity[number]
            point = world[:3, :3] @ np.asarray(position, float) + world[:3, 3]
            place = frame.project(point)
            if place is not None and words and strength > 0.0:
                away = float(np.dot(point - frame.camera.eye, frame.camera.forward))
                found.append((away, place[0], place[1], words, float(strength), number))
        reach = max(1, round(HALO * frame.type_scale))
        bodies = spans(frame.seen(self.bodies))
        for _, x, y, words, strength, number in sorted(found):
            image = haloed(words, size, colour, frame.theme, strength, reach)
            (height, width), (across, down) = image.shape[:2], frame.size
            line = height - 2 * reach
            # Within the picture, into which they would be moved.
            places = [
                (max(0, min(round(left), across - width)), max(0, min(round(top), down - height)))
                for left, top in self._places(frame, number, (x, y), (width, height), reach)
            ]
            boxes = [(x + reach, y + reach, x + width - reach, y + height - reach) for x, y in places]
            for (left, top), is_over in zip(places, meeting(boxes, bodies), strict=True):
                if not is_over and frame.write(image, left, top, margin=reach, air=AIR * line):
                    break

    def _places(self, frame, number, at, shape, reach):
        """Upper left corners of a text, best first: at its place, lower, to below its body, above, beside."""
        (x, y), (width, height) = at, shape
        line = height - 2 * reach
        found = [(x - width / 2, y - reach)]
        for own in frame.seen(self.bodies[number : number + 1]):
            (left, top), (right, bottom) = own.min(axis=0), own.max(axis=0)
            sides = [middle + part * (width / 2 - reach) for middle in (x, (left + right) / 2) for part in (0, 1, -1)]
            sides += [left + width / 2 - reach, right + reach - width / 2]
            up = top - reach - line - line * np.arange(0.0, FARTHER, 0.5)
            down = y - reach + line * np.arange(0.0, min(max(0.0, bottom - y) / line, MOST_LINES) + FARTHER, 0.25)
            found += [(side - width / 2, low) for low in (*down, *up) for side in sides]
            beside = left + reach - AIR * line - width, right - reach + AIR * line
            found += [(side, (top + bottom - height) / 2) for side in beside]
        return found


@lru_cache(maxsize=256)
def _halo(words, size, reach):
    """(H + 2 reach, W + 2 reach) coverage of the area within reach of a line of text, fading outwards."""
    found = mask = np.pad(text.mask(words, size), reach)
    for k in range(reach):
        wide = np.pad(found, 1)
        near = np.max([wide[i : i + mask.shape[0], j : j + mask.shape[1]] for i in range(3) for j in range(3)], axis=0)
        found = np.maximum(found, near * (1.0 - k / (reach + 1.0)))
    return found


@lru_cache(maxsize=256)
def haloed(words: str, size: float, colour: RGB, theme: Theme, opacity: float, reach: int) -> np.ndarray:
    """A sprite's image: text on a halo in the background's colour, so that it can be read over anything."""
    halo = _halo(words, size, reach)
    composite = Composite(halo.shape[1], halo.shape[0])
    # On no background a halo would be a stain.
    composite.add(halo, srgb(theme.background), 0, 0, 0.0 if theme.is_clear else FADED)
    composite.add(text.mask(words, size), srgb(colour), reach, reach)
    return composite.image(opacity)
