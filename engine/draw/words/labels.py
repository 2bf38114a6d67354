"""Many texts at places in space, upright, without overlaps."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import RGB, srgb
from engine.draw.drawable import Drawable
from engine.draw.frame import Frame, Theme, meets
from engine.draw.words import text
from engine.draw.words.composite import Composite

# Least distance between texts, relative to a line's height.
AIR = 0.25
# A halo's reach in pixels of a picture 720 high, and its opacity.
HALO, FADED = 2.5, 0.75


class Labels(Drawable):
    """Lines of text, each with the middle of its upper edge at a place; if two would touch, only the nearer is drawn.

    words       texts; an empty one is not drawn
    positions   (N, 3), the node's space
    size        small, normal or title
    colour      linear RGB, or None for the theme's foreground
    opacity     a number or (N,)
    bodies      (B, M, 3) corners of convex bodies in the world, the k-th that of the k-th text, which stands elsewhere
                beside it where it would lie on others
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
        for _, x, y, words, strength, number in sorted(found):
            image = haloed(words, size, colour, frame.theme, strength, reach)
            air = AIR * (image.shape[0] - 2 * reach)
            others = frame.seen(np.delete(self.bodies, number, axis=0) if len(self.bodies) else ())
            places = [(x - image.shape[1] / 2, y - reach)]
            places += self._around(frame, number, image.shape, places[0][1], reach)
            free = [at for at in places if not meets(_box(at, image.shape, reach), others)]
            for left, top in [*free, places[0]]:
                if frame.write(image, round(left), round(top), margin=reach, air=air):
                    break

    def _around(self, frame, number, shape, low, reach):
        """Upper left corners of a text above its body, and below it from its left side and to its right one."""
        found = []
        for own in frame.seen(self.bodies[number : number + 1]):
            (left, top), (right, _) = own.min(axis=0), own.max(axis=0)
            above = (left + right - shape[1]) / 2, top + reach - shape[0]
            found += [above, (left - reach, low), (right + reach - shape[1], low)]
        return found


def _box(place, shape, reach):
    x, y = place
    return x + reach, y + reach, x + shape[1] - reach, y + shape[0] - reach


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
