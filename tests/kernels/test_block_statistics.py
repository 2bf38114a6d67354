"""The kernel `block_statistics` against its float64 twin."""

import numpy as np
import pytest

from engine.errors import SettingError, ShapeError
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.kernels.block_statistics import BlockStatistics, block_statistics
from engine.reference import block_statistics as twin

# Channels that fill no group of four, rows that fill no part, vectors, one number, and more parts than a workgroup.
SHAPES = [(7, 9, 5), (4, 1, 1), (1, 1, 1), (33, 13, 13), (6, 61, 71)]


def blocks(mean=0.0, scale=1.0):
    rng = np.random.default_rng(0)
    return [rng.normal(mean, scale, shape).astype(np.float32) for shape in SHAPES]


def pairs(found):
    return np.concatenate([np.concatenate(pair) for pair in found])


@pytest.mark.parametrize("over", ["block", "channel", "shared"])
@pytest.mark.parametrize("mean, scale", [(0.0, 1.0), (0.0, 1e-6), (1e3, 1.0), (-3.0, 1e4)])
def test_mean_and_deviation_are_the_twins(over, mean, scale):
    data = blocks(mean, scale)
    found, exact = pairs(block_statistics(data, over)), pairs(twin.block_statistics(data, over))
    # A hundred thousandth of the deviation, and one rounding of the mean each of the log2 of 26,000 numbers.
    assert abs(found - exact).max() <= 1e-5 * scale + 16 * 2.0**-24 * abs(mean)


def test_the_order_of_rows_and_columns_is_nothing_to_them():
    data = blocks()
    turned = [b[:, ::-1, ::-1].copy() for b in data]
    # Roundings alone: another order of sums.
    assert abs(pairs(block_statistics(data)) - pairs(block_statistics(turned))).max() < 1e-6


def test_two_runs_give_the_same_bits():
    assert (pairs(block_statistics(blocks(), "shared")) == pairs(block_statistics(blocks(), "shared"))).all()


def test_a_part_of_a_joined_map_is_measured_as_by_itself():
    whole = ChannelMap((12, 5, 6))
    values = np.random.default_rng(1).normal(size=(12, 5, 6)).astype(np.float32)
    whole.write(values)
    statistics, encoder = BlockStatistics([(5, 5, 6), (4, 5, 6)]), device().encoder()
    statistics.record(encoder, [whole.part(0, 5), whole.part(8, 4)], "channel")
    device().submit(encoder)
    # Channels past a part's last are others' here, and must not count.
    exact = twin.block_statistics([values[:5], values[8:]], "channel")
    assert abs(pairs(statistics.read()) - pairs(exact)).max() < 1e-6


def test_one_number_has_no_deviation():
    ((mean, deviation),) = block_statistics([np.full((1, 1, 1), 2.5, np.float32)])
    assert mean[0] == 2.5 and deviation[0] == 0.0


def test_what_there_is_not_is_refused():
    with pytest.raises(ShapeError, match="no blocks"):
        BlockStatistics([])
    with pytest.raises(SettingError, match="channel"):
        block_statistics(blocks(), "chanel")
