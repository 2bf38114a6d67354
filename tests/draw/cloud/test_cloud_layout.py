"""Where neurons stand: the original's table for SqueezeNet, and the laws of any network's."""

from dataclasses import replace

import numpy as np
import pytest

from engine.draw.cloud.cloud_layout import GAP, SPACING, WIDE_GAP, image_layout, lay_out, split
from engine.errors import ShapeError

# Of SqueezeNet v1.0 as the original has it: pool1, fire2, 3, 4, 6, 8, 9, conv10, the average pool, the classes.
SHAPES = [
    (96, 55, 55), (128, 55, 55), (128, 55, 55), (256, 55, 55), (384, 27, 27), (512, 27, 27), (512, 13, 13),
    (1000, 15, 15), (1000, 1, 1), (1000, 1, 1),
]  # fmt: skip
LOOKS = ["features"] * 8 + ["pooled", "classes"]


def numbers(first, shape):
    """(C, H, W) the numbers of a block's neurons in a cloud, whose first vec4f is number `first`."""
    c, y, x = np.indices(shape)
    return ((first + (c // 4 * shape[1] + y) * shape[2] + x) * 4) + c % 4


def everywhere(layout, shape, first=0):
    """(C, H, W, 3) places."""
    return layout.positions(*np.indices(shape), numbers(first, shape))


@pytest.mark.parametrize(
    "channels, pair",
    [
        (3, (1, 1)),
        (32, (1, 1)),
        (96, (1, 3)),
        (128, (2, 2)),
        (256, (2, 4)),
        (384, (3, 4)),
        (512, (4, 4)),
        (1000, (5, 5)),
    ],
)
def test_blocks_are_split_as_the_originals(channels, pair):
    assert split(channels) == pair


@pytest.mark.parametrize("channels", range(1, 2100, 37))
def test_no_sub_block_is_deeper_than_32_or_three_times_as_high_as_wide(channels):
    b0, b1 = split(channels)
    deep = 40 if channels == 1000 else 32
    assert b0 * b1 * deep >= channels and b0 <= b1 <= 3 * b0


def test_blocks_stand_behind_each_other_from_the_input_on():
    layouts, length = lay_out(SHAPES, LOOKS)
    fronts = [p.origin[2] for p in layouts]
    backs = [p.origin[2] - p.size[2] for p in layouts]
    gaps = [a - b for a, b in zip(backs, fronts[1:], strict=False)]
    assert gaps == pytest.approx([GAP] * 8 + [WIDE_GAP])
    # The middle of the row is the world's origin.
    assert fronts[0] == pytest.approx(length / 2) and backs[-1] == pytest.approx(-length / 2)
    for p in layouts:
        assert p.origin[0] == pytest.approx(-p.size[0] / 2) and p.origin[1] == pytest.approx(p.size[1] / 2)


@pytest.mark.parametrize("k", range(len(SHAPES)))
def test_every_neuron_is_in_its_blocks_box_and_in_a_place_of_its_own(k):
    layout, shape = lay_out(SHAPES, LOOKS)[0][k], SHAPES[k]
    places = everywhere(layout, shape)
    low = np.array(layout.origin) - (0, layout.size[1], layout.size[2])
    high = low + layout.size
    margin = (0, 0, layout.jitter)
    assert (places >= low - margin - np.array(1e-9)).all() and (places <= high + margin + np.array(1e-9)).all()
    # Jitter is less than half of the spacing of depth, so rounding it away gives the grid.
    deep = np.rint((layout.origin[2] - places[..., 2]) / layout.deep)
    grid = np.stack([*np.rint(np.moveaxis(places[..., :2], -1, 0) * 60), deep], axis=-1).reshape(-1, 3)
    assert len(np.unique(grid, axis=0)) == np.prod(shape)


def test_places_are_the_originals_rule():
    shape = (256, 55, 55)
    layout, (b0, b1) = lay_out([shape])[0][0], (2, 4)
    c, y, x = (np.random.default_rng(0).integers(0, n, 200) for n in shape)
    place = layout.positions(c, y, x, numbers(0, shape)[c, y, x])
    k = c % (b0 * b1)
    # In plane 3 b1 apart; sub-block k shifted by 3 b1 / b0 across and by 3 down.
    across, down = 3 * b1 * x + 3 * b1 / b0 * (k // b1), 3 * b1 * y + 3 * (k % b1)
    assert np.allclose(place[:, 0] - layout.origin[0], across) and np.allclose(layout.origin[1] - place[:, 1], down)
    off = layout.origin[2] - place[:, 2] - SPACING * (c // (b0 * b1))
    assert (abs(off) <= SPACING / 2).all() and off.std() == pytest.approx(SPACING / 12**0.5, rel=0.15)


def test_an_average_pool_is_12_by_12_and_classes_are_a_square_of_32():
    pool, classes = lay_out(SHAPES, LOOKS)[0][-2:]
    number = np.arange(1000)
    p = pool.positions(number, 0, 0, number)
    assert [len(np.unique(p[:, i])) for i in range(3)] == [12, 12, 7]
    q = classes.positions(number, 0, 0, number)
    assert [len(np.unique(q[:, i])) for i in range(3)] == [32, 32, 1]
    assert np.allclose(q[33] - q[0], (8, -8, 0))


def test_more_classes_than_the_square_holds_get_a_larger_one():
    layout = lay_out([(2000, 1, 1)], ["classes"])[0][0]
    places = layout.positions(np.arange(2000), 0, 0, np.arange(2000))
    assert len(np.unique(places, axis=0)) == 2000 and np.ptp(places[:, 2]) == 0


def test_a_block_without_neurons_is_refused():
    with pytest.raises(ShapeError, match="Block 1"):
        lay_out([(3, 4, 4), (0, 4, 4)])


@pytest.mark.parametrize("slender", [0.1, 0.36, 1.4])
def test_a_row_is_at_least_as_wide_as_is_asked_and_as_long_as_ever(slender):
    shapes = [(96, 5, 5), (64, 11, 7)]
    layouts, length = lay_out(shapes, slender=slender)
    assert max(max(layout.size[:2]) for layout in layouts) >= slender * length * (1 - 1e-12)
    assert length == lay_out(shapes)[1]


def test_tokens_stand_row_by_row_and_added_ones_above():
    plain = image_layout((5, 3, 4))
    layout = replace(plain, tokens=(4, 2))
    rows, columns = np.unravel_index(np.arange(12), (3, 4))
    here, there = layout.positions(1, np.arange(14), 0, 7), plain.positions(1, rows, columns, 7)
    assert np.array_equal(here[2:], there)
    assert (
        np.array_equal(here[:2, [0, 2]], there[:2, [0, 2]]) and (here[:2, 1] == there[0, 1] + 1.5 * layout.step).all()
    )
