"""Composes words and shapes, on the CPU, to the image of a Sprite."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import RGB, srgb
from engine.draw.drawable import Drawable
from engine.draw.frame import Frame, meets, touch
from engine.draw.words import text

# Rows that are blended at a time: the legend of a large print has millions of pixels, of 32 bytes each here.
ROWS = 512


class Composed(np.ndarray):
    """The image of a Composite, which it remembers."""

    composite: "Composite | None"

    def __array_finalize__(self, other: object) -> None:
        self.composite = None


class Composite:
    """An image that is being composed: coloured masks, later ones over earlier ones, on a card or on nothing.

    width, height   pixels
    card            linear RGB of the card under all masks, or None for no card
    opacity         of the card
    """

    def __init__(self, width: int, height: int, card: RGB | None = None, opacity: float = 0.0):
        self.width, self.height = width, height
        self._card = np.zeros(4) if card is None else np.append(srgb(card), 1.0) * opacity
        self._under: tuple[RGB, float, int] | None = None
        self._parts: list[tuple] = []

    def add(self, mask: np.ndarray, colour: ArrayLike, x: int, y: int, opacity: float = 1.0) -> None:
        """Adds a mask (H, W) on top, its upper left corner at x, y; clipped to the image.

        colour   sRGB, (3,), or of each pixel, (H, W, 3) or what broadcasts to that
        """
        self._parts.append((mask, np.broadcast_to(colour, (*mask.shape, 3)), x, y, opacity))

    def add_under(self, colour: RGB, opacity: float, left: int) -> None:
        """Adds a linear RGB colour below everything else, from column `left` on."""
        self._under = colour, opacity, left

    @property
    def words(self) -> list[tuple[str, float, np.ndarray, int, int]]:
        """(text, size of its type, sRGB colour, x, y of its mask) of each line of text."""
        return [(*mask.line, colour[0, 0], x, y) for mask, colour, x, y, _ in self._parts if _is_text(mask)]

    def image(self, opacity: float = 1.0, *, words: bool = True) -> Composed:
        """(H, W, 4) uint8, sRGB, premultiplied by alpha; `words=False` leaves out lines of text."""
        result = np.empty((self.height, self.width, 4), np.uint8).view(Composed)
        result.composite = self
        for top in range(0, self.height, ROWS):
            band = np.tile(self._card, (min(ROWS, self.height - top), self.width, 1))
            for mask, colour, x, y, strength in self._parts:
                if not words and _is_text(mask):
                    continue
                _blend(band, mask, colour, x, y - top, strength)
            if self._under is not None:
                colour, strength, left = self._under
                band[:, left:] += (1.0 - band[:, left:, 3:]) * strength * np.append(srgb(colour), 1.0)
            result[top : top + ROWS] = np.round(np.clip(band * opacity, 0, 1) * 255)
        return result


def _is_text(mask):
    return getattr(mask, "line", None) is not None


def _blend(image, mask, colour, x, y, opacity):
    """Lays a mask over a premultiplied float image, clipped to it."""
    h, w = image.shape[:2]
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(w, x + mask.shape[1]), min(h, y + mask.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = mask[y0 - y : y1 - y, x0 - x : x1 - x, None] * opacity
    image[y0:y1, x0:x1, :3] = image[y0:y1, x0:x1, :3] * (1 - part) + colour[y0 - y : y1 - y, x0 - x : x1 - x] * part
    image[y0:y1, x0:x1, 3:] = image[y0:y1, x0:x1, 3:] * (1 - part) + part


@lru_cache(maxsize=512)
def word(words: str, size: float, colour: RGB, opacity: float = 1.0, tabular: bool = False) -> np.ndarray:
    """The Sprite image of a line of text in a linear RGB colour; arguments as for `text.mask`."""
    mask = text.mask(words, size, tabular)
    composite = Composite(mask.shape[1], mask.shape[0])
    composite.add(mask, srgb(colour), 0, 0, opacity)
    return composite.image()


class Card(Drawable):
    """A card of the background's colour in a corner of the picture, composed again only when its contents change.

    Where other words are in its corner it stands in another one, else below or above them; where it has no place it is
    not drawn. A subclass defines `contents` and `composite`.

    margin   pixels of a picture 720 high to its edges
    least    pixels of the shorter side of a picture, as a sheet's cell, in which it is drawn
    bodies   (B, N, 3) corners of convex bodies in the world, which it leaves free where it can
    """

    margin, least = 16.0, 0
    bodies: ArrayLike = ()
    is_at_top = False
    precedence = 0

    def __init__(self, name: str | None = None):
        super().__init__(name)
        self._state: tuple | None = None

    def contents(self) -> tuple:
        """All that the card shows, as a key of the cache; if empty, nothing is drawn."""
        raise NotImplementedError

    def composite(self, frame: Frame) -> Composite:
        """The Composite of the card."""
        raise NotImplementedError

    def image(self, frame: Frame) -> np.ndarray:
        """The image of the card for a frame; the same object until something changes."""
        state = self.contents(), frame.type_scale, frame.theme, frame.size, self.room(frame)
        if state != self._state:
            self._state, self._image = state, self.composite(frame).image()
        return self._image

    def room(self, frame: Frame) -> float:
        """Pixels from the words at its left, as a legend, to the picture's right margin."""
        margin = round(self.margin * frame.type_scale)
        upper = [right for _, top, right, _ in frame.taken if top <= 2 * margin] if self.is_at_top else []
        return frame.size[0] - 1.5 * margin - max(upper, default=0.5 * margin)

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        if not self.contents() or min(frame.size) < self.least:
            return
        image = self.image(frame)
        if (place := self._place(frame, image.shape[1], image.shape[0])) is not None:
            frame.take(image, *place[1:])

    def _place(self, frame, wide, high):
        """(whether it covers bodies, x, y) of the best place for a card of a size; None without one."""
        places, bodies = self._corners(frame, wide, high), frame.seen(self.bodies)
        boxes = [(x, y, x + wide, y + high) for x, y in places]
        own = [boxes[0]] if not any(touch(boxes[0], other) for other in frame.taken) else []
        found = [(meets(box, bodies), *box[:2]) for box in own + [box for box in boxes if frame.is_free(box)]]
        return min(found, key=lambda place: place[0], default=None)

    def _corners(self, frame, wide, high):
        """Upper left corners of a card of a size: in its corner, in the others, and beside other words on each side."""
        margin = round(self.margin * frame.type_scale)
        right, low, left, top = frame.size[0] - wide - margin, frame.size[1] - high - margin, margin, margin
        own, other = (top, low) if self.is_at_top else (low, top)
        gap = margin // 2
        beside = [y for _, a, _, b in frame.taken for y in (b + gap, a - gap - high)]
        beside.sort(key=lambda y: abs(y - own))
        found = [(right, own), (right, other), (left, low), (left, top)]
        return found + [(x, y) for x in (right, left) for y in beside]
