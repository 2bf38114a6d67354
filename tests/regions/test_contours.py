"""Traced boundaries: on the curve, complete on the grid, and where the exact ones are when there are exact ones."""

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.regions.contours import contours
from engine.regions.linear_regions import regions

SQUARE = Domain.plane(2, [-2.0, -2.0], [2.0, 2.0])


def length(lines):
    return sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines)


def summed(activation, weights, bias, low=(-2.0, -2.0), high=(2.0, 2.0), **more):
    """The lines of neuron 2: activation(x) w0 + activation(y) w1 + bias = 0."""
    net = Mlp([np.eye(2), [weights], np.ones((1, 1))], [None, [bias], None], [activation, activation, "identity"])
    return contours(net, Domain.plane(2, low, high), **more).polylines(2)


def test_a_straight_boundary_is_two_points_on_the_frame():
    net = Mlp([[[1.0, 2.0]], [[1.0]]], [[0.5], None], "tanh")
    (line,) = contours(net, SQUARE).polylines(0)
    assert np.abs(line @ [1.0, 2.0] + 0.5).max() < 1e-12
    assert np.abs(np.abs(line[[0, -1]]).max(axis=1) - 2.0).max() < 1e-12


def test_a_closed_curve_ends_where_it_began_and_keeps_to_its_formula():
    """exp(-x²) + exp(-y²) = 1.25 is closed."""
    (line,) = summed("gaussian", [1.0, 1.0], -1.25)
    ends = line[0] - line[-1]
    open_ = np.abs(line).max() > 1.99
    value = lambda p: np.exp(-(p[:, 0] ** 2)) + np.exp(-(p[:, 1] ** 2)) - 1.25
    assert np.abs(value(line)).max() < 1e-12
    assert not open_ and np.abs(ends).max() == 0.0


def test_chords_stay_within_the_tolerance_and_a_coarser_one_takes_fewer_points():
    counts = []
    for tolerance in (1e-4, 1e-6):
        (line,) = summed("gaussian", [1.0, 1.0], -1.25, tolerance=tolerance)
        share = np.linspace(0.1, 0.9, 9)[:, None, None]
        points = ((1 - share) * line[:-1] + share * line[1:]).reshape(-1, 2)
        gradient = -2.0 * points * np.exp(-(points**2))
        value = np.exp(-(points**2)).sum(axis=1) - 1.25
        # |z| / |grad z| is the distance but for terms of its square.
        assert (np.abs(value) / np.linalg.norm(gradient, axis=1)).max() < 1.01 * tolerance * 4.0
        counts.append(len(line))
    assert counts[0] < counts[1]


@pytest.mark.parametrize("shift", [0.0, 0.0031])
def test_where_two_branches_cross_both_go_on(shift):
    """|x| = |y|: two lines through the origin, on a grid that has a corner there and on one that has not."""
    weights = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    net = Mlp([weights, [[1, 1, -1, -1]], [[1.0]]], activations="relu")
    lines = contours(net, SQUARE, low=[-2 + shift, -2], high=[2 + shift, 2]).polylines(4)
    assert np.abs(np.abs(np.concatenate(lines)) @ [1.0, -1.0]).max() < 1e-12
    # Two diagonals, less what the moved frame cuts off of each; at the crossing a cell of 1/64 may be cut short.
    assert length(lines) == pytest.approx(2 * np.sqrt(2) * (4 - shift), abs=0.03)


@pytest.mark.parametrize(("seed", "hidden"), [(0, "relu"), (1, "relu"), (2, "6 relu + 2 identity")])
def test_where_there_are_exact_boundaries_the_traced_ones_lie_on_them(seed, hidden):
    net = random_mlp([2, 8, 8, 2], "relu", seed=seed).changed(activations=[hidden, hidden, "identity"])
    exact, traced = regions(net, SQUARE), contours(net, SQUARE)
    assert traced.neurons == exact.neurons == 16
    for neuron in range(17):
        pieces, lines = exact.segments(neuron), traced.polylines(neuron)
        if not len(pieces):
            assert not lines
            continue
        points = np.concatenate(lines)
        along = pieces[:, 1] - pieces[:, 0]
        share = np.einsum("psk,sk->ps", points[:, None] - pieces[:, 0], along) / np.maximum((along**2).sum(1), 1e-300)
        nearest = pieces[:, 0] + np.clip(share, 0, 1)[..., None] * along
        # Roots found by bisection, boundaries by interpolation: roundings of numbers near 2.
        assert np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1).max() < 1e-9
        # A chord over a kink is shorter; two branches within one cell of 1/64 may be joined the other way.
        assert length(lines) == pytest.approx(np.linalg.norm(along, axis=1).sum(), abs=0.1)


