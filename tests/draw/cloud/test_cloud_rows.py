"""Blocks in rows: told apart, in order, each with all of its dots in its box, in few rows."""

import numpy as np
import pytest

from engine.draw.cloud.cloud_rows import SIDE, in_rows
from engine.errors import ShapeError

TOWARDS = np.array([0.84, 0.24, 0.48])
# As the networks', with maps of half their sides.
SQUEEZENET = [
    (96, 27, 27), (128, 27, 27), (128, 27, 27), (256, 27, 27), (384, 13, 13), (512, 13, 13), (512, 7, 7),
    (1000, 8, 8), (1000, 1, 1), (1000, 1, 1),
]  # fmt: skip
RESNET = [(64, 28, 28), *[(256, 28, 28)] * 3, *[(512, 14, 14)] * 4, *[(1024, 7, 7)] * 6, *[(2048, 4, 4)] * 3]
NETWORKS = {
    "squeezenet": (SQUEEZENET, ["features"] * 8 + ["pooled", "classes"]),
    "resnet": ([*RESNET, (2048, 1, 1), (1000, 1, 1)], ["features"] * 17 + ["pooled", "classes"]),
    "one": ([(1, 1, 1)], ["pooled"]),
    "flat": ([(1, 9, 1), (3, 1, 7), (5, 2, 2)], ["features"] * 3),
    "deep": ([(32 + 16 * (k % 9), 28 - k // 10, 20) for k in range(200)], ["features"] * 200),
}


def boxes(layouts):
    """(N, 2, 3) least and greatest corner of each block's box, with its dots."""
    corners = np.array([layout.corners(layout.jitter, layout.dot / 2) for layout in layouts])
    return np.stack([corners.min(axis=1), corners.max(axis=1)], axis=1)


@pytest.mark.parametrize("front", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_boxes_hold_their_dots_and_are_apart_and_follow_each_other(name, front):
    shapes, looks = NETWORKS[name]
    rows = in_rows(shapes, looks, TOWARDS, front=front)
    found = boxes(rows.layouts)
    for shape, layout, (low, high) in zip(shapes[:20], rows.layouts, found, strict=False):
        number = np.arange(np.prod(shape)).reshape(shape)
        places = layout.positions(*np.indices(shape), number)
        assert (places >= low - 1e-9).all() and (places <= high + 1e-9).all()
        # Numbers that differ say that places do.
        numbers = (places.reshape(-1, 3) * 1e6).round().astype(np.int64) @ (1, 0x9E3779B97F4A7C1, 0x1B56C4E9C5A3D27)
        assert len(np.unique(numbers)) == np.prod(shape)
    for one in range(len(found)):
        later = found[one + 1 :]
        assert not ((found[one, 0] < later[:, 1]) & (later[:, 0] < found[one, 1])).all(axis=1).any()
    assert [k for first, end in rows.rows for k in range(first, end)] == list(range(len(shapes)))
    for number, (first, end) in enumerate(rows.rows):
        assert (np.diff([layout.origin[2] for layout in rows.layouts[first:end]]) < 0).all()
        below = [layout.origin[1] for layout in rows.layouts[end:]]
        assert all(y < found[first:end, 0, 1].max() for y in below), number
    assert len(rows.links) == 5 * (len(rows.rows) - 1)


def test_a_short_network_is_one_row_and_a_long_one_is_wrapped_into_a_wide_rectangle():
    assert len(in_rows(*NETWORKS["squeezenet"], TOWARDS).rows) == 1
    rows = in_rows(*NETWORKS["deep"], TOWARDS)
    low, high = boxes(rows.layouts)[:, 0].min(axis=0), boxes(rows.layouts)[:, 1].max(axis=0)
    assert len(rows.rows) > 3 and 1.0 < (high[2] - low[2]) / (high[1] - low[1]) < 4.0


def test_larger_maps_are_larger_and_more_channels_deeper():
    shapes = [(16, 40, 40), (16, 20, 20), (64, 20, 20), (256, 10, 5)]
    sizes = np.array([layout.size for layout in in_rows(shapes, ["features"] * 4, TOWARDS).layouts])
    assert sizes[0, 0] > sizes[1, 0] and sizes[3, 2] > sizes[2, 2] > sizes[1, 2] > 0
    assert sizes[0, :2].max() == pytest.approx(SIDE, rel=0.05) and sizes[3, 0] < sizes[3, 1]


def test_a_block_without_neurons_is_refused():
    with pytest.raises(ShapeError, match="Block 1"):
        in_rows([(3, 4, 4), (0, 4, 4)], ["features"] * 2, TOWARDS)
