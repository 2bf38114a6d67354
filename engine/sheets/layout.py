"""Where everything on a sheet stands: cells that touch a thin even gutter, and the words round them."""

import math
from dataclasses import dataclass

import numpy as np

from engine.draw.frame import THEMES
from engine.draw.words import text

# Type in parts of a cell's side, and its limits in pixels: smaller cannot be read, larger shouts. It grows a little
# with the cells in a row, for a large sheet is shown no larger than a small one.
TYPE, TYPE_MIN, TYPE_MAX, TYPE_GROWTH = 0.036, 10.0, 96.0, 0.2
TITLE = 4.0 / 3.0
# Before labels are turned or left out they may shrink to this, but never below legible.
SHRUNK, LEGIBLE = 0.75, 9.0
GUTTER = 0.012
# Of the ink, over the ground.
VALUES, TITLES = 0.85, 0.6


@dataclass(frozen=True)
class Words:
    """A line of text on the sheet.

    mask       (H, W) float32 coverage
    x, y       its top left corner
    strength   of the ink
    """

    mask: np.ndarray
    x: int
    y: int
    strength: float


@dataclass(frozen=True)
class Sheet:
    """A sheet's layout.

    size    (width, height) in pixels
    cell    (width, height) of a cell
    places  (x, y) of each cell's top left corner, row by row
    words   what stands outside the cells
    """

    size: tuple
    cell: tuple
    places: tuple
    words: tuple


