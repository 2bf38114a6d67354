"""How numbers are written and where they stand on a slider."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.scene.settings import Integer, Number
from engine.ui.widgets.numbers import Scale, exact, scales_of, shown

ranges = st.sampled_from([(-2.0, 2.0), (0.0, 1.0), (0.0, 500.0), (-89.9, 89.9)])


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_what_is_offered_for_typing_means_the_same_float32(value):
    assert np.float32(float(exact(value))) == np.float32(value)


def test_what_is_offered_for_typing_is_short():
    assert exact(float(np.float32(0.1))) == "0.1"
    assert exact(-2.5) == "-2.5"
    assert exact(8, whole=True) == "8"


@pytest.mark.parametrize(
    ("value", "span", "unit", "text"),
    [
        (0.25, 4.0, "", "0.25"),
        (40.0, 360.0, "deg", "40°"),
        (-0.001, 4.0, "", "−0.001"),
        (-0.0, 4.0, "", "0.00"),
        (4.0, 19.5, "s", "4.0 s"),
        (0.625, 4.0, "", "0.625"),
        (1.0 / 3.0, 4.0, "", "0.333"),
        (1234.5678, None, "", "1235"),
    ],
)
def test_shown_has_the_digits_its_slider_can_reach(value, span, unit, text):
    assert shown(value, span, unit) == text


@given(bounds=ranges, at=st.floats(0, 1))
def test_a_slider_gives_back_where_it_was_put(bounds, at):
    # The value is rounded to a thousandth of the range's leading digit: half of 1e-3 of the range at the most.
    scale = Scale(*bounds)
    assert scale.part(scale.at_part(at)) == pytest.approx(at, abs=6e-4)


@given(at=st.floats(0, 1))
def test_a_slider_by_powers_gives_back_where_it_was_put(at):
    # Four digits of a value are 5e-4 of it, over 4 decades: 5e-4 / ln(10^4).
    scale = Scale(0.01, 100.0, log=True)
    assert scale.part(scale.at_part(at)) == pytest.approx(at, abs=6e-5)


def test_the_middle_of_a_slider_by_powers_is_the_geometric_mean():
    assert Scale(0.01, 100.0, log=True).at_part(0.5) == pytest.approx(1.0)


@given(bounds=ranges, at=st.floats(0, 1))
def test_a_slider_never_leaves_its_bounds(bounds, at):
    assert bounds[0] <= Scale(*bounds).at_part(at) <= bounds[1]


@given(at=st.floats(0, 1))
def test_a_whole_number_s_slider_gives_whole_numbers(at):
    assert isinstance(Scale(1, 64, whole=True).at_part(at), int)


def test_a_value_outside_its_slider_stands_at_the_end():
    assert Scale(0.0, 1.0).part(7.0) == 1.0 and Scale(0.0, 1.0).part(-7.0) == 0.0


@pytest.mark.parametrize(
    ("low", "high", "wide"), [(0.01, 100, True), (0.1, 5, False), (0, 1e6, False), (-1, 1e6, False)]
)
def test_only_wide_positive_ranges_stand_at_powers(low, high, wide):
    slid, _ = scales_of(Number(low, bounds=(low, high)))
    assert (slid.low, slid.high, slid.log) == (low, high, wide)


def test_a_slider_goes_over_the_soft_bounds_and_steps_stop_at_the_hard_ones():
    slid, taken = scales_of(Number(1.0, bounds=(0, 9), softbounds=(0, 2), unit="s"))
    assert (slid.low, slid.high, slid.unit, slid.default) == (0, 2, "s", 1.0)
    assert taken.stepped(8.95, 1) == 9 and taken.stepped(0.0, 1) == 0.1
    slid, taken = scales_of(Integer(3, bounds=(1, None)))
    assert slid is None and taken.stepped(1, -1) == 1 and taken.stepped(3, 1) == 4
    assert scales_of(Integer(3, bounds=(0, 10**6)))[0] is None
