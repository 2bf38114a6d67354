import numpy as np
import pytest

from engine.errors import NetworkError, ShapeError
from engine.network.history import Domain, History, flat, snapshot_steps, unflat
from engine.network.parts import mixed
from engine.network.random import random_mlp

NET = random_mlp([2, 5, 3], "relu", seed=3)
PLANE = Domain.plane(2, [-1, 0], [3, 2])


def history(**more):
    weights = np.stack([[flat(mixed(NET, NET, k, 0)) for k in (1, 2, 3)]] * 2)
    parts = {"shape": NET.shape, "steps": [0, 4, 9], "weights": weights, "losses": np.zeros((2, 3)), "domain": PLANE}
    return History(**parts | more)


def test_flat_weights_give_the_network_back():
    assert unflat(NET.shape, flat(NET)).equals(NET)
    assert history().at(1, 2).equals(mixed(NET, NET, 3, 0))


def test_the_snapshot_of_a_step_is_the_last_one_taken_by_then():
    assert [history().nearest(step) for step in (0, 3, 4, 8, 9, 99)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    "more, reported",
    [
        ({"steps": [0, 4, 4]}, "rising"),
        ({"steps": [-1, 4, 9]}, "rising"),
        ({"losses": np.zeros((3, 2))}, "losses"),
        ({"weights": np.zeros((2, 3, 7))}, "weights"),
        ({"weights": np.zeros((0, 3, 33))}, "weights"),
        ({"domain": Domain.plane(3, [0, 0], [1, 1])}, "inputs"),
        ({"target": np.zeros((2, 2, 4), np.uint8)}, "target"),
        ({"names": ("one",)}, "names"),
    ],
)
def test_parts_that_do_not_fit_are_refused(more, reported):
    with pytest.raises(ShapeError, match=reported):
        history(**more)


def test_an_unknown_task_is_refused():
    with pytest.raises(NetworkError, match="classes, values"):
        history(task="words")


def test_an_images_pixels_are_samples_from_its_top_left_corner():
    domain = Domain.image(100, 200)
    # Row 30, column 150 of an image 200 wide.
    assert domain.inputs([[0.75, 1 - 0.15]]) == pytest.approx(np.array([[0.15, 0.75]]))
    assert (domain.low == [0, 0.5]).all() and (domain.high == [1, 1]).all()


def test_world_points_come_back_from_their_inputs():
    domain = Domain([0.1, 2, 3], [[1, 0, 1], [0, 2, 0]], [0, 0], [1, 1])
    points = np.random.default_rng(0).normal(size=(9, 2))
    assert domain.world(domain.inputs(points)) == pytest.approx(points)


def test_a_plane_placed_elsewhere_has_the_same_inputs():
    placed = PLANE.placed(0.2, 0.4, 0.5)
    for part in ([0, 0], [1, 1], [0.3, 0.8]):
        before = PLANE.low + part * (PLANE.high - PLANE.low)
        after = placed.low + part * (placed.high - placed.low)
        assert placed.inputs([after]) == pytest.approx(PLANE.inputs([before]))
    assert placed.low == pytest.approx([0.2, 0.4]) and placed.high == pytest.approx([0.7, 0.65])


def test_the_schedule_is_the_originals_with_the_end():
    steps = snapshot_steps(1_280_000)
    assert (steps[:51] == np.arange(51)).all() and steps[-1] == 1_280_000
    gaps = np.diff(steps)
    for step, gap in ((50, 2), (200, 5), (300, 10), (500, 20), (1000, 50), (2000, 100), (4000, 500), (10_000, 5000)):
        assert gaps[list(steps).index(step)] == gap
    assert gaps[list(steps).index(640_000)] == 10_000


@pytest.mark.parametrize("steps", [0, 1, 50, 51, 777, 12_345, 10_000_000])
def test_a_schedule_begins_with_0_and_ends_with_the_last_step(steps):
    found = snapshot_steps(steps)
    assert found[0] == 0 and found[-1] == steps and (np.diff(found) > 0).all()
