"""A timeline in numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.scene.view_data import SPACINGS, TimeCurve
from engine.ui.widgets import timeline_layout as layout

rising = some.lists(some.integers(0, 10**7), min_size=2, max_size=60, unique=True).map(sorted)


@given(rising, some.sampled_from(SPACINGS))
def test_places_rise_from_one_end_to_the_other(steps, spacing):
    places = layout.positions(steps, spacing)
    assert places[0] == 0.0 and places[-1] == pytest.approx(1.0)
    assert (np.diff(places) > 0.0).all()


def test_spacing_is_even_by_snapshot_by_step_or_by_the_logarithm():
    steps = [0, 9, 99, 999]
    assert layout.positions(steps, "snapshot") == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert layout.positions(steps, "step") == pytest.approx([0, 9 / 999, 99 / 999, 1])
    # 1 + step are powers of ten.
    assert layout.positions(steps, "log") == pytest.approx([0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_single_snapshot_stands_in_the_middle(spacing):
    assert layout.positions([70], spacing).tolist() == [0.5]
    assert layout.step_ticks([70], np.array([0.5]), spacing, 500, 70) == [(0.5, 70)]


@given(some.lists(some.floats(0, 1), min_size=1, unique=True).map(sorted), some.floats(-0.5, 1.5))
def test_no_place_is_nearer_than_the_nearest(places, at):
    found = layout.nearest(places, at)
    assert abs(places[found] - at) == min(abs(p - at) for p in places)


@given(rising, some.sampled_from(SPACINGS), some.integers(40, 1600))
def test_numbers_along_a_timeline_are_apart_and_where_their_steps_are(steps, spacing, width):
    places = layout.positions(steps, spacing)
    ticks = layout.step_ticks(steps, places, spacing, width, 70)
    at = np.array([a for a, _ in ticks])
    numbers = [n for _, n in ticks]
    # Evenly spaced numbers may stand a little closer where whole ones are few.
    assert (np.diff(at) * width >= (69.0 if spacing != "step" else 30.0)).all()
    assert numbers == sorted(set(numbers))
    assert at == pytest.approx(np.interp(numbers, steps, places), abs=1e-9)


def test_numbers_along_the_original_s_schedule_are_round():
    steps = np.unique(np.concatenate([np.arange(50), np.arange(50, 1000, 20), np.arange(1000, 640_000, 5000)]))
    ticks = layout.step_ticks(steps, layout.positions(steps, "snapshot"), "snapshot", 800, 70)
    assert len(ticks) >= 6
    assert all(len(str(n).rstrip("0")) <= 2 for _, n in ticks[:-1])


@given(some.integers(0, 10**6), some.integers(0, 10**6))
def test_the_roundest_number_lies_in_its_range_and_none_there_has_more_zeros(a, b):
    low, high = min(a, b), max(a, b)
    found = layout.roundest(low, high)
    assert low <= found <= high
    zeros = len(str(found)) - len(str(found).rstrip("0")) if found else 99
    assert (high // 10 ** (zeros + 1)) * 10 ** (zeros + 1) < low or found == 0


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [(0.02, 0.8, 3, [0.03, 0.1, 0.3]), (1e-8, 0.8, 3, [1e-8, 1e-5, 1e-2]), (0.15, 0.8, 4, [0.2, 0.5])],
)
def test_values_by_powers_are_written_at_powers_and_between_where_there_are_few(low, high, most, ticks):
    assert layout.value_ticks(low, high, True, most) == pytest.approx(ticks)


def test_values_near_nought_are_shown_from_nought_and_what_is_no_number_does_not_count():
    curves = [TimeCurve("a", [0.7, np.nan, 0.03], "#ffffff"), TimeCurve("b", [np.inf, 0.2, 0.1], "#ffffff")]
    low, high = layout.span(curves, log=False)
    assert low == 0.0 and 0.7 < high < 0.8
    low, high = layout.span(curves, log=True)
    assert 0.02 < low < 0.03 and 0.7 < high < 1.0
    assert layout.span([TimeCurve("c", [np.nan], "#ffffff")], log=False) == (0.0, 1.0)


def test_heights_run_from_the_low_end_to_the_high_one():
    assert layout.heights([2.0, 3.0, 4.0], 2.0, 4.0, False).tolist() == [0.0, 0.5, 1.0]
    assert layout.heights([0.01, 0.1, 1.0], 0.01, 1.0, True) == pytest.approx([0.0, 0.5, 1.0])
    assert np.isnan(layout.heights([0.0, -1.0, np.inf], 0.01, 1.0, True)).all()


def test_a_curve_is_broken_where_it_is_unknown():
    y = np.array([1.0, 2.0, np.nan, 3.0, np.nan, np.nan, 4.0, 5.0])
    paths = layout.strokes(np.arange(8.0), y, 1.0)
    assert [p.tolist() for p in paths] == [[[0, 1], [1, 2]], [[3, 3]], [[6, 4], [7, 5]]]


def test_a_curve_of_many_points_keeps_every_column_s_lowest_and_highest():
    x = np.linspace(0.0, 200.0, 50_000)
    y = np.random.default_rng(3).standard_normal(x.size)
    (path,) = layout.strokes(x, y, 1.0)
    assert len(path) <= 4 * 201
    for column in range(200):
        inside, seen = y[(x >= column) & (x < column + 1)], path[np.floor(path[:, 0]) == column, 1]
        assert seen.min() == inside.min() and seen.max() == inside.max()


def test_a_curve_of_many_points_is_broken_where_a_column_is_unknown():
    x = np.linspace(0.0, 200.0, 50_000)
    y = np.where((x > 50.0) & (x < 90.0), np.nan, 1.0)
    before, after = layout.strokes(x, y, 1.0)
    assert before[-1, 0] == pytest.approx(50.0, abs=1.0) and after[0, 0] == pytest.approx(90.0, abs=1.0)
