"""A legend at the picture's left edge: what the colours mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from engine.draw.colour import colours, srgb
from engine.draw.frame import Frame, Sprite, Theme
from engine.draw.words import text
from engine.draw.words.composite import Composite
from engine.errors import ShapeError

# Pixels of a picture 720 high: from its edges to the title; width and height of the bar; gaps.
MARGIN, BAR_WIDTH, BAR_HEIGHT, PAD = 22.0, 9.0, 190.0, 8.0
# Opacity of the card over an image.
CARD_OPACITY = 0.8


@dataclass(frozen=True)
class Legend:
    """A bar of a colour map with the values at its ends, and marks at the levels of surfaces.

    title     what is measured
    map       colour map
    low, high values at its ends
    marks     values of the surfaces shown
    words     texts of the marks; () for their numbers
    least     the smaller side of the smallest picture it is drawn in, pixels: in others it would cover the subject
    card      True for a legend over an image: on a card of the background's colour, with the untrimmed map

    Raises ShapeError if there are words, but not one for each mark.
    """

    title: str
    map: str
    low: float
    high: float
    marks: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    card: bool = False
    least: int = 0

    def __post_init__(self):
        object.__setattr__(self, "marks", tuple(map(float, self.marks)))
        object.__setattr__(self, "words", tuple(self.words))
        if self.words and len(self.words) != len(self.marks):
            raise ShapeError(f"A legend has {len(self.marks)} marks and {len(self.words)} words; give a word for each.")


def spread(ys: Sequence[float], gap: float, low: float, high: float) -> list[float | None]:
    """Places for labels near ys (ascending), at least `gap` apart, within low and high; None for those left out."""
    room = int((high - low) / gap) + 1
    # If there are too many for the bar, only every n-th is drawn.
    step = max(1, -(-len(ys) // room))
    drawn = list(ys[::step])
    for i in range(1, len(drawn)):
        drawn[i] = max(drawn[i], drawn[i - 1] + gap)
    ceiling = high
    for i in range(len(drawn) - 1, -1, -1):
        drawn[i] = min(drawn[i], ceiling)
        ceiling = drawn[i] - gap
    places: list[float | None] = [None] * len(ys)
    places[::step] = drawn
    return places


def legend_sprites(legend: Legend, frame: Frame) -> list[Sprite]:
    """The legend's sprites for a frame: title, bar and marks, each composed again only when it has changed.

    They do not overlap, except for a mark's line, which is opaque, on the bar.
    """
    if min(frame.size) < legend.least:
        return []
    return list(_sprites(legend, frame.scale, frame.theme))


class _Measures:
    """The colours and places of a legend's parts, in pixels from the title's upper left corner."""

    def __init__(self, legend: Legend, s: float, theme: Theme):
        self.colour, self.card = srgb(theme.foreground), theme.background if legend.card else None
        self.title = text.line(legend.title, "normal", s)
        self.line = text.line("0", "small", s).shape[0]
        self.pad, self.margin = round(PAD * s), round(MARGIN * s)
        self.border = self.pad if legend.card else 0
        self.bar_width, self.bar_height = max(3, round(BAR_WIDTH * s)), max(24, round(BAR_HEIGHT * s))
        # (bar_height, 1, 3) sRGB from the highest value to the lowest.
        values = 1.0 - (np.arange(self.bar_height) + 0.5) / self.bar_height
        self.bar = srgb(colours(legend.map, "image" if legend.card else theme.maps, values))[:, None]
        self.top = self.title.shape[0] + self.pad
        # Rows above this hold only the title; from here on there are also numbers beside the bar.
        self.start = self.top - self.line // 2 - 1
        self.bottom = self.top + self.bar_height + self.line + self.border

    def sprite(self, upper: int, right: int, lower: int, parts: Iterable[tuple], card_left: int) -> Sprite:
        """The Sprite of the area between two rows and left of a column, from parts (mask, sRGB, x, y, opacity)."""
        composite = Composite(right + self.border, lower - upper)
        if self.card is not None:
            composite.add_under(self.card, CARD_OPACITY, card_left + self.border)
        for mask, colour, x, y, opacity in parts:
            composite.add(mask, colour, x + self.border, y - upper, opacity)
        return Sprite(composite.image(), self.margin - self.border, self.margin + upper)


@lru_cache(maxsize=4)
def _title_and_bar(legend: Legend, s: float, theme: Theme, right: int) -> tuple[Sprite, Sprite]:
    """The sprites of a legend's title and bar; `right` is the right end of the title's sprite."""
    m = _Measures(legend, s, theme)
    title = (m.title, m.colour, 0, 0, 0.85)
    bar = (np.ones((m.bar_height, m.bar_width)), m.bar, 0, m.top, 1.0)
    return (
        m.sprite(-m.border, right, m.start, [title], -m.border),
        m.sprite(m.start, m.bar_width, m.bottom, [title, bar], -m.border),
    )


# Cached, since a live view asks for the same sprites in every frame.
@lru_cache(maxsize=4)
def _sprites(legend: Legend, s: float, theme: Theme) -> tuple[Sprite, ...]:
    m, size, span = _Measures(legend, s, theme), text.type_size("small", s), legend.high - legend.low
    # The lowest value is at the bottom, but labels are placed from the top.
    words = legend.words or [None] * len(legend.marks)
    shown = [(v, w) for v, w in zip(legend.marks, words, strict=True) if legend.low <= v <= legend.high]
    marks = sorted(shown, reverse=True)
    # A moving level may be 1e-16 where it should be 0: it is labelled 0.
    masks = [text.mask(w or text.number(v if abs(v) > 1e-6 * span else 0.0), size, tabular=True) for v, w in marks]
    ys = [m.top + (1 - (v - legend.low) / span) * m.bar_height for v, _ in marks]
    places = spread(ys, round(size * 1.25), m.top, m.top + m.bar_height)
    right = max([m.title.shape[1], *(m.bar_width + 3 * m.pad + mask.shape[1] for mask in masks)]) + m.pad + m.border
    still = _title_and_bar(replace(legend, marks=(), words=()), s, theme, right if legend.card else m.title.shape[1])
    tick, start, end = max(1, round(s)), m.bar_width + 2, m.bar_width + 2 * m.pad
    rows = [int(np.clip(round(y), m.top, m.top + m.bar_height - tick)) for y in ys]
    line = np.ones((tick, m.bar_width))
    parts: list[tuple] = [(m.title[:, m.bar_width :], m.colour, m.bar_width, 0, 0.85)]
    parts += [(line, m.bar[row - m.top :][:tick], 0, row, 1.0) for row in rows]
    parts += [(line, m.colour, 0, row, 0.9) for row in rows]
    for row, place, mask in zip(rows, places, masks, strict=True):
        if place is not None:
            for x in range(start, end):
                y = round(row + (round(place) - row) * (x - start) / max(1, end - start))
                parts.append((line[:, :1], m.colour, x, y, 0.45))
            parts.append((mask, m.colour, end + round(3 * s), round(place - mask.shape[0] / 2), 0.9))
    return *still, m.sprite(m.start, right, m.bottom, parts, m.bar_width)