@pytest.mark.parametrize("activation", ["hardtanh(-0.5,1)", "hard_swish", "floor"])
def test_an_activation_with_kinks_is_traced_at_each(activation):
    net = Mlp([[[1.0, 2.0]], [[1.0]]], activations=[activation, "identity"])
    lines = contours(net, Domain.plane(2, [-2.5, -2.5], [2.5, 2.5])).polylines(0)
    found = sorted(line[0] @ [1.0, 2.0] for line in lines)
    wanted = {"hardtanh(-0.5,1)": [-0.5, 1], "hard_swish": [-3, 3], "floor": range(-7, 8)}[activation]
    assert found == pytest.approx(list(wanted), abs=1e-12)
    assert all(np.ptp(line @ [1.0, 2.0]) < 1e-12 for line in lines)


def test_of_many_classes_each_border_is_drawn_once():
    """Three outputs that are linear: the borders are those of the exact partition, and as long."""
    net = random_mlp([2, 6, 3], "relu", seed=4)
    exact, traced = regions(net, SQUARE), contours(net, SQUARE)
    points = np.concatenate(traced.polylines(6))
    values = np.sort(net(points), axis=1)
    assert np.abs(values[:, -1] - values[:, -2]).max() < 1e-12
    wanted = np.linalg.norm(np.diff(exact.segments(6), axis=1), axis=2).sum()
    # Where three meet a piece of a cell of 1/64 may be drawn twice.
    assert length(traced.polylines(6)) == pytest.approx(wanted, abs=0.05)


def test_one_output_decides_where_its_sum_is_zero():
    net = Mlp([[[1.0, 0.0]], [[2.0]]], [None, [1.0]], ["tanh", "sigmoid"])
    (line,) = contours(net, SQUARE).polylines(1)
    assert np.abs(line[:, 0] + np.arctanh(0.5)).max() < 1e-7  # weights are float32
    assert contours(net, SQUARE, decision=False).polylines(1) == []


def test_a_plane_through_many_inputs_is_followed():
    net = random_mlp([5, 7, 2], "sine", seed=1)
    rng = np.random.default_rng(2)
    domain = Domain(rng.normal(size=5), rng.normal(size=(2, 5)), [-1, -1], [1, 1])
    found = contours(net, domain)
    for k in range(7):
        for line in found.polylines(k):
            layer = net.layers[0]
            assert np.abs(domain.inputs(line) @ layer.weights[k].astype(float) + layer.bias[k]).max() < 1e-12


def test_a_neuron_without_a_zero_has_no_line():
    assert summed("gaussian", [1.0, 1.0], 0.1) == []


def test_the_same_network_gives_the_same_lines_twice():
    net = random_mlp([2, 6, 6, 2], "silu", seed=0)
    first, second = (contours(net, SQUARE, cells=64) for _ in range(2))
    for k in range(13):
        pairs = zip(first.polylines(k), second.polylines(k), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "wrong",
    [{"low": [0, 0], "high": [0, 1]}, {"low": [0, np.nan]}, {"cells": 1}, {"cells": 10**6}, {"high": [1, 2, 3]}],
)
def test_a_rectangle_or_a_grid_that_is_none_is_refused(wrong):
    with pytest.raises(ShapeError):
        contours(random_mlp([2, 3, 2], "tanh"), SQUARE, **wrong)


def test_a_domain_of_other_inputs_is_refused():
    with pytest.raises(ShapeError, match="3 inputs"):
        contours(random_mlp([3, 3, 2], "tanh"), SQUARE)
