"""A network with long skips as a U in space: down by resolution, up again, and arcs for the skips."""

from collections.abc import Sequence

import numpy as np

from engine import cloud_layout

# The part of the blocks' heights by which the next level is lower, and points of an arc.
DROP, POINTS = 0.62, 24
# How far an arc rises over its ends, relative to its length.
RISE = 0.1


def in_levels(
    layouts: Sequence[cloud_layout.BlockLayout], levels: Sequence[int], steep: float = 1.0
) -> list[cloud_layout.BlockLayout]:
    """Layouts in a row, lowered by their levels times `steep`, the middle of all at height 0."""
    heights = np.zeros(max(levels) + 1)
    for layout, level in zip(layouts, levels, strict=True):
        heights[level] = max(heights[level], layout.size[1])
    steps = steep * DROP * (heights[:-1] + heights[1:]) / 2 + cloud_layout.GAP
    middles = -np.concatenate([[0.0], np.cumsum(steps)])
    top, bottom = middles + heights / 2, middles - heights / 2
    middles -= (top.max() + bottom.min()) / 2
    return [
        layout.at(layout.origin[0] + layout.size[0] / 2, float(middles[level]), layout.origin[2])
        for layout, level in zip(layouts, levels, strict=True)
    ]


def arcs(
    layouts: Sequence[cloud_layout.BlockLayout], pairs: Sequence[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """((N, 2, 3) segments, (N,) number of the block they lead to) of an arc from each pair's first block to its last.

    Arcs begin and end at the middle of the blocks' upper edges.
    """
    segments, ends = [], []
    for first, last in pairs:
        a, b = (_top(layouts[k]) for k in (first, last))
        along = np.linspace(0.0, 1.0, POINTS + 1)[:, None]
        points = a + (b - a) * along
        points[:, 1] += RISE * np.linalg.norm(b - a) * 4 * (along * (1 - along))[:, 0]
        segments.append(np.stack([points[:-1], points[1:]], axis=1))
        ends += [last] * POINTS
    return np.concatenate([np.zeros((0, 2, 3)), *segments]), np.array(ends, int)


def _top(layout):
    x, y, z = layout.origin
    return np.array([x + layout.size[0] / 2, y, z - layout.size[2] / 2])
