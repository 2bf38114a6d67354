"""A ranking: names with bars and percents on a card in the picture's upper right corner."""

from dataclasses import dataclass

import numpy as np

from engine.draw.colour import colours
from engine.draw.drawable import Drawable
from engine.draw.words import text
from engine.draw.words.label import SIZES, Sprite
from engine.draw.words.legend import blend, srgb

# Of a picture 720 pixels high.
PAD, BAR, LONGEST, GAP, MARGIN, NAME = 12.0, 7.0, 110.0, 10.0, 16.0, 190.0


@dataclass(frozen=True)
class Rank:
    """A name and its part of the whole, 0 to 1."""

    name: str
    part: float


class Ranking(Drawable):
    """The likeliest first, each with a bar as long as its part.

    ranks   Ranks; none draws nothing
    title   above them
    """

    def __init__(self, ranks=(), *, title="", name=None):
        super().__init__(name)
        self.ranks, self.title = tuple(ranks), title
        self._kept = None

    def overlay(self, frame, world):
        if not self.ranks:
            return
        state = self.ranks, self.title, frame.scale, frame.theme
        if self._kept is None or self._kept[0] != state:
            self._kept = state, _card(self.ranks, self.title, frame)
        card, margin = self._kept[1], round(MARGIN * frame.scale)
        frame.sprites.append(Sprite(card, frame.size[0] - card.shape[1] - margin, margin))


def fitted(words, size, most):
    """Words cut to so many pixels, with an ellipsis where something is missing."""
    if text.font(float(size)).getlength(words) <= most:
        return words
    while words and text.font(float(size)).getlength(words + "...") > most:
        words = words[:-1]
    return words.rstrip() + "..."


def _card(ranks, title, frame):
    """(H, W, 4) uint8, premultiplied."""
    s, theme = frame.scale, frame.theme
    size = max(6.0, SIZES["small"] * s)
    pad, gap, longest, bar = (max(1, round(n * s)) for n in (PAD, GAP, LONGEST, BAR))
    names = [text.mask(fitted(rank.name, size, NAME * s), size) for rank in ranks]
    parts = [text.tabular(f"{100 * rank.part:.1f}%", size) for rank in ranks]
    line = round(names[0].shape[0] * 1.45)
    head = text.mask(title, max(6.0, SIZES["normal"] * s)) if title else np.zeros((0, 0), np.float32)
    wide = max(mask.shape[1] for mask in names), max(mask.shape[1] for mask in parts)
    width = 2 * pad + max(wide[0] + wide[1] + longest + 2 * gap, head.shape[1])
    top = pad + (round(head.shape[0] * 1.3) if title else 0)
    card = np.zeros((top + line * len(ranks) + pad, width, 4))
    card[..., :3], card[..., 3] = srgb(theme.background) * 0.86, 0.86
    if title:
        blend(card, head, srgb(theme.ink), pad, pad)
    shades = colours("viridis", "paper" if theme.name == "paper" else "dark", np.array([r.part for r in ranks]))
    for k, (rank, name, part) in enumerate(zip(ranks, names, parts, strict=True)):
        middle = top + line * (k + 0.5)
        y = round(middle - name.shape[0] / 2)
        blend(card, name, srgb(theme.ink), pad, y)
        left = pad + wide[0] + gap
        length = longest * min(max(rank.part, 0.0), 1.0)
        # The last pixel of a bar is as full as the bar reaches into it.
        cover = np.clip(length - np.arange(longest), 0.0, 1.0)
        blend(card, np.full((bar, longest), 0.16), srgb(theme.ink), left, round(middle - bar / 2))
        blend(card, np.broadcast_to(cover, (bar, longest)), srgb(shades[k]), left, round(middle - bar / 2))
        blend(card, part, srgb(theme.ink), left + longest + gap + wide[1] - part.shape[1], y)
    return np.round(np.clip(card, 0, 1) * 255).astype(np.uint8)