def lay_out(cell, columns, rows=None, *, wrap=None, title=""):
    """The Sheet for labelled columns and rows.

    cell      (width, height) in pixels
    columns   (title, labels)
    rows      the same, or None
    wrap      cells in a row, where there are no rows: each cell then has its label above it
    """
    width, height = cell
    gutter = max(1, round(GUTTER * min(cell)))
    labels = columns[1]
    across = min(wrap, len(labels)) if wrap else len(labels)
    down = -(-len(labels) // across) if wrap else len(rows[1]) if rows else 1
    size = TYPE * math.sqrt(width * height) * max(across, down) ** TYPE_GROWTH
    size = min(max(size, TYPE_MIN), TYPE_MAX)
    gap = 0.6 * size
    over = _above(labels, width + gutter - gap, width + gutter, size, across, turns=not wrap)
    left = _beside(rows[1], height + gutter, over.size, limit=_longest(across * width, size)) if rows else None

    # From the left and from the top: margin, title, the axis' title, its values, the cells.
    margin = round(0.9 * size)
    line = text.mask("0", size).shape[0]
    x = y = margin
    if left:
        x += (line + round(0.2 * size) if rows and rows[0] else 0) + left.extent + round(0.45 * size)
    # Labels wider than their column keep to the right of the rows' title.
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

    words = []
    if title:
        # On a narrow sheet the title is set as small as the words below it before it loses any of its own.
        room = page[0] - 2 * margin
        fits = [f for f in (TITLE, 1.15, 1.0) if text.tabular(title, f * size).shape[1] <= room]
        words.append(_centred(_fitted(title, (fits or [1.0])[0] * size, room), x + grid[0] / 2, margin, page, 1.0))
    if columns[0]:
        mask = _fitted(columns[0], size, page[0] - 2 * margin)
        words.append(_centred(mask, x + grid[0] / 2, top - line - round(0.1 * size), page, TITLES))
    for k, mask in over.masks.items():
        row, column = divmod(k, across)
        middle = x + column * pitch[0] + width / 2
        # Turned words begin at the cell, level ones stand on one line.
        below = y + row * pitch[1] - round(0.3 * size)
        words.append(Words(mask, round(middle - mask.shape[1] / 2), below - mask.shape[0], VALUES))
    if rows and left:
        for k, mask in left.masks.items():
            middle = y + k * pitch[1] + height / 2
            right = x - round(0.45 * size) - mask.shape[1]
            words.append(Words(mask, right, round(middle - mask.shape[0] / 2), VALUES))
        if rows[0]:
            # Beside the cells, and where they are few beside the columns' values, but never beside their title.
            mask = np.rot90(_fitted(rows[0], size, page[1] - margin - top))
            at = min(max(y + grid[1] / 2 - mask.shape[0] / 2, top), page[1] - margin - mask.shape[0])
            words.append(Words(mask, margin, round(at), TITLES))
    count = len(labels) if wrap else across * down
    places = tuple((x + k % across * pitch[0], y + k // across * pitch[1]) for k in range(count))
    return Sheet(page, (width, height), places, tuple(words))


def paint(sheet, theme):
    """The sheet without its cells: (H, W, 4) uint8, opaque.

    theme   a key of THEMES
    """
    ground, ink = (_encoded(colour) for colour in (THEMES[theme].background, THEMES[theme].ink))
    width, height = sheet.size
    page = np.empty((height, width, 4), np.uint8)
    page[...] = (*np.round(ground).astype(np.uint8), 255)
    for words in sheet.words:
        h, w = words.mask.shape
        y, x = max(0, words.y), max(0, words.x)
        part = page[y : words.y + h, x : words.x + w, :3]
        mask = words.mask[y - words.y :, x - words.x :][: part.shape[0], : part.shape[1], None] * words.strength
        part[...] = np.round(part * (1.0 - mask) + ink * mask)
    return page


def _encoded(colour):
    """sRGB 0..255 of linear RGB."""
    c = np.asarray(colour, float)
    return 255.0 * np.where(c <= 0.0031308, c * 12.92, 1.055 * np.maximum(c, 0) ** (1 / 2.4) - 0.055)


# Labels that never meet.


@dataclass(frozen=True)
class _Labels:
    """Labels as they fit: number of the column or row -> mask.

    size     of their type
    extent   pixels they take away from the cells
    height   of one as it stands
    """

    masks: dict
    size: float
    extent: int
    height: int

    def overhang(self, width):
        """Pixels by which the widest stands out of its cell, to either side."""
        widest = max((mask.shape[1] for mask in self.masks.values()), default=0)
        return max(0, -(-(widest - width) // 2))


def _above(labels, room, pitch, size, across, *, turns):
    """Labels over columns: level if they fit, then smaller, then turned, then every second, fifth, tenth ..."""
    smaller = max(SHRUNK * size, min(LEGIBLE, size))
    for type_size in (size, smaller):
        masks = _masks(labels, type_size)
        if _widest(masks) <= room:
            return _Labels(dict(enumerate(masks)), type_size, _height(masks), _height(masks))
    if turns and _height(masks) <= pitch:
        turned = [np.rot90(mask) for mask in _masks(labels, smaller, _longest(pitch * across, size))]
        extent = max(mask.shape[0] for mask in turned)
        return _Labels(dict(enumerate(turned)), smaller, extent, extent)
    if not turns and room >= 4 * smaller:
        # Captions, under each other: words are shortened to their cell.
        masks = _masks(labels, smaller, room)
        return _Labels(dict(enumerate(masks)), smaller, _height(masks), _height(masks))
    masks = _masks(labels, smaller, _longest(0, size))
    every = _every(_widest(masks) + pitch - room, pitch)
    kept = {k: mask for k, mask in enumerate(masks) if k % across % every == 0}
    return _Labels(kept, smaller, _height(masks), _height(masks))


def _beside(labels, pitch, size, limit):
    """Labels left of rows: all if a line is no higher than a row, else every second, fifth, tenth ..."""
    masks = _masks(labels, size, limit)
    every = _every(_height(masks), pitch)
    kept = {k: mask for k, mask in enumerate(masks) if k % every == 0}
    return _Labels(kept, size, _widest(masks), _height(masks))


def _every(needed, pitch):
    """1, 2, 5, 10, 20 ...: the first of them whose pitches hold what is needed."""
    power = 1
    while True:
        for few in (1, 2, 5):
            if few * power * pitch >= needed:
                return few * power
        power *= 10


def _longest(length, size):
    """Pixels a label may be long before it is shortened: more on a large sheet."""
    return max(10.0 * size, min(0.4 * length, 24.0 * size))


def _masks(labels, size, limit=math.inf):
    return [_fitted(label, size, limit) for label in labels]


def _widest(masks):
    return max((mask.shape[1] for mask in masks), default=0)


def _height(masks):
    return max((mask.shape[0] for mask in masks), default=0)


def _fitted(words, size, limit=math.inf):
    """A line's mask, no wider than a limit: what is too long loses its middle, for ends tell names apart."""
    mask = text.tabular(words, size)
    kept = len(words) - 1
    while mask.shape[1] > limit and kept > 1:
        # Towards the limit in one step, then one by one.
        kept = max(1, min(kept - 1, int(kept * (limit / mask.shape[1]) + 2)))
        head = -(-kept // 2)
        mask = text.tabular(words[:head].rstrip() + "…" + words[len(words) - (kept - head) :].lstrip(), size)
    return mask


def _centred(mask, middle, y, page, strength):
    x = round(middle - mask.shape[1] / 2)
    return Words(mask, max(0, min(x, page[0] - mask.shape[1])), y, strength)
