"""A key to kinds of lines, on a card in a corner of the picture."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.draw.colour import RGB, srgb
from engine.draw.frame import Frame
from engine.draw.words import text
from engine.draw.words.composite import Card, Composite

# Pixels in a picture 720 high.
SAMPLE, PAD, GAP, WIDTH = 34.0, 10.0, 8.0, 2.6


@dataclass(frozen=True)
class KeyRow:
    """A line's sample and its name.

    colour   linear RGB
    dash     lengths of line and gap in widths of the line; () for a solid line
    """

    words: str
    colour: RGB
    dash: tuple[float, ...] = ()


class Key(Card):
    """Samples of lines, each with its name.

    rows   KeyRows; without rows nothing is drawn
    """

    # Small, since the key stands in the margin at the bottom right; a window's status line is at the left.
    margin = 6.0

    def __init__(self, rows: Iterable[KeyRow] = (), *, name: str | None = None):
        super().__init__(name)
        self.rows = tuple(rows)

    def contents(self) -> tuple:
        return self.rows

    def composite(self, frame: Frame) -> Composite:
        """The card: all rows in one line if that fits the picture, else one below the other."""
        s, theme = frame.type_scale, frame.theme
        pad, gap, sample = round(PAD * s), round(GAP * s), round(SAMPLE * s)
        masks = [text.line(row.words, "small", s) for row in self.rows]
        line = round(masks[0].shape[0] * 1.2)
        widths = [sample + gap + mask.shape[1] for mask in masks]
        whole = sum(widths) + 2 * gap * (len(masks) - 1)
        if whole + 2 * pad <= 0.9 * frame.size[0]:
            ends = np.cumsum([width + 2 * gap for width in widths])
            places, size = [(int(x), 0) for x in (0, *ends[:-1])], (whole, line)
        else:
            places, size = [(0, k * line) for k in range(len(masks))], (max(widths), line * len(masks))
        composite = Composite(size[0] + 2 * pad, size[1] + pad, theme.background, 0.86)
        for (x, y), row, mask in zip(places, self.rows, masks, strict=True):
            composite.add(_stroke(row.dash, sample, max(1.0, WIDTH * s), line), srgb(row.colour), pad + x, pad // 2 + y)
            middle = pad // 2 + y + line / 2
            composite.add(mask, srgb(theme.foreground), pad + x + sample + gap, round(middle - mask.shape[0] / 2))
        return composite


def _stroke(dash, length, width, height):
    """(height, length) coverage of a horizontal line through the middle."""
    along = np.arange(length) + 0.5
    down = np.abs(np.arange(height) + 0.5 - height / 2)
    across = np.clip(width / 2 + 0.5 - down, 0.0, 1.0)[:, None]
    if not dash:
        return np.broadcast_to(across, (height, length))
    # Four samples a pixel, since ends of dashes lie between pixels.
    fine = (np.arange(4 * length) + 0.5) / 4 / width % sum(dash)
    on = np.searchsorted(np.cumsum(dash), fine, side="right") % 2 == 0
    return across * on.reshape(length, 4).mean(axis=1)[None] if along.size else across
