"""The search along rays, moved on by a tree of boxes: to each bracket in turn, and to a miss behind the last."""

import numpy as np
import pytest

from engine.errors import SettingError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.kernels.search import passes
from engine.kernels.search.arrays import CASTING, STATE
from engine.kernels.search.casting import Casting, Levels
from engine.kernels.search.layered import Layered
from engine.kernels.tree.brackets import brackets
from engine.kernels.tree.skip import skip
from engine.kernels.tree.tree import Tree
from engine.network.random import random_mlp

START, LANDED, BESIDE, DONE = 0, 1, 2, 4
LEVELS = Levels(0.1)


@pytest.fixture(scope="module")
def tree():
    tree = Tree(random_mlp((3, 16, 16, 1), "tanh", distribution="glorot", scale=2.0, seed=1), 1.0)
    list(tree.refine(LEVELS, 1 / 8))
    return tree


class Rays:
    """Rays through a tree, and what a search has of them in memory: `floats` and `words` are views of `states`."""

    def __init__(self, tree, count=200):
        rng = np.random.default_rng(3)
        self.tree, self.count = tree, count
        self.origins = rng.uniform(-1, 1, (count, 3)).astype("f4")
        directions = rng.normal(size=(count, 3))
        self.directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype("f4")
        self.lengths = np.full(count, 0.9, "f4")
        rays = np.zeros((count, 2, 4), "f4")
        rays[:, 0, :3], rays[:, 0, 3], rays[:, 1, :3] = self.origins, self.lengths, self.directions
        self.arrays = {"rays": Array.of(rays), "states": Array("u4", count * STATE * 4)}
        self.arrays |= {"crossings": Array("u4", count * 4), "costs": Array("u4", count * 2)}
        self.words = np.zeros((count, STATE * 4), np.uint32)
        self.floats = self.words.view("f4")
        # As search_begin and search_store leave it: width, no aim, until; START.
        self.floats[:, 1], self.floats[:, 2], self.floats[:, 3] = 0.2 * self.lengths, -1, self.lengths

    def skip(self):
        self.arrays["states"].write(self.words)
        casting = CASTING.new(rays=self.count, surfaces=1, level=LEVELS.level, spacing=LEVELS.spacing, segments=100)
        some = Array.of(np.arange(-2, self.count).astype(np.uint32))
        with device().recording() as encoder:
            skip(self.tree, LEVELS, Array.of(casting, "uniform"), self.arrays, some, 0, self.count).record(encoder)
        self.words[:] = self.arrays["states"].read().reshape(self.words.shape)

    @property
    def t(self):
        return self.floats[:, 0]

    @property
    def until(self):
        return self.floats[:, 3]

    @property
    def phase(self):
        return self.words[:, 8] & 7


def test_searches_begin_at_the_first_bracket_and_go_on_at_the_next(tree):
    rays = Rays(tree)
    found, counts = brackets(tree, rays.origins, rays.directions, rays.lengths, LEVELS)
    assert counts.min() == 0 and counts.max() > 1
    rays.skip()
    has = counts > 0
    assert (rays.phase[~has] == DONE).all() and not (rays.phase[has] == DONE).any()
    # Where a level may lie at once, or from which side f comes is not known, it is looked at where the ray begins.
    at_once = has & (rays.phase == START)
    moved = has & ~at_once
    assert moved.sum() > 20 and (rays.t[at_once] == 0).all() and (rays.phase[moved] == LANDED).all()
    np.testing.assert_array_equal(rays.t[moved], found[moved, 0, 0])
    assert (rays.until[moved] >= found[moved, 0, 1]).all() and (rays.until[moved] <= found[moved, 0, 1] + 1e-5).all()
    start = tree.net(rays.origins)[:, 0] - LEVELS.level
    np.testing.assert_array_equal(rays.floats[moved, 5], np.floor(start[moved]))
    assert (rays.floats[moved, 12] == 1).all()
    rays.until[at_once] = found[at_once, 0, 1]
    # As if it had been found to have no level, and f to lie beside some.
    rays.t[:], rays.words[has, 8] = np.where(has, rays.until, rays.t), BESIDE
    rays.skip()
    more = has & (counts > 1) & (found[:, 0, 1] + 1e-4 < found[:, 1, 0])
    assert more.sum() > 5
    np.testing.assert_allclose(rays.t[more], found[more, 1, 0], atol=1e-5)
    assert (rays.phase[more] == LANDED).all() and (rays.t[more] > found[more, 0, 1]).all()
    ended = rays.phase == DONE
    assert ended[counts == 0].all() and not ended[more].any()
    crossings = rays.arrays["crossings"].read().reshape(-1, 4)
    np.testing.assert_array_equal(crossings[ended, 0].view("f4"), rays.lengths[ended])
    assert (crossings[ended, 3] == 0).all()


