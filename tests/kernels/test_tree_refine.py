"""Trees of boxes: a box that is proven empty holds no level, and brackets of rays hold every crossing."""

from dataclasses import dataclass

import numpy as np
import pytest

from engine.errors import SettingError
from engine.kernels.tree.brackets import brackets
from engine.kernels.tree.tree import NODE, Tree, holds_level
from engine.network.random import random_mlp

SAMPLES = 100_000


@dataclass(frozen=True)
class Held:
    level: float = 0.0
    spacing: float = 1.0
    single: bool = False


ONE, MANY = Held(0.5, single=True), Held(0.1, 1.0)


def grown(net, levels, finest, half=1.0, most=1 << 16, tree=None):
    """(tree, what it said at the end)."""
    tree = tree or Tree(net, half)
    steps = tree.refine(levels, finest, most=most)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return tree, stop.value


def below(values, levels):
    """Between which levels values lie."""
    return np.floor((values - levels.level) / levels.spacing) if not levels.single else values > levels.level


def corners(tree):
    """Lower corners (N, 3) and sides (N, 3) of its boxes."""
    sides = 2 * tree.half.astype(float) / 2.0 ** tree.depths[:, None]
    return tree.cells * sides - tree.half, sides


def glorot(sizes, activation, scale, seed=1):
    return random_mlp(sizes, activation, distribution="glorot", scale=scale, seed=seed)


UNITS = ["4 product + 3 gelu + 1 identity", "5 leaky_relu(0.1) + 2 sine(2)", "identity"]
NETS = {
    "relu": (glorot((3, 16, 16, 16, 1), "relu", 2.0), ONE),
    "tanh": (glorot((3, 16, 16, 1), "tanh", 2.0), MANY),
    "sine": (glorot((3, 16, 16, 1), "sine(2)", 1.5), ONE),
    "units": (random_mlp((3, 8, 7, 1), seed=5).changed(activations=UNITS), ONE),
}


@pytest.fixture(scope="module")
def trees():
    return {name: (net, levels, *grown(net, levels, 2 / 16)) for name, (net, levels) in NETS.items()}


