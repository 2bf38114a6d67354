"""Blocks of neurons in rows, to be told apart: as large as their maps, as deep as their channels, wrapped like text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.cloud.cloud_layout import JITTER, RADIUS, BlockLayout, checked, split

# The side of the largest map, to which everything is relative.
SIDE = 100.0
# A map's side goes with the root of its rows' number, a block's depth with a power of its channels'.
LEAST_SIDE, DEEPEST, LEAST_DEEP, DEEP = 0.22, 0.42, 0.12, 0.75
# The sides of a pooled vector and of the classes; gaps before a block: of both sides, of SIDE, and more before classes.
VECTOR, CLASSES, GAP, AIR, LAST = 0.3, 0.8, 0.22, 0.1, 0.4
# From the picture to the first block; from one row to the next; from a block down to its name.
BEFORE, BELOW, NAMED = 0.4, 0.42, 0.07
# A dot's width relative to the distance to its neighbour, when it is of the normal size: of maps, vectors and classes.
FULL = {"features": 0.9, "pooled": 0.7, "classes": 0.55}
# The usual size of a dot of each look.
USUAL = {"features": 1.5, "pooled": 1.5, "classes": 3.0}
# Of several rows the first begins so much later, relative to their length, as a paragraph's does.
INDENT = 0.15
# Several rows must make everything larger than one row, by this power of two.
FEW = 0.6
# Factors of the gaps between blocks in several rows, where these are not as wide as the picture; and what they count.
WIDER, APART = (1.0, 1.3, 1.6), 0.3
# The width over height of a wide picture below its legend, for which rows are wrapped.
WIDE = 2.2


@dataclass(frozen=True)
class CloudRows:
    """Where everything stands; the middle of all is the origin.

    layouts   the BlockLayout of each block
    rows      [(first, end)] numbers of the blocks of each row
    front     (3,) the middle of the picture, before the first block; None without one
    links     (N, 2, 3) segments that lead from the end of each row to the beginning of the next
    """

    layouts: tuple[BlockLayout, ...]
    rows: tuple[tuple[int, int], ...]
    front: tuple[float, float, float] | None
    links: np.ndarray


def named(layouts: Sequence[BlockLayout]) -> np.ndarray:
    """(blocks, 3) where the names of blocks begin: below their nearer sides."""
    places = []
    for layout in layouts:
        (x, y, z), (w, h, d) = layout.origin, layout.size
        places.append((x + w, y - h - NAMED * SIDE, z - d / 2))
    return np.array(places)


def in_rows(
    shapes: Sequence[tuple[int, int, int]], looks: Sequence[str], towards: ArrayLike, *, front: bool = True,
    most: int = 12, wide: float = WIDE,
) -> CloudRows:  # fmt: skip
    """The CloudRows of blocks, in as many rows as let them be largest in a picture.

    shapes    (C, H, W) of each; (C, 1, 1) are vectors
    looks     "features", "pooled" or "classes" for each
    towards   (3,) the direction to the eye
    front     whether a picture stands before the first block
    most      rows
    wide      the picture's width over its height

    Raises ShapeError for a block without neurons.
    """
    checked(shapes)
    largest = max(max(shape[1:]) for shape in shapes)
    channels = max(shape[0] for shape in shapes)
    made = [_block(shape, look, largest, channels) for shape, look in zip(shapes, looks, strict=True)]
    gaps = [_gap(a, b, look) for a, b, look in zip(made, made[1:], looks[1:], strict=False)]
    gaps = [BEFORE * SIDE + max(made[0].size[0], SIDE) / 4 if front else 0.0, *gaps]
    right, up = _screen(np.asarray(towards, float))
    # No more rows than make each at least as long as it is high.
    tried = {
        (count, wider): _wrapped(made, [wider * gap for gap in gaps], count, front)
        for count in range(1, min(len(made), most) + 1)
        for wider in ((1.0,) if count == 1 else WIDER)
    }
    return tried[max(tried, key=lambda k: _scale(tried[k], right, up, wide) / min(k[0], 2) ** FEW * k[1] ** APART)]


def _block(shape, look, largest, most):
    """The BlockLayout of a block at the origin."""
    channels, height, width = shape
    if (height, width) == (1, 1):
        side = ceil(channels ** (1 / (2 if look == "classes" else 3)))
        pitch = (CLASSES * min(1.0, (side / 12) ** 0.5) if look == "classes" else VECTOR) * SIDE / side
        layers = ceil(channels / side**2)
        size = ((side - 1) * pitch, (side - 1) * pitch, (layers - 1) * pitch)
        return BlockLayout(
            (0.0, 0.0, 0.0), pitch, deep=pitch, jitter=0.0, grid=(side, side), size=size, dot=_dot(pitch, look)
        )
    b0, b1 = split(channels)
    step = SIDE * max(LEAST_SIDE, (max(height, width) / largest) ** 0.5) / max(height, width)
    # A map of one column is a wall rather than a thread.
    offset = (max(step, 0.12 * step * height if width == 1 else 0.0) / b0, step / b1)
    layers = ceil(channels / (b0 * b1))
    deep = SIDE * DEEPEST * max(LEAST_DEEP, (channels / most) ** DEEP) / max(layers - 1, 1)
    size = ((width - 1) * step + (b0 - 1) * offset[0], (height - 1) * step + (b1 - 1) * offset[1], (layers - 1) * deep)
    dot = _dot((step * step / (b0 * b1)) ** 0.5, look)
    return BlockLayout(
        (0.0, 0.0, 0.0), step, (b0, b1), offset, deep, JITTER * deep if layers > 1 else 0.0, size=size, dot=dot
    )


def _dot(pitch, look):
    return FULL[look] * pitch / (2.0 * RADIUS * USUAL[look])


def _gap(one, other, look):
    """The distance from a block to the next one."""
    sides = (max(one.size[:2]) + max(other.size[:2])) / 2
    return GAP * sides + AIR * SIDE + (LAST * SIDE if look == "classes" else 0.0)


def _wrapped(made, gaps, count, front):
    """The CloudRows of blocks in so many rows, each about as long."""
    lengths = [gap + layout.size[2] + AIR * SIDE for gap, layout in zip(gaps, made, strict=True)]
    indent = INDENT * sum(lengths) / count if count > 1 else 0.0
    lengths[0] += 2 * indent
    ends = np.cumsum(lengths) - np.array(lengths) / 2
    row = np.minimum(ends / sum(lengths) * count, count - 1).astype(int)
    rows = [(int(found[0]), int(found[-1]) + 1) for k in range(count) if len(found := np.flatnonzero(row == k))]
    placed: list[BlockLayout] = []
    y, links, spans = 0.0, [], []
    for number, (first, end) in enumerate(rows):
        high = max([layout.size[1] for layout in made[first:end]] + [SIDE] * (front and number == 0))
        y -= high / 2 + (BELOW * SIDE if number else 0.0)
        z = 0.0 if number else -indent
        for k in range(first, end):
            z -= gaps[k] if k > first or (front and k == 0) else 0.0
            placed.append(made[k].at(0.0, y, z))
            z -= made[k].size[2]
        spans.append((y, z, high))
        y -= high / 2
    for (y0, z0, high), (y1, _, below), (first, _) in zip(spans, spans[1:], rows[1:], strict=False):
        between = (y0 - high / 2 + y1 + below / 2) / 2
        out, back = z0 - 0.15 * SIDE, placed[first].origin[2] + 0.15 * SIDE
        path = [(y0, z0), (y0, out), (between, out), (between, back), (y1, back), (y1, placed[first].origin[2])]
        links += [((0.0, *a), (0.0, *b)) for a, b in zip(path, path[1:], strict=False)]
    there = (0.0, spans[0][0], -indent) if front else None
    points = _points(placed, there)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    shift = np.array((0.0, *middle[1:]))
    moved = tuple(replace(layout, origin=tuple((layout.origin - shift).tolist())) for layout in placed)
    before = None if there is None else tuple((there - shift).tolist())
    return CloudRows(moved, tuple(rows), before, np.array(links).reshape(-1, 2, 3) - shift)


def _points(layouts, front):
    """(N, 3) points that hold all boxes, and the picture."""
    found = [layout.corners(layout.jitter) for layout in layouts]
    if front is not None:
        found.append(np.array(front) + SIDE / 2 * np.array([(x, y, 0.0) for x in (-1, 1) for y in (-1, 1)]))
    return np.concatenate(found)


def _screen(towards):
    """The two directions, (3,) each, to the right and upwards in a picture, seen from a direction."""
    right = np.cross((0.0, 1.0, 0.0), towards)
    right = right / np.linalg.norm(right)
    up = np.cross(towards, right)
    return right, up / np.linalg.norm(up)


def _scale(rows, right, up, most):
    """How large rows are in a picture of a width over height that holds them."""
    points = _points(rows.layouts, rows.front)
    wide, high = (np.ptp(points @ axis) for axis in (right, up))
    return min(most / max(wide, 1e-9), 1.0 / max(high, 1e-9))
