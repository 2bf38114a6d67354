"""A key: what each kind of line means, on a card in a corner of the picture."""

from dataclasses import dataclass

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.words import text
from engine.draw.words.label import SIZES, Sprite
from engine.draw.words.legend import blend, srgb

# Of a picture 720 pixels high.
SAMPLE, PAD, GAP, MARGIN, WIDTH = 34.0, 10.0, 8.0, 6.0, 2.6


@dataclass(frozen=True)
class KeyRow:
    """A line's sample and its name.

    colour   linear RGB
    dash     lengths of line and gap in widths of the line; () for a solid one
    """

    words: str
    colour: tuple
    dash: tuple = ()


class Key(Drawable):
    """Lines and what they mean.

    rows   KeyRows; none draws nothing
    """

    def __init__(self, rows=(), *, name=None):
        super().__init__(name)
        self.rows = tuple(rows)
        self._kept = None

    def overlay(self, frame, world):
        if not self.rows:
            return
        state = self.rows, frame.scale, frame.theme, frame.size
        if self._kept is None or self._kept[0] != state:
            self._kept = state, _card(self.rows, frame)
        card, margin = self._kept[1], round(MARGIN * frame.scale)
        width, height = frame.size
        # At the bottom, where a picture has its margin; the left is a window's status line's.
        place = width - card.shape[1] - margin, height - card.shape[0] - margin
        frame.sprites.append(Sprite(card, *place))


def _card(rows, frame):
    """(H, W, 4) uint8, premultiplied: all in a line if that fits the picture, else one below the other."""
    s, theme = frame.scale, frame.theme
    pad, gap, sample = round(PAD * s), round(GAP * s), round(SAMPLE * s)
    masks = [text.mask(row.words, max(6.0, SIZES["small"] * s)) for row in rows]
    line = round(masks[0].shape[0] * 1.2)
    widths = [sample + gap + mask.shape[1] for mask in masks]
    whole = sum(widths) + 2 * gap * (len(rows) - 1)
    if whole + 2 * pad <= 0.9 * frame.size[0]:
        ends = np.cumsum([width + 2 * gap for width in widths])
        places, size = [(int(x), 0) for x in (0, *ends[:-1])], (whole, line)
    else:
        places, size = [(0, k * line) for k in range(len(rows))], (max(widths), line * len(rows))
    card = np.zeros((size[1] + pad, size[0] + 2 * pad, 4))
    card[..., :3], card[..., 3] = srgb(theme.background) * 0.86, 0.86
    for (x, y), row, mask in zip(places, rows, masks, strict=True):
        stroke = _stroke(row.dash, sample, max(1.0, WIDTH * s), line)
        blend(card, stroke, srgb(row.colour), pad + x, pad // 2 + y)
        middle = pad // 2 + y + line / 2
        blend(card, mask, srgb(theme.ink), pad + x + sample + gap, round(middle - mask.shape[0] / 2))
    return np.round(card * 255).astype(np.uint8)


def _stroke(dash, length, width, height):
    """(height, length) coverage of a level line through the middle."""
    along = np.arange(length) + 0.5
    down = np.abs(np.arange(height) + 0.5 - height / 2)
    across = np.clip(width / 2 + 0.5 - down, 0.0, 1.0)[:, None]
    if not dash:
        return np.broadcast_to(across, (height, length))
    # Four samples a pixel: ends of dashes lie between pixels.
    fine = (np.arange(4 * length) + 0.5) / 4 / width % sum(dash)
    on = np.searchsorted(np.cumsum(dash), fine, side="right") % 2 == 0
    return across * on.reshape(length, 4).mean(axis=1)[None] if along.size else across