@pytest.mark.parametrize("name", NETS)
def test_leaves_that_are_proven_hold_no_level(trees, name):
    net, levels, tree, said = trees[name]
    assert said.why == "done" and 0 < said.open < 1
    empty = np.setdiff1d(tree.leaves(), tree.leaves(levels))
    corner, sides = (x[empty] for x in corners(tree))
    rng = np.random.default_rng(0)
    # As many samples for each leaf as its part of space, some of them on its faces.
    volume = sides.prod(axis=1)
    at = rng.choice(len(empty), SAMPLES, p=volume / volume.sum())
    places = rng.uniform(0, 1, (SAMPLES, 3))
    faces = np.arange(SAMPLES // 4)
    places[faces, faces % 3] = rng.integers(0, 2, len(faces))
    values = net(corner[at] + places * sides[at])[:, 0]
    nodes = tree.nodes[empty[at]]
    assert (values >= nodes["least"]).all() and (values <= nodes["most"]).all()
    same = below(nodes["least"].astype(float), levels) == below(nodes["most"].astype(float), levels)
    assert same.all()


@pytest.mark.parametrize("name", NETS)
def test_planes_of_leaves_hold(trees, name):
    net, _, tree, _ = trees[name]
    leaves = tree.leaves()
    corner, sides = (x[leaves] for x in corners(tree))
    points = corner[:, None] + np.random.default_rng(1).uniform(0, 1, (len(leaves), 20, 3)) * sides[:, None]
    values = net(points.reshape(-1, 3))[:, 0].reshape(points.shape[:2])
    nodes = tree.nodes[leaves]
    planes = np.einsum("nij,nj->ni", points, nodes["slopes"].astype(float))
    assert (values >= planes + nodes["low"][:, None]).all() and (values <= planes + nodes["high"][:, None]).all()


def rays(count, half=1.0, seed=0):
    """Rays from outside and inside, some along axes, some flat in one or two of them."""
    rng = np.random.default_rng(seed)
    origins = rng.normal(size=(count, 3))
    origins *= 2 * half / np.linalg.norm(origins, axis=1, keepdims=True)
    origins[: count // 4] = rng.uniform(-half, half, (count // 4, 3))
    directions = rng.uniform(-0.8, 0.8, (count, 3)) * half - origins
    directions[::7, 0] = 0.0
    directions[3::11] = np.eye(3)[rng.integers(0, 3, len(directions[3::11]))]
    # Along the planes between boxes.
    origins[3::22] = rng.integers(-4, 5, (len(origins[3::22]), 3)) * half / 4
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return origins.astype("f4"), directions.astype("f4"), np.full(count, 4 * half, "f4")


@pytest.mark.parametrize("name", NETS)
def test_brackets_hold_every_crossing(trees, name):
    net, levels, tree, _ = trees[name]
    origins, directions, lengths = rays(600)
    found, counts = brackets(tree, origins, directions, lengths, levels)
    steps = 600
    t = np.linspace(0, 4, steps)
    points = origins[:, None].astype(float) + t[:, None] * directions[:, None].astype(float)
    values = below(net(points.reshape(-1, 3))[:, 0], levels).reshape(len(origins), steps)
    ray, at = np.nonzero(values[:, 1:] != values[:, :-1])
    assert len(ray) > 100 and counts.max() < found.shape[1]
    used = np.arange(found.shape[1]) < counts[:, None]
    holds = (found[ray, :, 0] <= t[at + 1, None]) & (found[ray, :, 1] >= t[at, None]) & used[ray]
    assert holds.any(axis=1).all()
    # They leave something out, of what lies in the tree.
    inside = np.abs(points).max(axis=2) < 1
    bracketed = ((found[..., 0, None] <= t) & (found[..., 1, None] >= t) & used[..., None]).any(axis=1)
    assert bracketed[inside].mean() < 0.9


def test_brackets_are_the_crossings_where_planes_are_exact():
    # f is x: a leaf's planes are f itself, and its brackets nothing but the levels.
    net = random_mlp((3, 4, 1), "identity").changed(
        weights=[np.eye(4, 3), [[1, 0, 0, 0]]], biases=[np.zeros(4), np.zeros(1)]
    )
    levels = Held(0.125, 0.5)
    tree, _ = grown(net, levels, 0.25)
    origins = np.array([[-1, 0.3, 0.1], [0.2, -1, 0]], "f4")
    directions = np.array([[1, 0, 0], [0, 1, 0]], "f4")
    found, counts = brackets(tree, origins, directions, [2, 2], levels)
    assert list(counts) == [4, 0]
    np.testing.assert_allclose(found[0, :4].mean(axis=1), np.array([-0.875, -0.375, 0.125, 0.625]) + 1, atol=1e-4)
    assert (found[0, :4, 1] - found[0, :4, 0]).max() < 1e-3


def test_far_origins_and_rays_beside_the_tree_are_searched_whole():
    net = NETS["tanh"][0]
    tree, _ = grown(net, MANY, 0.5)
    origins = np.array([[100, 0, 0], [0, 3, 0], [-2, 0, 0]], "f4")
    directions = np.array([[-1, 0, 0], [1, 0, 0], [1, 0, 0]], "f4")
    found, counts = brackets(tree, origins, directions, [200, 5, 5], MANY)
    np.testing.assert_array_equal(found[:2, 0], [[0, 200], [0, 5]])
    assert list(counts[:2]) == [1, 1]
    # Up to the tree, and behind it.
    assert found[2, 0, 0] == 0 and found[2, 0, 1] > 1 - 1e-3
    assert found[2, counts[2] - 1, 1] == 5


def test_other_levels_refine_what_they_need_in_either_order():
    net = NETS["tanh"][0]
    there, _ = grown(net, ONE, 0.125)
    many = len(there.nodes)
    there, _ = grown(net, MANY, 0.125, tree=there)
    back, _ = grown(net, MANY, 0.125)
    back, _ = grown(net, ONE, 0.125, tree=back)
    assert len(there.nodes) > many
    # The same boxes but for some on the verge, whose ranges were inherited in one order only.
    assert abs(len(there.nodes) - len(back.nodes)) <= 0.05 * len(back.nodes)
    for levels in (ONE, MANY):
        for tree in (there, back):
            leaves = tree.leaves(levels)
            assert (tree.depths[leaves] == 4).all()
        assert abs(there.share_open(levels) - back.share_open(levels)) < 0.05


def test_the_same_calls_make_the_same_tree():
    net = NETS["relu"][0]
    assert grown(net, ONE, 0.25)[0].nodes.tobytes() == grown(net, ONE, 0.25)[0].nodes.tobytes()


def test_a_tree_is_right_wherever_it_is_stopped_and_goes_on_from_there():
    net = NETS["tanh"][0]
    tree = Tree(net, 1.0)
    steps = tree.refine(MANY, 0.0625)
    while next(steps).depth < 4:
        pass
    steps.close()
    some = len(tree.leaves())
    tree, said = grown(net, MANY, 0.0625, tree=tree)
    assert len(tree.leaves()) > some and said.why == "done"


def test_no_more_boxes_are_made_than_allowed():
    tree, said = grown(NETS["tanh"][0], MANY, 0.01, most=5000)
    assert said.why == "most" and len(tree.nodes) <= 5000


def for_rays(rays):
    net, levels = NETS["tanh"]
    tree = Tree(net, 1.0)
    steps = tree.refine(levels, 2 / 64, rays=rays)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return tree, stop.value.why


def test_a_tree_is_not_begun_where_its_kernels_take_longer_to_compile_than_it_saves():
    tree, why = for_rays(1_000)
    assert why == "rays" and len(tree.nodes) == 1 and tree.bounded == 0


def test_a_tree_for_few_rays_is_coarse(monkeypatch):
    monkeypatch.setitem(Tree.refine.__globals__, "COMPILING", 0.0)
    trees = [for_rays(rays) for rays in (1, 1_000, 10_000_000)]
    (none, why_none), (coarse, why_coarse), (fine, _) = trees
    assert (why_none, len(none.nodes)) == ("rays", 1)
    assert why_coarse == "rays" and 1 < len(coarse.nodes) < len(fine.nodes) / 4


def test_a_network_of_which_nothing_is_proven_stays_one_box():
    tree, said = grown(random_mlp((3, 32, 32, 1), "sine(30)", scale=8.0, seed=1), Held(0, 0.01), 0.5)
    assert said.why == "nothing is proven" and len(tree.nodes) == 1
    found, counts = brackets(tree, *rays(10), Held(0, 0.01))
    assert (counts >= 1).all() and (found[np.arange(10), counts - 1, 1] == 4).all()


def test_sides_that_are_none_are_refused():
    with pytest.raises(SettingError, match="above 0"):
        Tree(NETS["tanh"][0], (1.0, 0.0, 1.0))
    with pytest.raises(SettingError, match="above 0"):
        next(Tree(NETS["tanh"][0], 1.0).refine(ONE, 0.0))


def test_a_level_at_the_end_of_a_range_is_held():
    least, most = np.array([0.0, 0.1, -0.2, 0.9]), np.array([0.2, 0.9, 0.0, 1.0])
    assert list(holds_level(least, most, Held())) == [True, False, True, True]
    assert list(holds_level(least, most, Held(single=True))) == [True, False, True, False]
    assert NODE.itemsize == 32