def cast(net, rays, surfaces, levels, tree=None, reach=np.inf):
    """(t, uncertainty, level, kind) of each answer, (N, surfaces), and the segments of each ray."""
    crossings, costs = Array("u4", rays.count * surfaces * 4), Array("u4", rays.count * 2)
    steps = Casting(net).steps(
        rays.arrays["rays"], rays.count, levels, crossings, costs, surfaces=surfaces, through=True, tree=tree,
        reach=reach,
    )  # fmt: skip
    for _ in steps:
        pass
    found = crossings.read().reshape(rays.count, surfaces, 4)
    return *(found[..., i].view("f4") for i in range(3)), found[..., 3], costs.read().reshape(-1, 2)[:, 0]


@pytest.mark.parametrize("levels", [LEVELS, Levels(0.3, single=True)])
# With a reach relu networks are followed in float64, on software drivers from the start.
@pytest.mark.parametrize(("name", "far"), [("tanh", np.inf), ("relu", np.inf), ("relu", 3.0), ("sine(2)", np.inf)])
def test_a_tree_changes_no_answer_and_saves_segments(monkeypatch, name, far, levels):
    net = random_mlp((3, 16, 16, 1), name, distribution="glorot", scale=2.0 if name != "sine(2)" else 1.3, seed=1)
    # From some way outside to beyond the other side, and from within.
    tree, surfaces = Tree(net, 0.8), 4
    list(tree.refine(levels, 1 / 32))
    rays = Rays(tree, 300)
    t, reach, level, kind, segments = cast(net, rays, surfaces, levels, reach=far)
    other_t, other_reach, other_level, other_kind, fewer = cast(net, rays, surfaces, levels, tree, far)
    # What lies behind a ray's last answer is undefined.
    hit = np.cumprod(kind & 3 == 1, axis=1) > 0
    said = np.concatenate([np.ones((rays.count, 1), bool), hit[:, :-1]], axis=1)
    assert hit.sum() > 50
    np.testing.assert_array_equal(kind[said] & 3, other_kind[said] & 3)
    np.testing.assert_array_equal(kind[hit], other_kind[hit])
    np.testing.assert_array_equal(level[hit], other_level[hit])
    assert (abs(t - other_t) <= reach + other_reach)[hit].all()
    assert fewer.sum() < segments.sum()
    # By the kernel that takes many segments at once too.
    monkeypatch.setattr(passes, "HARD", 0)
    at_once_t, _, _, at_once_kind, same = cast(net, rays, surfaces, levels, tree, far)
    np.testing.assert_array_equal(other_t[said], at_once_t[said])
    np.testing.assert_array_equal(other_kind[said], at_once_kind[said])
    np.testing.assert_array_equal(fewer, same)


@pytest.mark.skipif("not device().is_software", reason="with a graphics card float32 comes first")
@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.2)"])
def test_networks_of_straight_pieces_ask_nothing_of_float32(monkeypatch, name):
    monkeypatch.setattr(Layered, "record", None)
    net, levels = random_mlp((3, 16, 16, 1), name, distribution="glorot", scale=2.0, seed=1), Levels(0.3, single=True)
    tree = Tree(net, 0.8)
    list(tree.refine(levels, 1 / 8))
    rays = Rays(tree, 200)
    kinds = [cast(net, rays, 1, levels, some, 3.0)[3][:, 0] for some in (tree, None)]
    assert len(tree.nodes) > 1 and (kinds[0] & 3 == 1).sum() > 30
    np.testing.assert_array_equal(*kinds)


def test_the_tree_of_another_network_is_refused(tree):
    other = tree.net.edited(0, 1, 2, 0.25)
    with pytest.raises(SettingError, match="needs its own"):
        cast(other, Rays(tree, 5), 1, LEVELS, tree)


def test_a_search_that_something_is_near_stays(tree):
    rays = Rays(tree)
    rays.words[:, 8], rays.t[:] = BESIDE, 0.3
    rays.until[:] = 0.5
    before = rays.words.copy()
    rays.skip()
    np.testing.assert_array_equal(rays.words, before)
    # And one that has passed its bracket, but is certain of a crossing further on.
    rays.until[:], rays.floats[:, 2] = 0.25, 0.7
    before = rays.words.copy()
    rays.skip()
    np.testing.assert_array_equal(rays.words, before)
