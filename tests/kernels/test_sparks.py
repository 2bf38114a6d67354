"""The kernel `sparks` against its float64 twin, and against what a gradient's path must do."""

import numpy as np
import pytest

from engine.errors import SettingError, ShapeError
from engine.gpu.device import device
from engine.kernels import sparks
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference import sparks as twin
from engine.reference.field import value_and_gradient

SEEDS = np.stack(np.meshgrid(*[np.arange(-4.0, 4.0, 2.0)] * 3, indexing="ij"), -1).reshape(-1, 3)


@pytest.mark.parametrize(
    "sizes, activation", [([3, 8, 1], "tanh"), ([3, 8, 8, 2], "sine(2)"), ([3, 24, 20, 2], "gelu")], ids=str
)
def test_sparks_are_the_twins(sizes, activation):
    net = random_mlp(sizes, activation, distribution="glorot", seed=1)
    output = sizes[-1] - 1
    positions, values = sparks.trace(net, SEEDS, output=output)
    exact, exact_values = twin.trace(net, SEEDS, output=output)
    assert positions.shape == (64, 10, 3) and values.shape == (64, 10)
    # Where the gradient nears 0, at a top, a path turns by any angle for the least rounding, so only paths that keep
    # away from there are judged. Their steps bend by curvature / gradient < 20 at most, of roundings below 1e-6, over
    # lengths below 2.
    along = [twin.trace(net, SEEDS, output=output, steps=s)[0].reshape(-1, 3) for s in range(20)]
    gradients = [value_and_gradient(net, p)[1][:, output] for p in along]
    calm = np.min(np.linalg.norm(gradients, axis=2), axis=0).reshape(64, 10) > 0.1
    assert calm.mean() > 0.6
    assert abs(positions - exact).max(axis=2)[calm].max() < 2e-5
    assert abs(values - exact_values)[calm].max() < 4e-5  # slopes are below 2 here


def test_a_planes_sparks_are_straight_and_of_even_steps():
    slope = np.array([2.0, -1.0, 2.0])
    net = Mlp([slope[None]], [[0.5]], ["identity"])
    positions, values = sparks.trace(net, [[1.0, 2.0, 3.0]], vertices=10, steps=20, step=0.02)
    distance = 20 * 0.02 * (np.arange(10) - 4)
    # 20 additions of a rounded step at coordinates below 8: 20 ulp of 4.
    assert abs(positions[0] - ([1, 2, 3] + distance[:, None] * slope / 3)).max() < 20 * 2.0**-22
    assert abs(values[0] - (6.5 + 3 * distance)).max() < 1e-4


def test_vertex_four_of_ten_is_the_seed_itself():
    net = random_mlp([3, 8, 1], seed=2)
    positions, values = sparks.trace(net, SEEDS)
    assert np.array_equal(positions[:, 4], SEEDS)
    assert abs(values[:, 4] - net(SEEDS)[:, 0]).max() < 1e-5


def test_values_rise_along_a_spark():
    net = random_mlp([3, 8, 1], seed=3, scale=0.3)
    _, values = sparks.trace(net, SEEDS / 4, vertices=6, steps=20, step=0.005)
    assert (np.diff(values, axis=1) > 0).all()


def test_a_spark_stays_where_the_gradient_is_zero():
    flat = Mlp([np.zeros((1, 3))], [[0.25]], ["identity"])
    positions, values = sparks.trace(flat, SEEDS)
    assert np.array_equal(positions, np.repeat(SEEDS[:, None], 10, axis=1))
    assert np.array_equal(values, np.full((64, 10), 0.25))


def test_a_gradient_whose_square_vanishes_still_has_a_direction():
    faint = Mlp([[[1e-30, 0.0, 0.0]]], activations=["identity"])
    positions, _ = sparks.trace(faint, [[0.0, 0.0, 0.0]], vertices=4, steps=1, step=1.0)
    assert np.array_equal(positions[0, :, 0], [-1, 0, 1, 2])


def test_sparks_are_computed_again_only_after_another_network():
    net = random_mlp([3, 8, 1], seed=4)
    paths = sparks.TracedPaths(net, SEEDS)

    def record():
        assert list(paths.traced()) == [] and paths.is_traced
        return paths.array.read()

    first = record()
    # What stands in the array stays there until the network is another.
    device().queue.write_buffer(paths.array.buffer, 0, np.zeros(4, "f4"))
    assert not record()[0].any()
    paths.show(net.edited(0, 0, 0, 0.9))
    second = record()
    assert not np.array_equal(second, first)
    positions, values = sparks.trace(net.edited(0, 0, 0, 0.9), SEEDS)
    assert np.array_equal(second.reshape(64, 10, 4)[..., :3], positions)
    assert np.array_equal(second.reshape(64, 10, 4)[..., 3], values)


def test_paths_of_a_large_network_come_in_parts_whatever_these_are(monkeypatch):
    net, found = random_mlp([3, 40, 30, 1], seed=4), []
    for size in (1 << 12, 1 << 30):
        monkeypatch.setattr(sparks, "WORK", size)
        paths = sparks.TracedPaths(net, SEEDS, vertices=3, steps=2)
        parts = len(list(paths.traced()))
        assert parts >= 3 and paths.is_traced and list(paths.traced()) == []
        found.append((parts, paths.array.read()))
    assert found[0][0] > found[1][0] and np.array_equal(found[0][1], found[1][1])


def test_no_seeds_give_no_sparks():
    positions, values = sparks.trace(random_mlp([3, 8, 1]), np.zeros((0, 3)))
    assert positions.shape == (0, 10, 3) and values.shape == (0, 10)


def test_what_cannot_be_traced_is_refused():
    net = random_mlp([3, 8, 1])
    with pytest.raises(ShapeError, match=r"\(N, 3\)"):
        sparks.trace(net, np.zeros((4, 2)))
    with pytest.raises(ShapeError, match="three inputs"):
        sparks.trace(random_mlp([2, 8, 1]), SEEDS)
    with pytest.raises(SettingError, match="Output 1"):
        sparks.trace(net, SEEDS, output=1)
    with pytest.raises(SettingError, match="vertices"):
        sparks.trace(net, SEEDS, vertices=0)
    with pytest.raises(SettingError, match="0 to 60000"):
        sparks.trace(net, SEEDS, steps=70000)
