"""A network's diagram in numbers."""

import numpy as np
import pytest

from engine.network.random import random_mlp
from engine.ui.widgets.diagram_layout import RADIUS, Edges, height_of, nodes, shares


@pytest.mark.parametrize("sizes", [(2, 16, 16, 16, 2), (2, 128, 128, 1), (3, 1)])
def test_nodes_stand_in_columns_inside_and_apart(sizes):
    height = height_of(sizes)
    points, sized = nodes(sizes, 200.0, height)
    cuts = np.cumsum(sizes)[:-1]
    places, radii = np.split(points, cuts), [part[0] for part in np.split(sized, cuts)]
    assert len(points) == len(sized) == sum(sizes) and (sized == np.repeat(radii, sizes)).all()
    for column, radius in zip(places, radii, strict=True):
        assert radius <= RADIUS and len(set(column[:, 0])) == 1
        assert (column[:, 1] - radius >= 0.0).all() and (column[:, 1] + radius <= height).all()
        assert (np.diff(column[:, 1]) > 2.0 * radius).all()
        # As far from the top as from the bottom.
        assert column[:, 1].mean() == pytest.approx(height / 2)
    across = np.array([column[0, 0] for column in places])
    assert np.diff(across) == pytest.approx(np.diff(across)[0]) and across[0] >= RADIUS and across[-1] <= 200.0 - RADIUS


def test_every_weight_of_a_small_network_is_a_line_weakest_first():
    net = random_mlp((2, 5, 4, 3), seed=2)
    edges = Edges(net)
    assert len(edges.values) == 2 * 5 + 5 * 4 + 4 * 3
    # Columns begin at nodes 0, 2, 7 and 11.
    first = {0: 0, 1: 2, 2: 7, 3: 11}
    for (start, end), value in zip(edges.ends, edges.values, strict=True):
        layer = max(k for k, at in first.items() if at <= start)
        assert net.layers[layer].weights[end - first[layer + 1], start - first[layer]] == value
    assert (np.diff(np.abs(edges.values)) >= 0.0).all()
    assert edges.strengths == pytest.approx(np.abs(edges.values) / np.abs(edges.values).max())


def test_a_given_scale_is_full_strength_and_more_is_no_stronger():
    net = random_mlp((2, 5, 1), seed=2)
    edges = Edges(net, scale=0.25)
    assert edges.strengths == pytest.approx(np.minimum(np.abs(edges.values) / 0.25, 1.0))


def test_of_a_large_network_the_strongest_of_each_layer_are_drawn():
    net = random_mlp((2, 100, 100, 100, 2), seed=3)
    edges = Edges(net, most=1000)
    layers = np.searchsorted([0, 2, 102, 202], edges.ends[:, 0], side="right") - 1
    counts = np.bincount(layers)
    # 200 weights of the first and the last layer are drawn whole, 600 are left for the other two.
    assert counts.tolist() == [200, 300, 300, 200]
    drawn = np.abs(edges.values[layers == 1])
    assert np.sort(drawn) == pytest.approx(np.sort(np.abs(net.layers[1].weights).ravel())[-300:])


def test_the_lines_of_one_node_are_all_its_weights():
    net = random_mlp((2, 5, 4, 3), seed=2)
    edges = Edges(net, of=2 + 3, most=2)
    expected = [*net.layers[0].weights[3], *net.layers[1].weights[:, 3]]
    assert sorted(edges.values) == pytest.approx(sorted(expected))
    # As strong as among all others.
    assert edges.strengths.max() == pytest.approx(np.abs(expected).max() / np.abs(Edges(net).values).max())


def test_shares_are_whole_where_there_is_room_and_alike_where_there_is_not():
    assert shares([5, 9, 3], 100) == [5, 9, 3]
    assert shares([100, 10, 100], 60) == [25, 10, 25]
    assert sum(shares([100, 100, 100], 100)) == 100
