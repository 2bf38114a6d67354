"""A ring round a place in space, and a line from it to words on a card."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import RGB, srgb
from engine.draw.frame import Frame, Sprite
from engine.draw.node import transformed
from engine.draw.words import text
from engine.draw.words.composite import Card, Composite

# Pixels in a picture 720 high: radius of the ring, extent of the line to the side and up, width of strokes, padding.
RING, ASIDE, UP, STROKE, PAD = 6.0, 34.0, 30.0, 1.4, 7.0


class Callout(Card):
    """A ring round the node's origin and a leader line to words. Not drawn if the origin is behind the eye.

    words    the first line large, the others below it smaller; without words there is no line
    colour   linear RGB of ring and line, or None for the theme's foreground
    above    (3,) a point in the parent's space that the words, where they stand above the ring, do not cover; or None
    """

    above: ArrayLike | None = None

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
        # To the right and up if there is room; of a card wider than the picture the left side is visible.
        tall, wide = image.shape[:2]
        up = UP * s
        if self.above is not None:
            point = transformed(world @ np.linalg.inv(self.transform), self.above)
            if (top_of := frame.project(point)) is not None:
                up = max(up, y - top_of[1] + tall / 2)
        right = x + ASIDE * s + wide <= width or x < width / 2
        upward = y - up - tall >= 0
        elbow = x + (ASIDE if right else -ASIDE) * s, y + (-up if upward else UP * s)
        left = max(0, round(elbow[0] if right else elbow[0] - wide))
        top = round(min(max(elbow[1] - tall / 2, 0), max(height - tall, 0)))
        frame.sprites.append(_strokes((x, y), elbow, colour, s))
        frame.take(image, left, top)


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
    return Sprite(composite.image(), int(left), int(top))
