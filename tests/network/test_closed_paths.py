"""Closed paths end where they began, without a jump."""

import numpy as np
import pytest

from engine.errors import NetworkError
from engine.network.closed_paths import PATHS, closed_path, there_and_back


@pytest.mark.parametrize("kind", PATHS)
def test_a_path_closes_without_a_jump_and_stays_inside(kind):
    parts = np.linspace(0.0, 1.0, 241)
    places = np.array([closed_path(kind, part, 5, seed=3) for part in parts])
    assert np.allclose(places[0], places[-1], atol=1e-12)
    assert abs(places).max() <= 1.0
    steps = np.diff(places, axis=0)
    # The step over the seam is like the steps beside it: at most three turns a path, each of 240 steps.
    assert np.allclose(steps[0], steps[-1], atol=(6.0 * np.pi / 240) ** 2)


def test_a_circle_keeps_its_distance_in_each_pair():
    for part in np.linspace(0, 1, 9):
        x = closed_path("circle", part, 4)
        assert np.allclose(np.hypot(x[0], x[1]), 1.0) and np.allclose(x[:2], x[2:])


def test_there_and_back_is_at_rest_at_the_ends_and_halfway():
    assert there_and_back(0.0) == 0.0 and there_and_back(0.5) == 1.0 and there_and_back(1.0) == 0.0
    step = 1e-4
    for part in (step, 0.5 - step, 1.0 - step):
        away = min(there_and_back(part), 1.0 - there_and_back(part))
        # A cosine leaves its end by half its curvature, 2 pi^2, times the step's square.
        assert away < 1.01 * np.pi**2 * step**2


def test_an_unknown_path_is_refused():
    with pytest.raises(NetworkError, match="circle"):
        closed_path("circel", 0.1, 3)
