"""A subdivision stays one, whatever is cut into it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NetworkError
from engine.regions import partition
from engine.regions.arrangement import Rows
from engine.regions.outlines import paths, rings
from engine.regions.partition import Subdivision

NO_ROUNDING = 1e-9


def outline_areas(plane):
    """The area inside each face's ring, by the shoelace formula; positive counter-clockwise."""
    starts, ring = rings(plane.ends.all, plane.faces.all, plane.count)
    found = []
    for start, stop in zip(starts, starts[1:], strict=False):
        x, y = plane.vertices.all[ring[start:stop]].T
        found.append((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)
    return np.array(found)


def check(plane):
    assert plane.vertices.used - plane.ends.used + plane.count == 1
    sides = plane.faces.all[plane.faces.all >= 0]
    assert (np.bincount(sides, minlength=plane.count) >= 3).all()
    np.testing.assert_allclose(outline_areas(plane).sum(), 1)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_values_that_no_linear_function_has_still_leave_a_subdivision(seed, functions, layers):
    """Rounding can break a face's signs into more than two runs; whole numbers drawn at random do so all the time."""
    rng = np.random.default_rng(seed)
    plane = Subdivision((0, 0), (1, 1))
    for layer in range(layers):
        values = rng.integers(-2, 3, (plane.vertices.used, functions)).astype(float)
        assert len(plane.cut(values, np.full(functions, NO_ROUNDING), layer * functions)) == plane.vertices.used
        check(plane)


def test_a_face_whose_signs_change_four_times_is_cut_once():
    plane = Subdivision((0, 0), (1, 1))
    plane.cut(np.array([[1.0], [-1], [1], [-1]]), np.full(1, NO_ROUNDING), 0)
    assert plane.count == 2
    check(plane)


def test_a_line_has_its_positive_side_on_the_left():
    plane = Subdivision((0, 0), (1, 1))
    plane.cut(np.array([[-0.5, 0.25], [0.5, 0.25], [0.5, -0.75], [-0.5, -0.75]]), np.full(2, NO_ROUNDING), 7)
    # x - 1/2 and 1/4 - y: going with the positive side on the left is down, and to the left.
    ways = {(7,): (0, -1), (8,): (-1, 0)}
    for owner in (7, 8):
        ends = plane.vertices.all[plane.ends.all[plane.owner.all == owner]]
        np.testing.assert_allclose(
            ends[:, 1] - ends[:, 0], np.outer(np.hypot(*(ends[:, 1] - ends[:, 0]).T), ways[owner,])
        )
    assert plane.count == 4
    np.testing.assert_allclose(sorted(outline_areas(plane)), [0.125, 0.125, 0.375, 0.375])


def test_what_coincides_with_an_edge_coincides_with_its_later_pieces():
    plane = Subdivision((0, 0), (1, 1))
    x = plane.vertices.all[:, 0]
    plane.cut(np.stack([x - 0.5, 1 - 2 * x], 1), np.full(2, NO_ROUNDING), 0)
    assert plane.coincident.tolist() == [[plane.ends.used - 1, 1]]
    for owner, height in ((2, 0.25), (3, 0.5)):
        plane.cut(plane.vertices.all[:, 1:] - height, np.full(1, NO_ROUNDING), owner)
    middle = np.flatnonzero(plane.owner.all == 0)
    assert len(middle) == 3
    assert sorted(plane.coincident.tolist()) == [[edge, 1] for edge in middle]


def test_functions_of_infinite_tolerance_go_along_and_cut_nothing():
    plane = Subdivision((0, 0), (1, 1))
    x, y = plane.vertices.all.T.copy()
    values = plane.cut(np.stack([x - y / 2 - 0.25, 3 * x - y], 1), np.array([NO_ROUNDING, np.inf]), 0)
    assert plane.count == 2
    np.testing.assert_allclose(values[:, 1], plane.vertices.all @ [3, -1])


def test_more_faces_than_fit_are_refused(monkeypatch):
    monkeypatch.setattr(partition, "MOST_FACES", 5)
    plane = Subdivision((0, 0), (1, 1))
    with pytest.raises(NetworkError, match="more than 5 linear regions"):
        plane.cut(plane.vertices.all[:, :1] - np.arange(1, 9) / 9, np.full(8, NO_ROUNDING), 0)


def test_rows_keep_what_was_added_when_their_room_runs_out():
    rows = Rows([[0, 1]])
    firsts = [rows.add([[k, k], [k, k + 1]]) for k in range(1, 20)]
    assert firsts == list(range(1, 39, 2))
    np.testing.assert_array_equal(rows.all[1:], [[k, k + i] for k in range(1, 20) for i in (0, 1)])


def test_paths_take_each_edge_once_and_close_loops():
    loop, branch = [[0, 1], [2, 1], [2, 0]], [[5, 6], [6, 7], [6, 8]]
    found = paths(np.array(loop + branch))
    walked = [tuple(sorted(pair)) for path in found for pair in zip(path, path[1:], strict=False)]
    assert sorted(walked) == sorted(tuple(sorted(pair)) for pair in loop + branch)
    assert sum(path[0] == path[-1] for path in found) == 1
    assert len(found) == 4
