"""Numbers along the left and the lower side of a rectangle in a flat view, at the picture's edges where it goes on."""

import numpy as np

from engine.draw.colour import srgb
from engine.draw.drawable import Drawable
from engine.draw.frame import Frame, Sprite
from engine.draw.node import transformed
from engine.draw.words import text
from engine.draw.words.composite import Composite
from engine.draw.words.labels import haloed
from engine.vector.ticks import tick_text, ticks

# Pixels in a picture 720 high: between numbers across and up, from the rectangle to a number, the length of a tick.
PITCH, RISE, GAP, TICK = 58.0, 42.0, 6.0, 4.0
# (number at the rectangle's start, at its end, the axis' name); None without numbers.
Range = tuple[float, float, str] | None
Corner = tuple[float, float] | np.ndarray


class FlatAxes(Drawable):
    """Numbers and names of two axes, for cameras that look straight at the plane z = 0.

    low, high   (2,), the node's space: the rectangle
    x, y        (first, last, name): the numbers at its left and right, or lower and upper, side; or None
    """

    def __init__(
        self, low: Corner = (0.0, 0.0), high: Corner = (1.0, 1.0), x: Range = None, y: Range = None, *,
        name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        self.low, self.high, self.x, self.y = low, high, x, y

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        low, high = (frame.project(transformed(world, np.append(end, 0.0))) for end in (self.low, self.high))
        if low is None or high is None:
            return
        (left, bottom, _), (right, top, _) = low, high
        if self.x is not None:
            self._row(frame, (left, right), min(bottom, frame.size[1]), self.x)
        if self.y is not None:
            self._column(frame, (bottom, top), max(left, 0.0), self.y)

    def _row(self, frame, ends, base, axis):
        s, inside = frame.type_scale, base >= frame.size[1]
        image = _word(frame, axis[2])
        down = base + GAP * s * 0.5
        # Inside of the picture where the rectangle goes on beyond it.
        at = lambda image: base - image.shape[0] if inside else down
        frame.write(image, min(ends[1], frame.size[0]) - image.shape[1], at(image))
        for place, words in _numbers(ends, axis, (0.0, frame.size[0]), PITCH * s):
            image = _word(frame, words)
            if frame.write(image, place - image.shape[1] / 2, at(image), air=0.25 * image.shape[0]) and not inside:
                _tick(frame, place, base, 1.0, TICK * s)

    def _column(self, frame, ends, base, axis):
        s, inside = frame.type_scale, base <= 0.0
        at = lambda image: base + GAP * s * 0.3 if inside else base - GAP * s - image.shape[1]
        image = _word(frame, axis[2])
        frame.write(image, at(image), max(ends[1], 0.0))
        for place, words in _numbers(ends, axis, (0.0, frame.size[1]), RISE * s):
            image = _word(frame, words)
            if frame.write(image, at(image), place - image.shape[0] / 2) and not inside:
                _tick(frame, base, place, TICK * s, 1.0)


def _word(frame, words):
    size = text.type_size("small", frame.type_scale)
    reach = max(1, round(1.5 * frame.type_scale))
    return haloed(words, size, tuple(frame.theme.foreground), frame.theme, 0.9, reach)


def _numbers(ends, axis, within, pitch):
    """(pixel, text) of round numbers along an axis whose ends lie at two pixels, those within the picture."""
    first, last, _ = axis
    rate = (last - first) / (ends[1] - ends[0])
    seen = sorted(np.clip(ends, *within))
    low, high = sorted(first + rate * (np.array(seen) - ends[0]))
    values = ticks(low, high, int(np.clip((seen[1] - seen[0]) / pitch, 2, 9)))
    return [(ends[0] + (v - first) / rate, w) for v, w in zip(values, tick_text(values), strict=True)]


def _tick(frame, x, y, width, height):
    """A short line outside of the rectangle, to the left of a place or below it."""
    w, h = max(1, round(width)), max(1, round(height))
    composite = Composite(w, h)
    composite.add(np.ones((h, w)), srgb(frame.theme.foreground), 0, 0, 0.6)
    left, top = (round(x - w), round(y)) if width > height else (round(x), round(y))
    frame.sprites.append(Sprite(composite.image(), left, top, True, (x, y)))
