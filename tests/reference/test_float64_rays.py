"""The float64 twin of ray casting, against formulas and dense samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.networks import ball_rays, seeded, torus
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.rules.extrema import breaks, extrema, span
from engine.reference.enclosure import end_at, remainder
from engine.reference.rays import GRAZE, HIT, MISS, Search, cast
from tests.network.every_activation import BOUNDED


def along_x(net, length, **more):
    """What one ray from (-length / 2, 0, 0) along x finds."""
    return cast(net, [[-length / 2, 0, 0]], [[1, 0, 0]], length, **more)[0]


def test_levels_of_a_linear_network_are_planes():
    plane = Mlp([[[2.0, 0.0, 0.0]]], [[0.25]])
    found = along_x(plane, 8.0, surfaces=8)
    # f = 2 (t - 4) + 0.25 is the whole number K at t = 4 + (K - 0.25) / 2, from K = -7 on.
    assert found["t"] == pytest.approx(4 + (np.arange(-7, 1) - 0.25) / 2, abs=1e-12)
    assert (found["outcome"] == HIT).all() and found["rising"].all()
    assert (found["level"] == np.arange(-7, 1)).all()


def test_a_single_level_is_found_once_and_then_nothing():
    plane = Mlp([[[2.0, 0.0, 0.0]]], [[0.25]])
    found = along_x(plane, 8.0, level=1.25, single=True, surfaces=3)
    assert found["t"][0] == pytest.approx(4.5, abs=1e-12)
    assert found["outcome"].tolist() == [HIT, MISS, MISS]
    assert (found["t"][1:] == 8).all()


def test_a_wave_goes_up_and_down_through_the_same_level():
    wave = Mlp([[[1.0, 0, 0]], [[1.0]]], [[0.0], [0.0]], "sine(3)")
    found = along_x(wave, 8.0, level=0.5, single=True, surfaces=8)
    # sin(3 x) = 1/2 at pi / 18 and 5 pi / 18, and every 2 pi / 3 from there.
    turns = 2 * np.pi * np.arange(-3, 3)
    places = np.sort(np.concatenate([np.pi / 6 + turns, 5 * np.pi / 6 + turns]) / 3)
    places = places[abs(places) < 4]
    assert found["outcome"].tolist() == [HIT] * 7 + [MISS]
    assert found["t"][:7] == pytest.approx(places + 4, abs=1e-10)
    assert found["rising"][:7].tolist() == (np.cos(3 * places) > 0).tolist()


@pytest.mark.parametrize("below", [1e-3, 1e-9, 1e-13])
def test_a_level_just_under_a_peak_is_crossed_twice(below):
    peak = Mlp([[[1.0, 0, 0]], [[1.0]]], None, "gaussian")
    level = 1.0 - below
    # The level in float64: as float32 it would be the peak itself.
    search = Search(peak, np.array([-2.0, 0, 0]), np.array([1.0, 0, 0]), 4.0, level, 1.0, True)
    (first, _, a, _, up), (second, _, b, _, still) = search.next(), search.next()
    assert (a, b, up, still) == (HIT, HIT, True, False)
    # exp(-x^2) = 1 - d at x = sqrt(-log(1 - d)); rounding of f by 2e-16 moves it by that over the slope 2 sqrt(d).
    half = np.sqrt(-np.log1p(-below))
    assert [first - 2, second - 2] == pytest.approx([-half, half], abs=1e-7 + 1e-14 / half)


def test_a_level_that_is_only_touched_is_a_graze():
    peak = Mlp([[[1.0, 0, 0]], [[1.0]]], None, "gaussian")
    found = along_x(peak, 4.0, level=1.0, single=True, surfaces=2)
    assert found["outcome"].tolist() == [GRAZE, MISS]
    # exp(-x^2) is within rounding of 1, some 1e-15, for |x| up to 1e-7; it is told at the end of the piece before.
    assert found["t"][0] == pytest.approx(2, abs=1e-3)


@pytest.mark.parametrize("net", [seeded(2, 4.0), torus("relu"), torus("sine")], ids=lambda net: net.name)
def test_no_first_crossing_that_dense_samples_see_is_missed(net):
    origins, directions, lengths = (x[::7] for x in ball_rays(16))
    found = cast(net, origins, directions, lengths, level=0.37)
    level = float(np.float32(0.37))
    for o, d, length, row in zip(
        origins.astype(float), directions.astype(float), lengths.astype(float), found, strict=True
    ):
        t = np.linspace(0, length, 20001)
        floors = np.floor(net(o + t[:, None] * d)[:, 0] - level)
        change = np.flatnonzero(floors != floors[0])
        if len(change):
            assert row["outcome"][0] in (HIT, GRAZE) and row["t"][0] <= t[change[0]]
            # Both sides of a crossing seen are a sample apart; one found earlier must be real.
        if row["outcome"][0] == HIT:
            at = net(o + row["t"][0] * d)[0] - level
            assert at == pytest.approx(row["level"][0], abs=1e-6)


@pytest.mark.parametrize("activation", BOUNDED, ids=str)
@settings(max_examples=30, deadline=None)
@given(low=st.floats(-8, 8), width=st.floats(0, 8))
def test_ranges_of_slope_and_curvature_hold_every_sample_and_are_reached(activation, low, width):
    z = np.linspace(low, low + width, 2001)
    for which in ("slope", "curvature"):
        sampled = getattr(activation, which)(z)
        least, most = span(activation, which, np.array(low), np.array(low + width))
        slack = 1e-12 * max(1, abs(sampled).max())
        assert least - slack <= sampled.min() and sampled.max() <= most + slack
        if not any(low <= place <= low + width for place in breaks(activation)):
            # Reached but for the samples' distance, where no jump lies between them: 81 is the largest fourth
            # derivative of a sine(3), and 60 bends cosh's tail as much.
            close = 81 * (width / 2000) ** 2 * max(1, abs(sampled).max()) + 1e-9
            assert sampled.min() - least <= close and most - sampled.max() <= close


@pytest.mark.parametrize("activation", BOUNDED, ids=str)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 4), width=st.floats(1e-6, 3))
def test_a_network_stays_between_its_chord_and_remainder(activation, seed, scale, width):
    # Exponentials of exponentials leave float64 soon.
    grows = extrema(activation, "slope").most == np.inf
    net = random_mlp((3, 5, 4, 1), activation, last=activation, scale=scale / (8 if grows else 1), seed=seed)
    rng = np.random.default_rng(seed)
    o, d = rng.uniform(-2, 2, (1, 3)), rng.normal(size=(1, 3))
    d /= np.linalg.norm(d)
    near, far = (end_at(net, o, d, np.array([t])) for t in (0.5, 0.5 + width))
    low, high = remainder(net, near, far)
    x = np.linspace(0, 1, 101)
    real = net(o + (0.5 + width * x)[:, None] * d)[:, 0]
    stray = real - ((1 - x) * near.value + x * far.value)
    bump = 4 * x * (1 - x)
    slack = near.error_bound + far.error_bound + 1e-14 * (1 + abs(real))
    assert (stray >= bump * low - slack).all() and (stray <= bump * high + slack).all()
