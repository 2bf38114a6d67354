"""Where blocks, their names, the picture before them and the one behind them stand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

import engine
from engine import cloud_layout, cloud_rows
from scenes.activations import unet

# The angle by which pictures are turned from the blocks to the viewer, in degrees, and their distance from the blocks.
FACING, BEFORE = 32.0, 0.6
# The original's distances from the picture to the first block, from a block to its name; the largest side of the
# picture, relative to the row; a network of so many neurons has dots of normal size, smaller ones larger dots.
ORIGINAL_BEFORE, BELOW, MOST_FRONT, MANY = 90.0, 14.0, 0.27, 2.7e6
# The least width of a block shown alone in the original's layout, relative to its depth.
BLOCK = 1.4
# Opacity of the frames' lines, and of the lines that lead from row to row.
FRAME, LINK = {"dark": 0.34, "paper": 0.5, "clear": 0.6}, 0.22
# What is below the legend is so much wider, relative to its height, than the picture; in pictures narrower than this a
# U is as much steeper; its blocks' names on the way down are moved aside by so much, relative to the largest map.
FREE, STEEP, ASIDE = 1.24, 1.2, 0.35
# Pairs of a box's corners, as BlockLayout.corners has them, that are its edges: first those that run across and down.
EDGES = [(a, a | bit) for bit in (1, 2, 4) for a in range(8) if not a & bit]


@dataclass(frozen=True)
class Places:
    """The places of all that is in the cloud's space.

    layouts      BlockLayout of each block
    names        (blocks, 3) places of their names
    front, end   (3,) the middles of the pictures before the first block and behind the last one
    side         the pictures' longer side
    facing       radians by which they are turned
    links        (N, 2, 3) lines from row to row
    dot          factor of the dots' size
    """

    layouts: tuple[cloud_layout.BlockLayout, ...]
    names: np.ndarray
    front: np.ndarray
    end: np.ndarray
    side: float
    facing: float = 0.0
    links: np.ndarray = field(default_factory=lambda: np.zeros((0, 2, 3)))
    dot: float = 1.0

    def picture(self, middle: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """(4, 3) the corners of a picture of so many rows and columns: two above, two below."""
        h, w = (self.side * n / max(shape[:2]) / 2 for n in shape[:2])
        right = np.array((math.cos(self.facing), 0.0, -math.sin(self.facing)))
        return np.array([middle + x * w * right + (0.0, y * h, 0.0) for y in (1, -1) for x in (-1, 1)])

    def bodies(self, *, front: bool, end: bool) -> np.ndarray:
        """(N, 8, 3) the corners of all blocks, and of the pictures that are there."""
        found = [layout.corners(layout.jitter, layout.dot) for layout in self.layouts]
        there = [middle for middle, is_there in ((self.front, front), (self.end, end)) if is_there]
        return np.array(found + [np.repeat(self.picture(middle, (1, 1)), 2, axis=0) for middle in there])

    def frames(self, strengths: np.ndarray, theme: str) -> tuple[np.ndarray, np.ndarray]:
        """(segments, (N, 4) colours) of a box round each block that holds all of its dots, and of the links.

        strengths   (blocks,) factors of the boxes' opacity
        """
        corners = np.array([layout.corners(layout.jitter, layout.dot / 2) for layout in self.layouts])
        boxes = corners[:, EDGES]
        opacity = np.repeat(FRAME[theme] * strengths, len(EDGES)).reshape(len(boxes), -1)
        flat = [layout.size[2] == 0.0 for layout in self.layouts]
        opacity[flat, 8:] = 0.0
        alpha = np.concatenate([np.full(len(self.links), LINK * strengths.max(initial=0.0)), opacity.ravel()])
        colour = np.tile((*engine.THEMES[theme].foreground, 1.0), (len(alpha), 1))
        colour[:, 3] = alpha
        seen = alpha > 0.0
        return np.concatenate([self.links, boxes.reshape(-1, 2, 3)])[seen], colour[seen]


def framed(
    shapes: Sequence[tuple[int, int, int]], looks: Sequence[str], towards: np.ndarray, front: bool,
    levels: Sequence[int] | None, shape: float,
) -> Places:  # fmt: skip
    """The Places of framed blocks, seen from a direction; lowered by levels, if there are any, in one row.

    shape   the picture's width over height
    """
    most = 12 if levels is None else 1
    rows = cloud_rows.in_rows(shapes, looks, towards, front=front, most=most, wide=FREE * shape)
    layouts = list(rows.layouts) if levels is None else unet.in_levels(rows.layouts, levels, max(1.0, STEEP / shape))
    z = layouts[0].origin[2] if rows.front is None else rows.front[2]
    before = np.array((0.0, _middle(layouts[0])[1], z))
    x, y, z = _middle(layouts[-1])
    behind = np.array((x, y, z - layouts[-1].size[2] / 2 - BEFORE * cloud_rows.SIDE))
    names, facing = cloud_rows.named(layouts), math.radians(FACING)
    # Beside the next block where that stands lower.
    names[:-1, 2] += ASIDE * cloud_rows.SIDE * (np.diff([0] * len(layouts) if levels is None else levels) > 0)
    return Places(tuple(layouts), names, before, behind, cloud_rows.SIDE, facing, rows.links)


def as_the_original(
    shapes: Sequence[tuple[int, int, int]], looks: Sequence[str], front: bool, levels: Sequence[int] | None
) -> Places:
    """The Places of the original program."""
    layouts, length = cloud_layout.lay_out(shapes, looks, slender=cloud_layout.SLENDER if front else BLOCK)
    if levels is not None:
        layouts = unet.in_levels(layouts, levels)
    names = [_middle(layout) - (0.0, layout.size[1] / 2 + BELOW, 0.0) for layout in layouts]
    # The picture is as large as the first block, if that does not hide the row.
    side = min(max(layouts[0].size[:2]) or length, MOST_FRONT * length) or 1.0
    ends = [np.array((0.0, _middle(layouts[k])[1], s * (length / 2 + ORIGINAL_BEFORE))) for k, s in ((0, 1), (-1, -1))]
    # A network of few neurons has larger dots.
    dot = min(max((MANY / sum(math.prod(shape) for shape in shapes)) ** 0.25, 1.0), 2.2)
    return Places(tuple(layouts), np.array(names), ends[0], ends[1], side, dot=dot)


def _middle(layout):
    """(3,) the middle of a block's box."""
    return np.asarray(layout.origin) + np.array(layout.size) * (0.5, -0.5, -0.5)
