"""A legend at the picture's left edge: what the colours mean."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from engine.draw.colour import colours, srgb
from engine.draw.frame import Frame, Sprite, Theme
from engine.draw.words import text
from engine.draw.words.composite import Composite
from engine.errors import ShapeError
from engine.vector.ticks import tick_text, ticks

# Pixels of a picture 720 high: from its edges to the title; width and height of the bar; gaps.
MARGIN, BAR_WIDTH, BAR_HEIGHT, PAD = 16.0, 9.0, 190.0, 8.0
# The bar takes at most this part of the picture's height; where the subject leaves it little room, less.
PART, SHORTEST = 0.27, 46.0
# Numbers along a bar that has few marks, and their opacity beside that of a mark.
NUMBERS, NUMBER, MARK = 6, 0.6, 0.9
# Opacity of the card over an image.
CARD_OPACITY = 0.8


@dataclass(frozen=True)
class Legend:
    """A bar of a colour map with the values at its ends, and marks at the levels of surfaces.

    title     what is measured
    map       colour map
    low, high values at its ends
    marks     values of the surfaces shown; where there is one or none, round numbers beside it
    words     texts of the marks; () for their numbers
    around    (point (3,), radius), world: the ball that the picture shows, which the bar leaves free where it can
    part      the most of the picture's height that it takes with its numbers
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
    around: tuple[tuple[float, float, float], float] | None = None
    part: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "marks", tuple(map(float, self.marks)))
        object.__setattr__(self, "words", tuple(self.words))
        if self.words and len(self.words) != len(self.marks):
            raise ShapeError(f"A legend has {len(self.marks)} marks and {len(self.words)} words; give a word for each.")

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values named beside the bar, ascending."""
        return tuple(value for value, _, _ in reversed(_marked(self)))


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
    s = frame.type_scale
    found = _sprites(replace(legend, around=None), s, frame.theme, _bar_height(legend, frame, s))
    last = found[-1].image.shape
    frame.taken.append((found[0].x, found[0].y, found[-1].x + last[1], found[-1].y + last[0]))
    return list(found)


def _bar_height(legend, frame, s):
    """Pixels of the bar: at most BAR_HEIGHT, less where it would cover what is shown."""
    m = _Measures(legend, s, frame.theme, 0)
    room = min(PART * frame.size[1], legend.part * frame.size[1] - 2 * m.margin - m.bottom)
    disc = None if legend.around is None else _disc(frame, *legend.around)
    if disc is not None:
        (x, y), radius = disc
        aside = x - (m.margin + _width(m, _marked(legend), s))
        if 0.0 < aside < radius:
            room = min(room, y - math.sqrt(radius**2 - aside**2) - m.margin - m.bottom)
    return max(24, round(max(SHORTEST * s, min(BAR_HEIGHT * s, room))))


def _disc(frame, point, radius):
    """((x, y), radius) in pixels of a ball in the picture, about; None if the eye is within it or it is behind."""
    place = frame.project(point)
    if place is None:
        return None
    camera, smaller = frame.camera, min(frame.size)
    half = min(camera.half_sizes(frame.size[0] / frame.size[1]))
    if not camera.is_orthographic:
        away = float(np.linalg.norm(np.subtract(point, camera.eye)))
        if away <= radius:
            return None
        half *= math.sqrt(away**2 - radius**2)
    return place[:2], radius / half * smaller / 2.0


def _marked(legend):
    """(value, text, opacity) of each mark and number, the highest first."""
    span = legend.high - legend.low
    words = legend.words or [None] * len(legend.marks)
    shown = [(v, w) for v, w in zip(legend.marks, words, strict=True) if legend.low <= v <= legend.high]
    values = sorted(v for v, _ in shown)
    gap = min((b - a for a, b in zip(values, values[1:], strict=False)), default=span) or 1.0
    # A moving level may be 1e-16 where it should be 0: it is labelled 0.
    found = [(v, w or text.number(v if abs(v) > 1e-6 * span else 0.0, gap), MARK) for v, w in shown]
    if len(shown) < 2 and not legend.words:
        numbers = ticks(legend.low, legend.high, NUMBERS)
        faint = NUMBER if shown else MARK
        # A number that stands where the mark's does is left out.
        found += [
            (v, w, faint)
            for v, w in zip(numbers, tick_text(numbers), strict=True)
            if not any(abs(v - mark) < 0.1 * span for mark, _ in shown)
        ]
    return sorted(found, reverse=True)


def _width(m, marked, s):
    """Pixels from the bar's left to the end of title and numbers."""
    masks = [text.mask(words, text.type_size("small", s), tabular=True) for _, words, _ in marked]
    return max([m.title.shape[1], *(m.bar_width + 3 * m.pad + mask.shape[1] for mask in masks)]) + m.pad + m.border


