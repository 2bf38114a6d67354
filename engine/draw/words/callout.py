"""A place in space, ringed, and a line from there to words on a card."""

import math

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.words import text
from engine.draw.words.label import SIZES, Sprite
from engine.draw.words.legend import blend, srgb

# Of a picture 720 pixels high: the ring's radius, the line's way to the side and up, strokes, the card's padding.
RING, ASIDE, UP, STROKE, PAD = 6.0, 34.0, 30.0, 1.4, 7.0


class Callout(Drawable):
    """A ring round the node's origin and a leader line to words; no words, no line; hidden behind the eye.

    words    the first line, strong; the others below it, smaller
    colour   linear RGB of ring and line, or None for the theme's ink
    """

    def __init__(self, words=(), *, colour=None, name=None):
        super().__init__(name)
        self.words, self.colour = tuple(words), colour

    def overlay(self, frame, world):
        place = frame.project(world[:3, 3])
        if place is None:
            return
        (x, y, _), (width, height), s = place, frame.size, frame.scale
        if not (-RING * s <= x <= width + RING * s and -RING * s <= y <= height + RING * s):
            return
        card = _card(self.words, frame) if self.words else np.zeros((0, 0, 4), np.uint8)
        # To the right and up, unless there is no room; a card wider than the picture keeps its left side in it.
        tall, wide = card.shape[:2]
        right = x + ASIDE * s + wide <= width or x < width / 2
        upward = y - UP * s - tall >= 0
        elbow = x + (ASIDE if right else -ASIDE) * s, y + (-UP if upward else UP) * s
        left = max(0, round(elbow[0] if right else elbow[0] - wide))
        top = round(min(max(elbow[1] - tall / 2, 0), max(height - tall, 0)))
        frame.sprites.append(_strokes((x, y), elbow if self.words else None, self._ink(frame), s))
        if self.words:
            frame.sprites.append(Sprite(card, left, top))

    def _ink(self, frame):
        return srgb(frame.theme.ink if self.colour is None else self.colour)


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
        # It begins on the ring.
        along = np.clip(((x - place[0]) * dx + (y - place[1]) * dy) / length, ring, length)
        line = np.hypot(x - place[0] - along * dx / length, y - place[1] - along * dy / length)
        distance = np.minimum(distance, line)
    cover = np.clip(stroke / 2 + 0.5 - distance, 0.0, 1.0)[..., None]
    return Sprite(np.round(np.concatenate([colour * cover, cover], axis=2) * 255).astype(np.uint8), int(left), int(top))


def _card(words, frame):
    """(H, W, 4) uint8, premultiplied."""
    s, ink = frame.scale, srgb(frame.theme.ink)
    pad = max(2, round(PAD * s))
    sizes = [SIZES["normal"], *[SIZES["small"]] * (len(words) - 1)]
    masks = [text.mask(line, max(6.0, size * s)) for line, size in zip(words, sizes, strict=True)]
    card = np.zeros((sum(m.shape[0] for m in masks) + pad, max(m.shape[1] for m in masks) + 2 * pad, 4))
    card[..., :3], card[..., 3] = srgb(frame.theme.background) * 0.88, 0.88
    y = pad // 2
    for k, mask in enumerate(masks):
        blend(card, mask, ink, pad, y, 1.0 if k == 0 else 0.8)
        y += mask.shape[0]
    return np.round(np.clip(card, 0, 1) * 255).astype(np.uint8)
