"""A legend: what the colours mean, at the picture's left edge."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.draw.colour import colours
from engine.draw.words import text
from engine.draw.words.label import SIZES, Sprite

# Rows of a legend that are drawn at a time.
ROWS = 512


@dataclass(frozen=True)
class Legend:
    """A bar of a colour map with its ends, and marks where surfaces stand.

    title     what is measured
    map       colour map
    low, high values at its ends
    marks     values of the surfaces shown
    words     texts of the marks, where numbers do not say it; () for the numbers
    card      True for a legend over an image: on a card of the background's colour, with the whole map
    """

    title: str
    map: str
    low: float
    high: float
    marks: tuple = ()
    words: tuple = ()
    card: bool = False

    def __post_init__(self):
        object.__setattr__(self, "marks", tuple(map(float, self.marks)))
        object.__setattr__(self, "words", tuple(self.words))


def blend(image, mask, colour, x, y, opacity=1.0):
    """Lays a mask in an sRGB colour over a premultiplied float image, clipped to it."""
    h, w = image.shape[:2]
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(w, x + mask.shape[1]), min(h, y + mask.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = mask[y0 - y : y1 - y, x0 - x : x1 - x, None] * opacity
    image[y0:y1, x0:x1, :3] = image[y0:y1, x0:x1, :3] * (1 - part) + np.asarray(colour) * part
    image[y0:y1, x0:x1, 3:] = image[y0:y1, x0:x1, 3:] * (1 - part) + part


def srgb(colour):
    """sRGB in [0, 1] of linear RGB."""
    c = np.clip(np.asarray(colour, float), 0, 1)
    return np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055)


def spread(ys, gap, low, high):
    """Places for labels near ys (ascending), at least gap apart and within bounds; None for those left out."""
    room = int((high - low) / gap) + 1
    # Too many for the bar: every n-th is kept.
    step = max(1, -(-len(ys) // room))
    kept = list(ys[::step])
    for i in range(1, len(kept)):
        kept[i] = max(kept[i], kept[i - 1] + gap)
    ceiling = high
    for i in range(len(kept) - 1, -1, -1):
        kept[i] = min(kept[i], ceiling)
        ceiling = kept[i] - gap
    places = [None] * len(ys)
    places[::step] = kept
    return places


def legend_sprite(legend, frame):
    """The legend as a Sprite for a frame."""
    return _sprite(legend, frame.scale, frame.theme)


# A live view asks for the same one frame after frame.
@lru_cache(maxsize=2)
def _sprite(legend, s, theme):
    ink = srgb(theme.ink)
    bar_width, bar_height = max(3, round(9 * s)), max(24, round(190 * s))
    size = max(6.0, SIZES["small"] * s)
    pad, gap = round(8 * s), round(size * 1.25)
    title = text.mask(legend.title, max(6.0, SIZES["normal"] * s))
    # Lowest value at the bottom; labels are spread from the top.
    told = legend.words or [None] * len(legend.marks)
    told = sorted(
        ((m, t) for m, t in zip(legend.marks, told, strict=True) if legend.low <= m <= legend.high), reverse=True
    )
    marks = [m for m, _ in told]
    # A level that swings passes 0 within rounding; 1e-16 is no label.
    least = 1e-6 * (legend.high - legend.low)
    masks = [text.tabular(t or text.number(m if abs(m) > least else 0.0), size) for m, t in told]
    line = text.mask("0", size).shape[0]
    width = max([title.shape[1]] + [bar_width + 3 * pad + m.shape[1] for m in masks]) + pad
    top = title.shape[0] + pad
    height = top + bar_height + line
    where = 1.0 - (np.arange(bar_height) + 0.5) / bar_height
    kind = "image" if legend.card else theme.name if theme.name in ("dark", "paper") else "dark"
    bar = np.ones((bar_height, bar_width, 4))
    bar[..., :3] = srgb(colours(legend.map, kind, where))[:, None]
    span = legend.high - legend.low
    ys = [top + (1 - (m - legend.low) / span) * bar_height for m in marks]
    places = spread(ys, gap, top, top + bar_height)
    tick = max(1, round(s))

    def draw(image, left, down):
        """The legend, moved by so many pixels, on an image that may be a part of it."""
        blend(image, title, ink, left, down, 0.85)
        _put(image, bar, left, down + top)
        for y, place, mask in zip(ys, places, masks, strict=True):
            row = int(np.clip(round(y), top, top + bar_height - tick))
            blend(image, np.ones((tick, bar_width)), ink, left, down + row, 0.9)
            if place is None:
                continue
            start, end = (bar_width + 2, row), (bar_width + 2 * pad, round(place))
            for x in range(start[0], end[0]):
                y_line = round(start[1] + (end[1] - start[1]) * (x - start[0]) / max(1, end[0] - start[0]))
                blend(image, np.ones((tick, 1)), ink, left + x, down + y_line, 0.45)
            blend(image, mask, ink, left + bar_width + 2 * pad + round(3 * s),
                  down + round(place - mask.shape[0] / 2), 0.9)  # fmt: skip

    border = pad if legend.card else 0
    margin = round(22 * s) - border
    data = np.empty((height + 2 * border, width + 2 * border, 4), np.uint8)
    # On a great print the legend has millions of pixels: as numbers of eight bytes only a part is held at a time.
    for y in range(0, len(data), ROWS):
        image = np.zeros((min(ROWS, len(data) - y), *data.shape[1:]))
        draw(image, border, border - y)
        if legend.card:
            _lay_on_card(image, srgb(theme.background))
        data[y : y + ROWS] = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Sprite(data, margin, margin)


def _put(image, part, x, y):
    """Copies a part into an image, clipped to its rows."""
    y0, y1 = max(0, y), min(len(image), y + len(part))
    if y0 < y1:
        image[y0:y1, x : x + part.shape[1]] = part[y0 - y : y1 - y]


def _lay_on_card(image, colour):
    """Puts a background under a premultiplied image that lets a little of the picture through."""
    card, opacity = np.append(colour, 1.0), 0.8
    image += (1.0 - image[..., 3:]) * opacity * card