class _Measures:
    """The colours and places of a legend's parts, in pixels from the title's upper left corner."""

    def __init__(self, legend: Legend, s: float, theme: Theme, bar_height: int):
        self.colour, self.card = srgb(theme.foreground), theme.background if legend.card else None
        self.title = text.line(legend.title, "normal", s)
        self.line = text.line("0", "small", s).shape[0]
        self.pad, self.margin = round(PAD * s), round(MARGIN * s)
        self.border = self.pad if legend.card else 0
        self.bar_width, self.bar_height = max(3, round(BAR_WIDTH * s)), bar_height
        # (bar_height, 1, 3) sRGB from the highest value to the lowest.
        values = 1.0 - (np.arange(bar_height) + 0.5) / max(1, bar_height)
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
def _title_and_bar(legend: Legend, s: float, theme: Theme, bar_height: int, right: int) -> tuple[Sprite, Sprite]:
    """The sprites of a legend's title and bar; `right` is the right end of the title's sprite."""
    m = _Measures(legend, s, theme, bar_height)
    title = (m.title, m.colour, 0, 0, 0.85)
    bar = (np.ones((m.bar_height, m.bar_width)), m.bar, 0, m.top, 1.0)
    return (
        m.sprite(-m.border, right, m.start, [title], -m.border),
        m.sprite(m.start, m.bar_width, m.bottom, [title, bar], -m.border),
    )


# Cached, since a live view asks for the same sprites in every frame.
@lru_cache(maxsize=4)
def _sprites(legend: Legend, s: float, theme: Theme, bar_height: int) -> tuple[Sprite, ...]:
    m, size, span = _Measures(legend, s, theme, bar_height), text.type_size("small", s), legend.high - legend.low
    # The lowest value is at the bottom, but labels are placed from the top.
    marks = _marked(legend)
    masks = [text.mask(words, size, tabular=True) for _, words, _ in marks]
    ys = [m.top + (1 - (v - legend.low) / (span or 1.0)) * m.bar_height for v, _, _ in marks]
    places = spread(ys, round(size * 1.25), m.top, m.top + m.bar_height)
    right = _width(m, marks, s)
    bare = replace(legend, marks=(), words=())
    still = _title_and_bar(bare, s, theme, bar_height, right if legend.card else m.title.shape[1])
    tick, start, end = max(1, round(s)), m.bar_width + 2, m.bar_width + 2 * m.pad
    rows = [int(np.clip(round(y), m.top, m.top + m.bar_height - tick)) for y in ys]
    line = np.ones((tick, m.bar_width))
    parts: list[tuple] = [(m.title[:, m.bar_width :], m.colour, m.bar_width, 0, 0.85)]
    parts += [(line, m.bar[row - m.top :][:tick], 0, row, 1.0) for row in rows]
    # Only marks go across the bar; a number beside one has no surface.
    parts += [
        (line, m.colour, 0, row, 0.9) for row, (_, _, strength) in zip(rows, marks, strict=True) if strength == MARK
    ]
    for row, place, mask, (_, _, strength) in zip(rows, places, masks, marks, strict=True):
        if place is not None:
            for x in range(start, end):
                y = round(row + (round(place) - row) * (x - start) / max(1, end - start))
                parts.append((line[:, :1], m.colour, x, y, 0.5 * strength))
            parts.append((mask, m.colour, end + round(3 * s), round(place - mask.shape[0] / 2), strength))
    return *still, m.sprite(m.start, right, m.bottom, parts, m.bar_width)
