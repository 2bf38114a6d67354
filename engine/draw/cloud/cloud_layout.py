"""Where the neurons of a convolutional network stand in space: blocks behind each other, input in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, radians, tan

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import ShapeError

# The radius in world units of a dot of size 1. The original program's dots are size * 500 / distance pixels wide in a
# picture 600 pixels high with a field of view of 45 degrees.
RADIUS = 250 / 300 * tan(radians(45) / 2)
SPACING = 3.0  # world units between neurons of a block's depth
GAP = 32.0  # between blocks
WIDE_SPACING, WIDE_GAP = 8.0, 128.0  # spacing in vectors (an average pool), and the gap before the classes
POOL_SIDE = 12  # most neurons across and down of a pooled vector; classes stand in one square layer
JITTER = 0.5  # of the depth spacing, in each direction
# The least width of the widest block relative to the row's length, and of a block relative to the widest. Blocks of
# smaller maps are widened to that; the original program's network is not changed by this.
SLENDER, SMALL = 0.36, 0.22
# Rows by which added tokens stand above the others; also in the shader.
ABOVE = 1.5
# The most channels behind each other; blocks with more are split into sub-blocks side by side.
DEEP = 32
# An exception to the rule of `split`: 1000 classes, split evenly.
SPLITS = {1000: (5, 5)}


def split(channels: int) -> tuple[int, int]:
    """(b0, b1): how many sub-blocks of at most 32 channels interleave across and down, nearly equally many.

    The smallest sufficient b0 b1 with b0 <= b1 <= 3 b0.
    """
    if channels in SPLITS:
        return SPLITS[channels]
    needed = ceil(channels / DEEP)
    pairs = [(b0, b1) for b1 in range(1, needed + 1) for b0 in range(1, b1 + 1) if b0 * b1 >= needed and b1 <= 3 * b0]
    return min(pairs, key=lambda p: (p[0] * p[1], p[1] - p[0]))


@dataclass(frozen=True)
class BlockLayout:
    """The places of a block's neurons. Rows run downwards, columns to the right, depth away from the input, along -z.

    origin   (3,) of channel 0, row 0, column 0, before jitter
    step     between columns and between rows
    split    (b0, b1): channel c is in sub-block c % (b0 b1), at depth c // (b0 b1)
    offset   (2,) between sub-blocks, across and down
    deep     between depths
    jitter   the most by which a neuron's depth is displaced at random, world units
    grid     (columns, rows) over which a vector's channels are distributed, row by row, then depth; (0, 0) for images
    tokens   (columns, added) of a block of tokens, one in each row: `added` ones stand in a line above all
             others; (0, 0) for other blocks
    size     (3,) width, height and depth, without jitter, and without the line of added tokens
    dot      factor of the size of its dots
    """

    origin: tuple[float, float, float]
    step: float
    split: tuple[int, int] = (1, 1)
    offset: tuple[float, float] = (0.0, 0.0)
    deep: float = SPACING
    jitter: float = JITTER * SPACING
    grid: tuple[int, int] = (0, 0)
    tokens: tuple[int, int] = (0, 0)
    size: tuple[float, float, float] = (0.0, 0.0, 0.0)
    dot: float = 1.0

    def corners(self, deeper: float = 0.0, wider: float = 0.0) -> np.ndarray:
        """(8, 3) the corners of its box, which is larger by so much before and behind, and to the four sides."""
        (x, y, z), (w, h, d) = self.origin, self.size
        above = ABOVE * self.step if self.tokens[1] else 0.0
        y, h = y + above, h + above
        signs = np.array([(i & 1, i >> 1 & 1, i >> 2) for i in range(8)])
        return (x, y, z) + signs * (w, -h, -d) + (2 * signs - 1) * (wider, -wider, -deeper)

    def at(self, x: float, y: float, z: float) -> BlockLayout:
        """A copy whose box has its middle at x, y and its front at z."""
        return replace(self, origin=(x - self.size[0] / 2, y + self.size[1] / 2, z))

    def widened(self, factor: float) -> BlockLayout:
        """A copy at the origin, wider and higher by a factor."""
        return replace(
            self,
            step=self.step * factor,
            offset=(self.offset[0] * factor, self.offset[1] * factor),
            size=(self.size[0] * factor, self.size[1] * factor, self.size[2]),
        ).at(0.0, 0.0, 0.0)

    def positions(self, channel: ArrayLike, row: ArrayLike, column: ArrayLike, number: ArrayLike) -> np.ndarray:
        """(..., 3) world places.

        number   of each neuron in the cloud, which decides its jitter: 4 x the number of its vec4f + its component
        """
        channel, row, column = (np.asarray(v, np.int64) for v in (channel, row, column))
        if self.grid[0]:
            across, down = self.grid
            column, row, depth = channel % across, channel // across % down, channel // (across * down)
            sub = np.zeros_like(channel)
        else:
            subs = self.split[0] * self.split[1]
            depth, sub = channel // subs, channel % subs
        if self.tokens[0] and not self.grid[0]:
            columns, added = self.tokens
            patch = np.maximum(row - added, 0)
            column = np.where(row < added, row, patch % columns)
            row = np.where(row < added, -ABOVE, patch // columns)
        x = column * self.step + (sub // self.split[1]) * self.offset[0]
        y = row * self.step + (sub % self.split[1]) * self.offset[1]
        z = depth * self.deep + self.jitter * (2 * scattered(number) - 1)
        return np.stack(np.broadcast_arrays(self.origin[0] + x, self.origin[1] - y, self.origin[2] - z), axis=-1)


def image_layout(shape: tuple[int, int, int]) -> BlockLayout:
    """The BlockLayout of a (C, H, W) block at the origin, in interleaved sub-blocks of up to 32 channels."""
    channels, height, width = shape
    b0, b1 = split(channels)
    step, offset = SPACING * b1, (SPACING * b1 / b0, SPACING)
    size = (
        (width - 1) * step + (b0 - 1) * offset[0],
        (height - 1) * step + (b1 - 1) * offset[1],
        (ceil(channels / (b0 * b1)) - 1) * SPACING,
    )
    return BlockLayout((0.0, 0.0, 0.0), step, (b0, b1), offset, size=size).at(0.0, 0.0, 0.0)


def vector_layout(channels: int, grid: tuple[int, int]) -> BlockLayout:
    """The BlockLayout of a vector's channels over a grid, as deep as necessary, at the origin; without jitter."""
    depth = ceil(channels / (grid[0] * grid[1]))
    size = ((grid[0] - 1) * WIDE_SPACING, (grid[1] - 1) * WIDE_SPACING, (depth - 1) * WIDE_SPACING)
    return BlockLayout((0.0, 0.0, 0.0), WIDE_SPACING, deep=WIDE_SPACING, jitter=0.0, grid=grid, size=size).at(
        0.0, 0.0, 0.0
    )


