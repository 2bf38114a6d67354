"""A key to kinds of lines and to colours, on a card in a corner of the picture or beside what it shows."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.draw.colour import RGB, colours, srgb
from engine.draw.frame import Frame
from engine.draw.spots import edge_of
from engine.draw.words import text
from engine.draw.words.composite import Card, Composite
from engine.vector.page import hexadecimal

# Pixels in a picture 720 high.
SAMPLE, PATCH, PAD, GAP, WIDTH = 34.0, 20.0, 10.0, 8.0, 2.6


@dataclass(frozen=True)
class KeyRow:
    """A sample and its name.

    colour   linear RGB
    dash     lengths of line and gap in widths of the line; () for a solid line
    kind     `line`, `patch` (a ground of the colour), `dot` (as Spots draws it), `ramp` (a colour map) or `none`
    map      the colour map of a ramp, untrimmed
    """

    words: str
    colour: RGB = (0.0, 0.0, 0.0)
    dash: tuple[float, ...] = ()
    kind: str = "line"
    map: str = "grey"

    @property
    def css(self) -> str:
        """The colour as `#rrggbb`."""
        return hexadecimal(np.round(255 * np.asarray(srgb(self.colour)))[None])[0]


class Key(Card):
    """Samples of lines and colours, each with its name.

    rows     KeyRows; without rows nothing is drawn
    beside   (low, high), (2,) each, world: a rectangle on z = 0; where the picture has room to the right of it, the
             rows stand there, one below the other. Else they leave the numbers below it free: they stand below these,
             above the rectangle, or in its corner. None: always at the lower right
    above    whether they may stand above the rectangle, where nothing else is written
    """

    # Small, since the key stands in the margin at the bottom right; a window's status line is at the left.
    margin = 3.0

    def __init__(self, rows: Iterable[KeyRow] = (), *, name: str | None = None):
        super().__init__(name)
        self.rows = tuple(rows)
        self.beside: tuple[np.ndarray, np.ndarray] | None = None
        self.above = True

    def contents(self) -> tuple:
        return self.rows

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        corner = self._corner(frame)
        if corner is None:
            super().overlay(frame, world)
        else:
            frame.take(self.image(frame), *corner)

    def _corner(self, frame):
        """(x, y) of the card's upper left corner beside the rectangle; None where there is no room for it."""
        corners = [frame.project((*end, 0.0)) for end in self.beside or ()]
        if None in corners or not corners or not self.rows:
            return None
        (left, _, _), (right, top, _) = corners
        gap, (width, height) = round(GAP * frame.type_scale), self._column(frame)[1]
        fits = right + 2 * gap + width <= frame.size[0] and top >= 0 and top + height <= frame.size[1]
        return (right + gap, top) if fits and left >= 0 else None

    def _corners(self, frame, wide, high):
        found = super()._corners(frame, wide, high)
        ends = [frame.project((*end, 0.0)) for end in self.beside or ()]
        if not ends or None in ends:
            return found
        (_, bottom, _), (right, top, _) = ends
        numbers = bottom + GAP * frame.type_scale + text.line("0", "small", frame.type_scale).shape[0]
        if bottom >= frame.size[1]:
            return found  # The rectangle goes on beyond the picture.
        free = [(x, y) for x, y in found if y >= numbers or (self.above and y >= 0 and y + high <= top)]
        edge = round(self.margin * frame.type_scale)
        return [*free, (max(0, min(right, frame.size[0]) - wide - edge), bottom - high - edge)]

    def _column(self, frame):
        """(places of the rows, size) of a card with one row below the other."""
        s = frame.type_scale
        masks = [text.line(row.words, "small", s) for row in self.rows]
        line, pad = round(masks[0].shape[0] * 1.2), round(PAD * s)
        wide = round(SAMPLE * s) + round(GAP * s) + max(mask.shape[1] for mask in masks)
        return [(0, k * line) for k in range(len(masks))], (wide + 2 * pad, line * len(masks) + pad)

    def composite(self, frame: Frame, upright: bool = False) -> Composite:
        """The card: beside the rectangle one row below the other; else side by side, in as few lines as fit.

        upright   True for one row below the other in any case
        """
        s, theme = frame.type_scale, frame.theme
        pad, gap = round(PAD * s), round(GAP * s)
        masks = [text.line(row.words, "small", s) for row in self.rows]
        line = round(masks[0].shape[0] * 1.2)
        if upright or self._corner(frame) is not None:
            samples = [round(SAMPLE * s)] * len(masks)
            places, size = self._column(frame)
        else:
            # In lines as wide as the picture, where patches are shorter than lines.
            samples = [round((SAMPLE if row.kind == "line" else PATCH) * s) for row in self.rows]
            widths = [sample + gap + mask.shape[1] for sample, mask in zip(samples, masks, strict=True)]
            room = frame.size[0] - 2 * pad - 2 * round(self.margin * s)
            places, size = _balanced(widths, round(1.5 * gap), line, room)
            size = size[0] + 2 * pad, size[1] + pad
        composite = Composite(size[0], size[1], theme.background, 0.86)
        for (x, y), row, mask, sample in zip(places, self.rows, masks, samples, strict=True):
            for shape, colour in _sample(row, sample, max(1.0, WIDTH * s), line, theme):
                composite.add(shape, colour, pad + x, pad // 2 + y)
            middle = pad // 2 + y + line / 2
            composite.add(mask, srgb(theme.foreground), pad + x + sample + gap, round(middle - mask.shape[0] / 2))
        return composite


def _lines(widths, gap, line, room):
    """(places, size) of rows that are set one after the other in lines of a width."""
    places, x, y, longest = [], 0, 0, 0
    for width in widths:
        if x and x + width > room:
            x, y = 0, y + line
        places.append((x, y))
        x, longest = x + width + gap, max(longest, x + width)
    return places, (longest, y + line)


def _balanced(widths, gap, line, room):
    """The `_lines` of the least width of sixteen up to `room` that are no more than in all of it."""
    found = [_lines(widths, gap, line, room * part / 16) for part in range(1, 17)]
    return next(tried for tried in found if tried[1][1] <= found[-1][1][1])


def _sample(row, length, width, height, theme):
    """(mask (height, length), sRGB colours) of a row's sample, in the order in which they are laid."""
    if row.kind == "none":
        return []
    if row.kind == "line":
        return [(_stroke(row.dash, length, width, height), srgb(row.colour))]
    across, down = np.abs(np.arange(length) + 0.5 - length / 2), np.abs(np.arange(height) + 0.5 - height / 2)
    if row.kind == "dot":
        far, half = np.hypot(across[None], down[:, None]), 0.36 * height
        disc = lambda radius: np.clip(radius + 0.5 - far, 0.0, 1.0)
        return [(disc(half), srgb(edge_of(row.colour))), (disc(half - 0.4 * width), srgb(row.colour))]
    # A frame in the words' colour, since a patch may have the card's.
    whole, inner = (np.outer(down <= 0.36 * height - k, across <= length / 2 - k).astype(float) for k in (0, 1))
    shown = colours(row.map, "image", np.linspace(0, 1, length))[None] if row.kind == "ramp" else row.colour
    return [(whole, srgb(theme.foreground)), (inner, srgb(shown))]


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
