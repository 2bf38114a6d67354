"""A ring round a place in space, and a line from it to words on a card."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import RGB, srgb
from engine.draw.frame import Frame, Sprite, meeting, spans, touch
from engine.draw.node import transformed
from engine.draw.words import text
from engine.draw.words.composite import Card, Composite

# Pixels in a picture 720 high: radius of the ring, extent of the line to the side and up, width of strokes, padding.
RING, ASIDE, UP, STROKE, PAD = 6.0, 34.0, 30.0, 1.4, 7.0
# Factors of the line's extent that are tried, one after the other.
FARTHER = (1.0, 2.0, 4.0)
# So many places across the picture and down it are tried then.
GRID = 16


class Callout(Card):
    """A ring round the node's origin and a leader line to words. Not drawn if the origin is behind the eye.

    words    the first line large, the others below it smaller; without words there is no line
    colour   linear RGB of ring and line, or None for the theme's foreground
    around   (N, 3) points in the parent's space: the words do not cover the rectangle round them in the picture
    bodies   (B, N, 3) corners of convex bodies in the world

    The words stand where they touch no others and no body; where they have no such place, the ring is drawn alone.
    """

    around: ArrayLike = ()
    bodies: ArrayLike = ()
    precedence = 1

    def __init__(self, words: Iterable[str] = (), *, colour: RGB | None = None, name: str | None = None):
        super().__init__(name)
        self.words, self.colour = tuple(words), colour

    def contents(self) -> tuple:
        return self.words

    def composite(self, frame: Frame) -> Composite:
        s = frame.type_scale
        pad = max(2, round(PAD * s))
        masks = [text.line(line, "small" if k else "normal", s) for k, line in enumerate(self.words)]
        width, height = max(m.shape[1] for m in masks) + 2 * pad, sum(m.shape[0] for m in masks) + pad
        composite, y = Composite(width, height, frame.theme.background, 0.88), pad // 2
        for k, mask in enumerate(masks):
            composite.add(mask, srgb(frame.theme.foreground), pad, y, 0.8 if k else 1.0)
            y += mask.shape[0]
        return composite

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        place = frame.project(world[:3, 3])
        if place is None:
            return
        (x, y, _), (width, height), s = place, frame.size, frame.type_scale
        if not (-RING * s <= x <= width + RING * s and -RING * s <= y <= height + RING * s):
            return
        colour = srgb(frame.theme.foreground if self.colour is None else self.colour)
        if not self.words:
            frame.sprites.append(_strokes((x, y), None, colour, s))
            return
        image = self.image(frame)
        kept = self._kept(frame, world)
        places = list(self._places(frame, x, y, image.shape[1::-1], kept))
        boxes = [(left, top, left + image.shape[1], top + image.shape[0]) for _, (left, top) in places]
        over = meeting(boxes, spans(frame.seen(self.bodies)))
        found = [
            place
            for place, box, is_over in zip(places, boxes, over, strict=True)
            if not is_over and frame.is_free(box) and not touch(box, kept)
        ]
        if not found:
            frame.sprites.append(_strokes((x, y), None, colour, s))
            return
        elbow, (left, top) = found[0]
        frame.sprites.append(_strokes((x, y), elbow, colour, s))
        frame.take(image, left, top, place=(x, y))

    def _kept(self, frame, world):
        """The box of what words do not cover; of nothing, one on the origin."""
        space = world @ np.linalg.inv(self.transform)
        places = [frame.project(transformed(space, point)) for point in np.reshape(self.around, (-1, 3))]
        seen = [place[:2] for place in (*places, frame.project(world[:3, 3])) if place is not None]
        return (*np.min(seen, axis=0), *np.max(seen, axis=0))

    def _places(self, frame, x, y, size, kept):
        """(elbow of the line, upper left corner) of words of a size in the picture, the best first.

        Above what is kept free and below it, first to the right if there is room, then to its sides, then farther away.
        """
        (width, height), (wide, tall), s = frame.size, size, frame.type_scale
        sides = (1, -1) if x + ASIDE * s + wide <= width or x < width / 2 else (-1, 1)
        for far in FARTHER:
            up, down = min(y - far * UP * s, kept[1] - tall / 2 - 1), max(y + far * UP * s, kept[3] + tall / 2 + 1)
            elbows = [(x + side * ASIDE * s, v, side) for v in (up, down) for side in sides]
            elbows += [((kept[2] if side > 0 else kept[0]) + side * far * ASIDE * s, y, side) for side in sides]
            for across, along, side in elbows:
                left = round(min(max(across if side > 0 else across - wide, 0), max(width - wide, 0)))
                top = round(min(max(along - tall / 2, 0), max(height - tall, 0)))
                yield _end(x, y, along, left, top, size), (left, top)
        # Anywhere, the nearest first.
        lefts, tops = (np.linspace(0, max(room, 0), GRID).astype(int) for room in (width - wide, height - tall))
        anywhere = [(_end(x, y, top + tall / 2, left, top, size), (left, top)) for left in lefts for top in tops]
        yield from sorted(anywhere, key=lambda place: math.hypot(place[0][0] - x, place[0][1] - y))


def _end(x, y, along, left, top, size):
    """Where a line from (x, y) to words ends: at their nearer side at the height `along`, or above or below."""
    wide, tall = size
    across = min(max(x, left), left + wide)
    return across, along if across != x else top + tall if top < y else top


def _strokes(place, elbow, colour, s):
    """The ring and its leader line as a Sprite."""
    ring, stroke = RING * s, max(1.0, STROKE * s)
    corners = np.array([place, elbow or place])
    margin = ring + stroke + 1
    left, top = np.floor(corners.min(0) - margin).astype(int)
    right, bottom = np.ceil(corners.max(0) + margin).astype(int)
    y, x = np.mgrid[top:bottom, left:right] + 0.5
    away = np.hypot(x - place[0], y - place[1])
    distance = abs(away - ring)
    if elbow is not None:
        dx, dy = elbow[0] - place[0], elbow[1] - place[1]
        length = math.hypot(dx, dy)
        # The line begins on the ring.
        along = np.clip(((x - place[0]) * dx + (y - place[1]) * dy) / length, ring, length)
        line = np.hypot(x - place[0] - along * dx / length, y - place[1] - along * dy / length)
        distance = np.minimum(distance, line)
    composite = Composite(right - left, bottom - top)
    composite.add(np.clip(stroke / 2 + 0.5 - distance, 0.0, 1.0), colour, 0, 0)
    return Sprite(composite.image(), int(left), int(top), True, place)
