"""Arrays of channels as they lie on the GPU."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ShapeError
from engine.gpu.channel_map import ChannelMap


def image(*shape):
    return np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)


@settings(max_examples=40, deadline=None)
@given(st.tuples(st.integers(1, 13), st.integers(1, 7), st.integers(1, 7)))
def test_what_is_written_is_read(shape):
    kept = ChannelMap(shape)
    kept.write(image(*shape))
    assert np.array_equal(kept.read(), image(*shape))


def test_four_channels_of_a_place_lie_side_by_side_and_zeros_past_the_last():
    x, kept = image(6, 2, 3), ChannelMap((6, 2, 3))
    kept.write(x)
    raw = kept.array.read().reshape(-1, 4)
    for g, y, column in np.ndindex(2, 2, 3):
        expected = [x[c, y, column] if c < 6 else 0 for c in range(4 * g, 4 * g + 4)]
        assert raw[(g * 2 + y) * 3 + column].tolist() == expected


def test_a_part_is_some_channels_in_the_same_memory():
    whole = ChannelMap((12, 2, 2))
    whole.write(image(12, 2, 2))
    part = whole.part(4, 5)
    assert np.array_equal(part.read(), image(12, 2, 2)[4:9])
    part.write(np.zeros((5, 2, 2)))
    assert (whole.read()[4:9] == 0).all() and np.array_equal(whole.read()[:4], image(12, 2, 2)[:4])
    assert np.array_equal(part.part(4, 1).read(), np.zeros((1, 2, 2)))


def test_another_shape_is_refused():
    with pytest.raises(ShapeError, match=r"An array of \(2, 3\) was given, where \(C, H, W\) is \(2, 3, 1\)"):
        ChannelMap((2, 3, 1)).write(np.zeros((2, 3)))
