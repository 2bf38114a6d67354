"""The layout of a sheet: cells with thin gutters between them, and labels around them."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from engine.draw.colour import srgb
from engine.draw.frame import THEMES
from engine.draw.words import text

# The type size as a part of a cell's side, with its limits in pixels. It grows a little with the number of cells in a
# row, because a large sheet is usually shown at the size of a small one.
TYPE, TYPE_MIN, TYPE_MAX, TYPE_GROWTH = 0.036, 10.0, 96.0, 0.2
TITLE = 4.0 / 3.0
# Before labels are rotated or left out, they are made smaller by this factor, but not below so many pixels.
SHRUNK, LEGIBLE = 0.75, 9.0
GUTTER = 0.012
# Opacity of the labels and of the titles.
VALUES, TITLES = 0.85, 0.6

# An axis' title, and its labels.
Titled = tuple[str, list[str]]


@dataclass(frozen=True)
class PlacedText:
    """A line of text on the sheet.

    mask       (H, W) float32 coverage
    x, y       its top left corner, pixels
    strength   opacity
    """

    mask: np.ndarray
    x: int
    y: int
    strength: float


@dataclass(frozen=True)
class SheetLayout:
    """A sheet's layout.

    size    (width, height) in pixels
    cell    (width, height) of a cell
    places  (x, y) of each cell's top left corner, row by row
    labels  the PlacedTexts outside the cells
    type    pixels of the labels' type
    """

    size: tuple[int, int]
    cell: tuple[int, int]
    places: tuple[tuple[int, int], ...]
    labels: tuple[PlacedText, ...]
    type: float = TYPE_MIN


def lay_out(
    cell: tuple[int, int], columns: Titled, rows: Titled | None = None, *, wrap: int | None = None, title: str = ""
) -> SheetLayout:
    """The SheetLayout for labelled columns and rows.

    cell      (width, height) in pixels
    columns   (title, labels)
    rows      the same, or None
    wrap      cells in a row of a sheet without rows; each cell then has its label above it
    """
    width, height = cell
    gutter = max(1, round(GUTTER * min(cell)))
    labels = columns[1]
    across = min(wrap, len(labels)) if wrap else len(labels)
    down = -(-len(labels) // across) if wrap else len(rows[1]) if rows else 1
    size = TYPE * math.sqrt(width * height) * max(across, down) ** TYPE_GROWTH
    size = min(max(size, TYPE_MIN), TYPE_MAX)
    gap = 0.6 * size
    over = _above(labels, width + gutter - gap, width + gutter, size, across, can_rotate=not wrap)
    left = _beside(rows[1], height + gutter, over.size, limit=_longest(across * width, size)) if rows else None

    # From the left, and from the top: margin, title, the axis' title, its labels, the cells.
    margin = round(0.9 * size)
    line = text.mask("0", size).shape[0]
    x = y = margin
    if left:
        x += (line + round(0.2 * size) if rows and rows[0] else 0) + left.extent + round(0.45 * size)
    # Labels that are wider than their column must stay to the right of the rows' title.
    x = max(x, over.overhang(width) + (margin + line if rows and rows[0] else margin // 2))
    if title:
        y += text.mask("0", TITLE * size).shape[0] + round(0.4 * size)
    if columns[0]:
        y += line + round(0.1 * size)
    top = y
    caption = over.extent + round(0.3 * size) if any(labels) else 0
    y += caption + (max(0, left.height - height) // 2 if left else 0)
    pitch = (width + gutter, height + gutter + (caption + round(0.3 * size) if wrap else 0))
    grid = (across * pitch[0] - gutter, (down - 1) * pitch[1] + height)
    page = (x + grid[0] + max(margin, over.overhang(width) + margin // 2), y + grid[1] + margin)

    written = []
    if title:
        # On a narrow sheet the title is made as small as the labels before it is cut.
        room = page[0] - 2 * margin
        fits = [f for f in (TITLE, 1.15, 1.0) if text.mask(title, f * size, tabular=True).shape[1] <= room]
        written.append(_centred(_fitted(title, (fits or [1.0])[0] * size, room), x + grid[0] / 2, margin, page, 1.0))
    if columns[0]:
        mask = _fitted(columns[0], size, page[0] - 2 * margin)
        written.append(_centred(mask, x + grid[0] / 2, top - line - round(0.1 * size), page, TITLES))
    for k, mask in over.masks.items():
        row, column = divmod(k, across)
        middle = x + column * pitch[0] + width / 2
        # Rotated labels end at their cell; horizontal ones are on one baseline.
        below = y + row * pitch[1] - round(0.3 * size)
        written.append(PlacedText(mask, round(middle - mask.shape[1] / 2), below - mask.shape[0], VALUES))
    if rows and left:
        for k, mask in left.masks.items():
            middle = y + k * pitch[1] + height / 2
            right = x - round(0.45 * size) - mask.shape[1]
            written.append(PlacedText(mask, right, round(middle - mask.shape[0] / 2), VALUES))
        if rows[0]:
            # Centred on the cells, if it fits between the columns' title and the page's end.
            mask = np.rot90(_fitted(rows[0], size, page[1] - margin - top))
            at = min(max(y + grid[1] / 2 - mask.shape[0] / 2, top), page[1] - margin - mask.shape[0])
            written.append(PlacedText(mask, margin, round(at), TITLES))
    count = len(labels) if wrap else across * down
    places = tuple((x + k % across * pitch[0], y + k // across * pitch[1]) for k in range(count))
    return SheetLayout(page, (width, height), places, tuple(written), over.size)


def drawn(sheet: SheetLayout, theme: str) -> np.ndarray:
    """The sheet with its labels and empty cells: (H, W, 4) uint8, opaque.

    theme   a key of THEMES
    """
    background, foreground = (255 * srgb(colour) for colour in (THEMES[theme].background, THEMES[theme].foreground))
    width, height = sheet.size
    page = np.empty((height, width, 4), np.uint8)
    page[...] = (*np.round(background).astype(np.uint8), 255)
    for label in sheet.labels:
        h, w = label.mask.shape
        y, x = max(0, label.y), max(0, label.x)
        part = page[y : label.y + h, x : label.x + w, :3]
        mask = label.mask[y - label.y :, x - label.x :][: part.shape[0], : part.shape[1], None] * label.strength
        part[...] = np.round(part * (1.0 - mask) + foreground * mask)
    return page


# Labels that do not overlap.


@dataclass(frozen=True)
class _Labels:
    """Labels that fit: {number of the column or row: mask}.

    size     of their type, in pixels
    extent   pixels that the labels need between the cells and the margin
    height   of one label as it is drawn, in pixels
    """

    masks: dict[int, np.ndarray]
    size: float
    extent: int
    height: int

    def overhang(self, width: int) -> int:
        """Pixels by which the widest label exceeds its cell at each side."""
        widest = max((mask.shape[1] for mask in self.masks.values()), default=0)
        return max(0, -(-(widest - width) // 2))


def _above(labels: list[str], room: float, pitch: float, size: float, across: int, *, can_rotate: bool) -> _Labels:
    """Labels over columns: horizontal; if too wide smaller, then rotated, then only every second, fifth, tenth ..."""
    smaller = max(SHRUNK * size, min(LEGIBLE, size))
    for type_size in (size, smaller):
        masks = _masks(labels, type_size)
        if _widest(masks) <= room:
            return _Labels(dict(enumerate(masks)), type_size, _height(masks), _height(masks))
    if can_rotate and _height(masks) <= pitch:
        rotated = [np.rot90(mask) for mask in _masks(labels, smaller, _longest(pitch * across, size))]
        extent = max(mask.shape[0] for mask in rotated)
        return _Labels(dict(enumerate(rotated)), smaller, extent, extent)
    if not can_rotate and room >= 4 * smaller:
        # Captions of single cells are shortened to the width of their cell.
        masks = _masks(labels, smaller, room)
        return _Labels(dict(enumerate(masks)), smaller, _height(masks), _height(masks))
    masks = _masks(labels, smaller, _longest(0, size))
    every = _every(_widest(masks) + pitch - room, pitch)
    shown = {k: mask for k, mask in enumerate(masks) if k % across % every == 0}
    return _Labels(shown, smaller, _height(masks), _height(masks))


def _beside(labels: list[str], pitch: float, size: float, limit: float) -> _Labels:
    """Labels left of rows: all if a line is not higher than a row, else every second, fifth, tenth ..."""
    masks = _masks(labels, size, limit)
    every = _every(_height(masks), pitch)
    shown = {k: mask for k, mask in enumerate(masks) if k % every == 0}
    return _Labels(shown, size, _widest(masks), _height(masks))


def _every(needed: float, pitch: float) -> int:
    """The first n of 1, 2, 5, 10, 20 ... for which n * pitch >= needed."""
    return next(
        few * 10**power for power in itertools.count() for few in (1, 2, 5) if few * 10**power * pitch >= needed
    )


def _longest(length: float, size: float) -> float:
    """The most pixels of a label before it is shortened: more on a large sheet."""
    return max(10.0 * size, min(0.4 * length, 24.0 * size))


def _masks(labels: list[str], size: float, limit: float = math.inf) -> list[np.ndarray]:
    return [_fitted(label, size, limit) for label in labels]


def _widest(masks: list[np.ndarray]) -> int:
    return max((mask.shape[1] for mask in masks), default=0)


def _height(masks: list[np.ndarray]) -> int:
    return max((mask.shape[0] for mask in masks), default=0)


def _fitted(words: str, size: float, limit: float = math.inf) -> np.ndarray:
    """The mask of a line, no wider than a limit: its middle is cut out, since names often differ at their ends."""
    mask = text.mask(words, size, tabular=True)
    count = len(words) - 1
    while mask.shape[1] > limit and count > 1:
        # The number of letters is estimated first, then reduced one by one.
        count = max(1, min(count - 1, int(count * (limit / mask.shape[1]) + 2)))
        head = -(-count // 2)
        cut = words[:head].rstrip() + "…" + words[len(words) - (count - head) :].lstrip()
        mask = text.mask(cut, size, tabular=True)
    return mask


def _centred(mask: np.ndarray, middle: float, y: int, page: tuple[int, int], strength: float) -> PlacedText:
    x = round(middle - mask.shape[1] / 2)
    return PlacedText(mask, max(0, min(x, page[0] - mask.shape[1])), y, strength)
