"""Windows over an axis, against counting element by element."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ShapeError
from engine.network.windows import Window


@st.composite
def windows(draw, dilations=(1, 2, 3)):
    size = draw(st.integers(1, 5))
    before, after = draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))
    window = Window(size, draw(st.integers(1, 4)), before, after, draw(st.sampled_from(dilations)), draw(st.booleans()))
    return window, draw(st.integers(max(1, window.extent - before - after), 20))


def places(window, length):
    """What each place sees, as places on the map: the definition, walked."""
    found, start = [], -window.before
    while True:
        seen = [start + k * window.dilation for k in range(window.size)]
        over = seen[-1] >= length + window.after
        if over and not (window.ceil and found and seen[-1] - window.stride < length + window.after - 1):
            return found
        if over and start >= length:
            return found  # a place that would begin in the padding behind
        found.append(seen)
        start += window.stride


@given(windows())
def test_places_are_as_many_as_fit(drawn):
    window, length = drawn
    assert window.count(length) == len(places(window, length))


@given(windows())
def test_a_span_is_what_its_places_see_of_the_map(drawn):
    window, length = drawn
    seen = places(window, length)
    first, last = sorted((len(seen) // 3, len(seen) - 1))
    start, end = window.span(first, last, length)
    wanted = [k for place in seen[first : last + 1] for k in place]
    assert start == max(min(wanted), 0) and end == min(max(wanted) + 1, length)


@given(windows(dilations=(1,)))
def test_averages_divide_by_what_is_seen(drawn):
    window, length = drawn
    seen = places(window, length)
    assert list(window.seen(length)) == [sum(0 <= k < length for k in place) for place in seen]
    # The padding counts, what lies past it does not.
    assert list(window.shares(length)) == [sum(k < length + window.after for k in place) for place in seen]


def test_a_window_larger_than_the_map_fits_nowhere():
    with pytest.raises(ShapeError, match="a window of 5 does not fit on 3 and 1 of padding"):
        Window(3, 1, 1, 0, 2).count(3)
    assert Window(3, 1, 1, 1, 2).count(3) == 1


def test_the_halves_of_squeezenet():
    """227 -> 111 -> 55 -> 27 -> 13 as its authors have it; at 224 rounding up gives one more."""
    sizes = [227]
    for window in (Window(7, 2), *[Window(3, 2, ceil=True)] * 3):
        sizes.append(window.count(sizes[-1]))
    assert sizes == [227, 111, 55, 27, 13]
    assert Window(3, 2, ceil=True).count(Window(7, 2).count(224)) == 54
    assert np.array_equal(Window(3, 2, ceil=True).seen(6), [3, 3, 2])
