"""A ranking: names with bars and percents, or other words, on a card in the picture's upper right corner."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.draw.colour import RGB, colours, srgb
from engine.draw.frame import Frame
from engine.draw.words import text
from engine.draw.words.composite import Card, Composite

# Pixels in a picture 720 high.
PAD, BAR, LONGEST, GAP, NAME = 12.0, 7.0, 110.0, 10.0, 190.0
# The least of a bar's length and of a name's, in narrow pictures, where legend and ranking stand side by side.
SHORTEST, SHORT_NAME = 24.0, 54.0


@dataclass(frozen=True)
class Rank:
    """A name and its share, 0 to 1; words: what is written instead of percents; colour: linear RGB of its bar."""

    name: str
    part: float
    words: str = ""
    colour: RGB | None = None


class Ranking(Card):
    """Names with percents, each with a bar as long as its share.

    ranks   Ranks, the largest share first; without ranks nothing is drawn
    title   the text above them
    least   pixels of the shorter side of a picture, as a sheet's cell, in which it is drawn
    """

    is_at_top = True

    def __init__(self, ranks: Iterable[Rank] = (), *, title: str = "", least: int = 0, name: str | None = None):
        super().__init__(name)
        self.ranks, self.title, self.least = tuple(ranks), title, least

    def contents(self) -> tuple:
        return (self.ranks, self.title) if self.ranks else ()

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        if min(frame.size) >= self.least:
            super().overlay(frame, world)

    def composite(self, frame: Frame) -> Composite:
        s, theme = frame.type_scale, frame.theme
        size, colour = text.type_size("small", s), srgb(theme.foreground)
        pad, gap, longest, bar = (max(1, round(n * s)) for n in (PAD, GAP, LONGEST, BAR))
        parts = [text.mask(rank.words or f"{100 * rank.part:.1f}%", size, tabular=True) for rank in self.ranks]
        room = self.room(frame) - 2 * pad - 2 * gap - max(mask.shape[1] for mask in parts)
        names = [text.mask(text.fitted(rank.name, size, NAME * s), size) for rank in self.ranks]
        if max(mask.shape[1] for mask in names) + longest > room:
            longest = round(max(SHORTEST * s, room - max(mask.shape[1] for mask in names)))
            most = max(SHORT_NAME * s, min(NAME * s, room - longest))
            names = [text.mask(text.fitted(rank.name, size, most), size) for rank in self.ranks]
        line = round(names[0].shape[0] * 1.45)
        title = text.fitted(self.title, text.type_size("normal", s), max(self.room(frame), 2 * NAME * s / 3) - 2 * pad)
        head = text.line(title, "normal", s) if title else np.zeros((0, 0), np.float32)
        wide = max(mask.shape[1] for mask in names), max(mask.shape[1] for mask in parts)
        width = 2 * pad + max(wide[0] + wide[1] + longest + 2 * gap, head.shape[1])
        top = pad + (round(head.shape[0] * 1.3) if self.title else 0)
        composite = Composite(width, top + line * len(self.ranks) + pad, theme.background, 0.86)
        composite.add(head, colour, pad, pad)
        map_colours = colours("viridis", theme.maps, [rank.part for rank in self.ranks])
        own = [
            shade if rank.colour is None else rank.colour for rank, shade in zip(self.ranks, map_colours, strict=True)
        ]
        shades = srgb(np.array(own))
        for k, (rank, name, part) in enumerate(zip(self.ranks, names, parts, strict=True)):
            middle = top + line * (k + 0.5)
            y = round(middle - name.shape[0] / 2)
            composite.add(name, colour, pad, y)
            left = pad + wide[0] + gap
            length = longest * min(max(rank.part, 0.0), 1.0)
            # The last pixel of a bar is covered in part.
            cover = np.clip(length - np.arange(longest), 0.0, 1.0)
            composite.add(np.full((bar, longest), 0.16), colour, left, round(middle - bar / 2))
            composite.add(np.broadcast_to(cover, (bar, longest)), shades[k], left, round(middle - bar / 2))
            composite.add(part, colour, left + longest + gap + wide[1] - part.shape[1], y)
        return composite