def checked(shapes: Sequence[tuple[int, int, int]]) -> None:
    """Raises ShapeError for a block without neurons."""
    for k, shape in enumerate(shapes):
        if len(shape) != 3 or min(shape) < 1:
            raise ShapeError(f"Block {k} of the cloud has shape {tuple(shape)}; it needs (channels, rows, columns).")


def lay_out(
    shapes: Sequence[tuple[int, int, int]], looks: Sequence[str] | None = None, *, slender: float = SLENDER
) -> tuple[list[BlockLayout], float]:
    """([BlockLayout], the row's length): blocks one behind the other along -z, the row's middle at the origin.

    shapes   (C, H, W) of each; (C, 1, 1) are vectors
    looks    "features", "pooled" or "classes" for each; classes stand in one square layer, farther behind
    slender  the least width of the row relative to its length

    Raises ShapeError for a block without neurons.
    """
    looks = looks or ["features"] * len(shapes)
    checked(shapes)
    made = []
    for shape, look in zip(shapes, looks, strict=True):
        if look == "classes" or shape[1:] == (1, 1):
            side = ceil(shape[0] ** 0.5)
            side = side if look == "classes" else min(side, POOL_SIDE)
            made.append(vector_layout(shape[0], (side, side)))
        else:
            made.append(image_layout(shape))
    gaps = [0.0, *(WIDE_GAP if look == "classes" else GAP for look in looks[1:])]
    length = sum(gaps) + sum(layout.size[2] for layout in made)
    placed, z = [], length / 2
    for gap, layout in zip(gaps, _widened(made, slender * length), strict=True):
        z -= gap
        placed.append(layout.at(0.0, 0.0, z))
        z -= layout.size[2]
    return placed, length


def _widened(layouts, least):
    """The BlockLayouts, widened so that the widest is at least this wide, and the others at least SMALL of it."""
    sides = [max(layout.size[:2]) for layout in layouts]
    widest = max(sides)
    if not widest:
        return layouts
    whole = max(1.0, least / widest)
    return [
        layout.widened(whole * max(1.0, SMALL * widest / side)) if side else layout
        for layout, side in zip(layouts, sides, strict=True)
    ]


def scattered(number: ArrayLike) -> np.ndarray:
    """Pseudo-random numbers in [0, 1) of whole numbers: PCG's output function (O'Neill 2014)."""
    v = np.asarray(number, np.uint64) & 0xFFFFFFFF
    s = (v * 747796405 + 2891336453) & 0xFFFFFFFF
    q = (((s >> ((s >> np.uint64(28)) + np.uint64(4))) ^ s) * 277803737) & 0xFFFFFFFF
    # 24 bits, which float32 represents exactly.
    return (((q >> np.uint64(22)) ^ q) >> np.uint64(8)).astype(float) / 2**24
