"""Ticks: round, evenly spaced, as many as may be, and written with just enough digits."""

import itertools
import math
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.vector.ticks import tick_text, ticks

ends = st.floats(-1e9, 1e9, allow_subnormal=False)
lengths = st.floats(-12, 9).map(lambda e: 10.0**e)


def spans():
    def with_room(pair):
        low, length = pair
        # Spans of a few floats have no round numbers to speak of.
        return low + length > low and length > 1e-12 * abs(low)

    return st.tuples(ends, lengths).filter(with_room).map(lambda p: (p[0], p[0] + p[1]))


@given(spans(), st.integers(2, 40))
def test_ticks_are_whole_multiples_of_one_two_or_five_times_a_power_of_ten(span, most):
    values = ticks(*span, most)
    assume(len(values) > 1)
    step = min(Decimal(repr(b)) - Decimal(repr(a)) for a, b in itertools.pairwise(values))
    # The floats' own spacing, two roundings of it, is all that may be missing.
    assert step.normalize().scaleb(-step.adjusted()).quantize(Decimal("0.001")) in (1, 2, 5)
    unit = Decimal(round(step.scaleb(-step.adjusted()))).scaleb(step.adjusted())
    for v in values:
        assert float(round(Decimal(repr(v)) / unit) * unit) == v


@given(spans(), st.integers(2, 40))
def test_ticks_cover_the_range_and_are_no_more_than_asked_for(span, most):
    low, high = span
    values = ticks(low, high, most)
    # Ends that are ticks but for rounding count; far from 0 floats themselves are that far apart.
    slack = 2e-9 * (high - low) + 4.0 * max(math.ulp(low), math.ulp(high))
    assert len(values) <= most
    assert all(low - slack <= v <= high + slack for v in values)
    if len(values) > 1:
        step = (values[-1] - values[0]) / (len(values) - 1)
        assert values[0] - step < low + slack
        assert values[-1] + step > high - slack
    # A step of 2.5 times the coarsest that could have been needed leaves at least this many.
    assert len(values) >= (most - 1) // 2.5 - 1


@given(spans(), st.integers(2, 12))
def test_texts_are_distinct_and_read_back_as_their_ticks(span, most):
    values = ticks(*span, most)
    texts = tick_text(values)
    assert len(set(texts)) == len(values)
    assert not any(t.startswith("-0") and float(t) == 0 for t in texts)
    gap = min((b - a for a, b in itertools.pairwise(values)), default=math.inf)
    assert all(abs(float(t) - v) <= 2e-3 * min(gap, abs(v) or gap) for t, v in zip(texts, values, strict=True))


@pytest.mark.parametrize(
    ("low", "high", "most", "texts"),
    [
        (-1, 1, 5, ["-1.0", "-0.5", "0", "0.5", "1.0"]),
        (0, 1, 11, ["0", *(f"0.{n}" for n in range(1, 10)), "1.0"]),
        (-10, 10, 5, ["-10", "-5", "0", "5", "10"]),
        (1.234567e-5, 1.234571e-5, 5, ["1.234567e-5", "1.234568e-5", "1.234569e-5", "1.234570e-5", "1.234571e-5"]),
        (0, 3e6, 4, ["0", "1e6", "2e6", "3e6"]),
        (0.1, 0.3, 3, ["0.1", "0.2", "0.3"]),
        (-2e-13, 2e-13, 3, ["-2e-13", "0", "2e-13"]),
        (3.00001, 3.00002, 3, ["3.000010", "3.000015", "3.000020"]),
    ],
)
def test_ticks_are_written_as_people_write_them(low, high, most, texts):
    assert tick_text(ticks(low, high, most)) == texts


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (math.nan, 1), (0, math.inf), (-1e308, 1e308)])
def test_a_range_that_is_none_has_no_ticks(low, high):
    assert ticks(low, high, 5) == []
