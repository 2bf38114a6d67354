"""A drawing's parts: what they refuse, how wide words are, and what thinning keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ShapeError
from engine.vector.page import Drawing, Path, Raster, Words, hexadecimal, text_width, thinned


def distance(point, line):
    """From a point to a polyline, piece by piece."""
    best = np.inf
    for a, b in zip(line, line[1:], strict=False):
        square = (b - a) @ (b - a)
        share = np.clip((point - a) @ (b - a) / square, 0, 1) if square else 0.0
        best = min(best, np.linalg.norm(point - a - share * (b - a)))
    return best


places = st.floats(-100, 100, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(places, places), min_size=2, max_size=30), st.floats(0.001, 30))
def test_thinning_leaves_out_no_point_farther_away_than_the_tolerance(points, tolerance):
    line = np.array(points, float)
    thin = thinned(line, tolerance)
    assert np.array_equal(thin[[0, -1]], line[[0, -1]])
    # Distances are rounded at numbers up to 200.
    assert all(distance(point, thin) <= tolerance + 1e-10 for point in line)


def test_a_straight_line_is_thinned_to_its_ends_and_a_loop_keeps_its_shape():
    line = np.linspace([0, 0], [3, 7], 50)
    assert np.array_equal(thinned(line, 1e-9), line[[0, -1]])
    turn = np.linspace(0, 2 * np.pi, 401)
    loop = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    loop[-1] = loop[0]
    thin = thinned(loop, 0.01)
    # A chord of 2 acos(1 - 0.01) strays from the unit circle by 0.01, so 23 pieces do; halving may take twice that.
    assert 15 <= len(thin) <= 60


def test_words_are_as_wide_as_helvetica():
    # Adobe's metrics: every digit is 556, `W` 944, `i` 222, space 278; bold `W` 944, bold `i` 278.
    assert text_width("0123456789", 1000) == 5560
    assert text_width("W i", 1000) == 944 + 278 + 222
    assert text_width("W i", 1000, "bold") == 944 + 278 + 278
    assert text_width("é", 10) == text_width("e", 10)
    assert text_width("−", 10) == text_width("+", 10)
    assert Words("12", 0, 0, size_mm=2.0).width_mm == pytest.approx(2.224)


def test_a_line_of_one_point_is_no_line():
    assert len(Path("a", [[[0, 0]], [[0, 0], [1, 1]]]).polylines) == 1


@pytest.mark.parametrize("line", [[[0, 0], [1, np.nan]], [[0, 0, 0], [1, 1, 1]], [0, 1]])
def test_points_that_are_none_are_refused_with_the_path_s_name(line):
    with pytest.raises(ShapeError, match="neuron-3"):
        Path("neuron-3", [line])


@pytest.mark.parametrize("pixels", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 3)), np.zeros((0, 2, 3), np.uint8)])
def test_pixels_that_are_none_are_refused(pixels):
    with pytest.raises(ShapeError, match="uint8"):
        Raster(0, 0, 1, 1, pixels)


@pytest.mark.parametrize("size", [(0, 10), (10, -1), (np.inf, 1), (np.nan, 1)])
def test_a_page_without_room_is_refused(size):
    with pytest.raises(ShapeError, match="page"):
        Drawing(*size)


def test_colours_are_written_in_full():
    assert hexadecimal([[0, 10, 255], [255, 255, 255]]) == ["#000aff", "#ffffff"]
