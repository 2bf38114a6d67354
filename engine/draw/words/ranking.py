"""A ranking: names with bars and percents, or other words, on a card in the picture's upper right corner."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.draw.colour import RGB, colours, srgb
from engine.draw.frame import Frame, meets
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

    Of the ranks as many are named, the first in any case, as leave `bodies` free; all where none does.
    """

    is_at_top = True
    _count = 0  # of the ranks that are named

    def __init__(self, ranks: Iterable[Rank] = (), *, title: str = "", least: int = 0, name: str | None = None):
        super().__init__(name)
        self.ranks, self.title, self.least = tuple(ranks), title, least

    def contents(self) -> tuple:
        return (self.ranks, self.title, self._count) if self.ranks else ()

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        if not self.ranks:
            return
        measured, bodies, margin = self._measured(frame), frame.seen(self.bodies), round(self.margin * frame.type_scale)
        right = frame.size[0] - margin
        lower = lambda count: (right - measured.width, margin, right, margin + measured.height(count))
        self._count = next((n for n in range(len(self.ranks), 0, -1) if not meets(lower(n), bodies)), len(self.ranks))
        super().overlay(frame, world)

    def _measured(self, frame):
        s = frame.type_scale
        size, pad, gap, longest = text.type_size("small", s), *(max(1, round(n * s)) for n in (PAD, GAP, LONGEST))
        parts = [text.mask(rank.words or f"{100 * rank.part:.1f}%", size, tabular=True) for rank in self.ranks]
        room = self.room(frame) - 2 * pad - 2 * gap - max(mask.shape[1] for mask in parts)
        names = [text.mask(text.fitted(rank.name, size, NAME * s), size) for rank in self.ranks]
        if max(mask.shape[1] for mask in names) + longest > room:
            longest = round(max(SHORTEST * s, room - max(mask.shape[1] for mask in names)))
            most = max(SHORT_NAME * s, min(NAME * s, room - longest))
            names = [text.mask(text.fitted(rank.name, size, most), size) for rank in self.ranks]
        title = text.fitted(self.title, text.type_size("normal", s), max(self.room(frame), 2 * NAME * s / 3) - 2 * pad)
        head = text.line(title, "normal", s) if title else np.zeros((0, 0), np.float32)
        return _Measured(head, names, parts, longest, pad, gap)

    def composite(self, frame: Frame) -> Composite:
        m, theme = self._measured(frame), frame.theme
        colour, bar = srgb(theme.foreground), max(1, round(BAR * frame.type_scale))
        composite = Composite(m.width, m.height(self._count), theme.background, 0.86)
        composite.add(m.head, colour, m.pad, m.pad)
        map_colours = colours("viridis", theme.maps, [rank.part for rank in self.ranks])
        own = [
            shade if rank.colour is None else rank.colour for rank, shade in zip(self.ranks, map_colours, strict=True)
        ]
        shades = srgb(np.array(own))
        for k, (rank, name, part) in enumerate(zip(self.ranks[: self._count], m.names, m.parts, strict=False)):
            middle = m.top + m.line * (k + 0.5)
            y = round(middle - name.shape[0] / 2)
            composite.add(name, colour, m.pad, y)
            left = m.pad + m.wide[0] + m.gap
            length = m.longest * min(max(rank.part, 0.0), 1.0)
            # The last pixel of a bar is covered in part.
            cover = np.clip(length - np.arange(m.longest), 0.0, 1.0)
            composite.add(np.full((bar, m.longest), 0.16), colour, left, round(middle - bar / 2))
            composite.add(np.broadcast_to(cover, (bar, m.longest)), shades[k], left, round(middle - bar / 2))
            composite.add(part, colour, left + m.longest + m.gap + m.wide[1] - part.shape[1], y)
        return composite


class _Measured:
    """The masks and pixels of a Ranking's card, which is as wide whatever is named."""

    def __init__(self, head: np.ndarray, names: list, parts: list, longest: int, pad: int, gap: int):
        self.head, self.names, self.parts, self.longest, self.pad, self.gap = head, names, parts, longest, pad, gap
        self.line = round(names[0].shape[0] * 1.45)
        self.wide = max(mask.shape[1] for mask in names), max(mask.shape[1] for mask in parts)
        self.width = 2 * pad + max(sum(self.wide) + longest + 2 * gap, head.shape[1])
        self.top = pad + round(head.shape[0] * 1.3)

    def height(self, count: int) -> int:
        """Pixels of the card with so many ranks."""
        return self.top + self.line * count + self.pad
