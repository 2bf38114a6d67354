"""Crossings of a picture's rays: searched where they are shaded, or stored in arrays between passes."""

import math

import numpy as np
import pytest

import engine
from benchmarks.networks import ball_rays, siren
from engine.draw.drawable import Aim
from engine.draw.node import transformed
from engine.draw.surfaces import crossings, hit_gradients
from engine.draw.surfaces import draft as drafting
from engine.draw.surfaces.classic import ClassicSurfaces
from engine.draw.surfaces.crossings import SearchedCrossings, StoredCrossings
from engine.draw.surfaces.draft import Draft
from engine.draw.surfaces.hit_gradients import HitGradients
from engine.draw.surfaces.level_surfaces import LevelSurfaces, Region
from engine.gpu.array import Array
from engine.kernels.rays import CROSSING, HIT, MISS, cast
from engine.kernels.search.budget import Allowance, Budget
from engine.kernels.search.casting import Levels
from engine.kernels.search.progress import Progress
from engine.kernels.tree.brackets import brackets
from engine.kernels.tree.tree import Growth, Tree
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference.field import value_and_gradient
from engine.render.picture import Picture
from engine.render.renderer import Renderer, advanced, cut_short
from engine.view.camera import Camera

NET = random_mlp([3, 8, 1], "tanh", seed=5)
# No side is a multiple of eight: workgroups reach over the tile's edge.
SIZE = (45, 27)


class One(engine.Scene):
    """A scene of one node, turned and stretched."""

    home = Camera(eye=(4.0, 5.0, 9.0))

    def __init__(self, make, **more):
        self.make = make
        super().__init__(**more)

    def build(self, stage):
        self.node = stage.add(self.make())
        self.node.transform = np.array([[1.2, 0.1, 0, 0.3], [0, 0.9, 0.2, 0], [0.1, 0, 1.0, -0.2], [0, 0, 0, 1]])


def picture(make, tile_bytes=None):
    steps = Renderer().steps(One(make), engine.Clock(), SIZE, 1, tile_bytes=tile_bytes)
    while not isinstance(found := advanced(steps), Picture):
        pass
    return found.pixels(), found.report


@pytest.mark.parametrize("kind", [LevelSurfaces, ClassicSurfaces])
@pytest.mark.parametrize("more", [{"debug": "segments"}, {"region": Region("box", (2, 3, 4)), "surfaces": 3}])
def test_stored_crossings_draw_what_searched_ones_draw(monkeypatch, kind, more):
    make = lambda: kind(NET, spacing=0.6, **more)
    assert isinstance(make()._crossings, SearchedCrossings)
    searched = picture(make)
    monkeypatch.setattr(crossings, "is_written_out", lambda shape: False)
    assert isinstance(make()._crossings, StoredCrossings)
    # Tiles whose corners lie anywhere give the same.
    for tile_bytes in (None, 31 * 7 * 8 * 16):
        stored = picture(make, tile_bytes)
        assert stored[1] == searched[1]
        # Both compute the same; compilers may round a sum in another order.
        assert np.abs(stored[0].astype(int) - searched[0]).max() <= 1


def test_gradients_are_those_of_float64_at_each_hit_and_nothing_else_is_written():
    net = random_mlp([3, 20, 12, 1], "gelu", seed=3)
    draws = np.random.default_rng(1)
    count, answers, most = 90, 3, 2
    rays = np.zeros((count, 2, 4), np.float32)
    rays[:, 0, :3], rays[:, 0, 3] = draws.normal(size=(count, 3)), draws.random(count) > 0.2
    rays[:, 1, :3] = draws.normal(size=(count, 3))
    found = np.zeros((count, answers), CROSSING)
    found["t"], found["kind"] = draws.random((count, answers)), draws.choice([0, 1, 2, 5], (count, answers))
    gradients = Array.of(np.full((count, most, 4), 7.0, np.float32))
    steps = HitGradients(net).steps(Array.of(rays), Array.of(found), gradients, count, answers, most, Levels(0.0))
    assert len(list(steps)) == 1
    hits = np.logical_and.accumulate(found["kind"][:, :most] & 3 == HIT, axis=1) & (rays[:, 0, 3] > 0)[:, None]
    assert 20 < hits.sum() < hits.size
    points = (rays[:, None, 0, :3] + rays[:, None, 1, :3] * found["t"][:, :most, None])[hits]
    result = gradients.read().reshape(count, most, 4)
    assert np.all(result[~hits] == 7.0)
    # Three layers in float32; gradients are about 1.
    assert np.allclose(result[hits][:, :3], value_and_gradient(net, points)[1][:, 0], atol=1e-4)


def test_a_draft_that_takes_long_follows_each_rays_first_surfaces_and_has_those_behind_face_it(monkeypatch):
    monkeypatch.setattr(hit_gradients, "LONGEST", 0.0)
    net, count, most = random_mlp([3, 16, 16, 1], "tanh", seed=3), 70, 4
    draws = np.random.default_rng(1)
    rays, found = np.zeros((count, 2, 4), np.float32), np.zeros((count, most), CROSSING)
    rays[:, 0, :3], rays[:, 0, 3], rays[:, 1, :3] = draws.normal(size=(count, 3)), 1.0, [0.6, 0.8, 0.0]
    found["t"], found["kind"] = np.sort(draws.random((count, most)), axis=1), HIT
    gradients, levels = Array("f4", 4 * count * most), Levels(0.0)
    given = Array.of(rays), Array.of(found), gradients, count, most, most, levels
    list(HitGradients(net).steps(*given, places=1 << 20))  # places so close that hits stay where they are
    result = gradients.read().reshape(count, most, 4)[..., :3]
    points = rays[:, 0, :3] + rays[:, 1, :3] * found["t"][:, :1]
    assert np.allclose(result[:, 0], value_and_gradient(net, points)[1][:, 0], atol=1e-4)
    assert (result[:, 1:] == rays[:, None, 1, :3]).all()


def test_hits_are_moved_to_where_the_network_is_at_the_level_but_not_out_of_their_uncertainty():
    net, levels = random_mlp([3, 16, 16, 1], "tanh", seed=3), Levels(0.05, 0.1)
    origins = np.random.default_rng(2).normal(size=(60, 3)).astype("f4")
    rays = np.zeros((60, 2, 4), np.float32)
    rays[:, 0, :3], rays[:, 0, 3], rays[:, 1, :3] = origins, 2.0, [0.6, 0.8, 0.0]
    certain = cast(net, origins, rays[:, 1, :3], 2.0, level=0.05, spacing=0.1)
    hit = certain["outcome"][:, 0] == HIT
    assert hit.sum() > 20
    off, found = certain["uncertainty"][:, 0], np.zeros(60, CROSSING)
    found["t"], found["uncertainty"], found["level"] = certain["t"][:, 0] + 1e-3, 2e-3, certain["level"][:, 0]
    found["kind"], found["uncertainty"][::2] = certain["outcome"][:, 0], 1e-4
    given = Array.of(found)
    list(HitGradients(net).steps(Array.of(rays), given, Array("f4", 4 * 60), 60, 1, 1, levels))
    moved = given.read()["t"].astype(float)

    def value(t):
        return net(origins + rays[:, 1, :3] * t[:, None])[:, 0]

    level = 0.05 + 0.1 * certain["level"][:, 0]
    free = hit & (np.arange(60) % 2 == 1) & (off < 1e-3)
    assert abs(value(moved) - level)[free].max() < 1e-5 < abs(value(found["t"].astype(float)) - level)[free].min()
    assert np.allclose(abs(moved - found["t"])[hit & ~free], 1e-4, rtol=1e-2)
    assert (moved == found["t"])[~hit].all()


def test_a_pick_is_as_certain_as_the_picture():
    net = siren(256)
    node = LevelSurfaces(net, single=True, region=Region("ball", 1.0))
    origins, *_ = ball_rays(8, radius=1.0, distance=3.0)
    hits = [node.pick(Aim(tuple(3 * o), tuple(-o / np.linalg.norm(o))), np.eye(4)) for o in origins[::3]]
    assert sum(hit is not None and hit.certain for hit in hits) > 0.8 * len(hits)


def test_a_pick_whose_time_is_over_says_that_it_is_not_certain(monkeypatch):
    node, aim = (
        LevelSurfaces(siren(64), single=True, region=Region("ball", 1.0)),
        Aim((0.0, 0.0, 3.0), (0.0, 0.0, -1.0)),
    )
    assert node.pick(aim, np.eye(4)).certain
    monkeypatch.setattr(crossings, "PICK", Budget(segments=1024, seconds=0.0))
    assert not node.pick(aim, np.eye(4)).certain


def test_a_draft_is_near_what_is_certain_where_surfaces_lie_apart(monkeypatch):
    # On a busy machine it would take fewer places of each ray.
    monkeypatch.setattr(drafting, "LONGEST", np.inf)
    scene, renderer = One(lambda: LevelSurfaces(random_mlp([3, 12, 12, 1], seed=2), spacing=0.8)), Renderer()
    pictures, reports = [], []
    for draft in (False, True):
        steps = renderer.steps(scene, engine.Clock(), SIZE, 1, draft=draft)
        while not isinstance(found := advanced(steps), Picture):
            assert 0 <= found.decided <= found.rays == SIZE[0] * SIZE[1]
        pictures.append(found.pixels().astype(int))
        reports.append(found.report)
    # Nothing of a draft is certain, and all of this picture is.
    assert reports[0].certified == 1.0 and reports[1].certified == 0.0
    # Newton's step is off by the square of a part of a gap of 0.2; beside edges one may see what the other does not.
    apart = np.abs(pictures[0] - pictures[1]).max(axis=-1)
    assert np.mean(apart > 4) < 0.05 and np.ptp(pictures[0]) > 100


def test_without_a_budget_every_ray_in_the_region_is_undecided_and_hatched():
    renderer, scene = Renderer(), One(lambda: LevelSurfaces(random_mlp([3, 8, 8, 1], seed=2)))
    renderer.budget = Budget(seconds=0.0)
    picture = renderer.frame(scene, engine.Clock(), SIZE, 1)
    pixels, report = picture.pixels()[..., :3].astype(int), picture.report
    grey = np.ptp(pixels, axis=-1) <= 2
    # The stripes are two greys, of which no theme's background is one.
    assert grey.sum() == report.undecided > 400 and len(np.unique(pixels[grey].mean(axis=-1).round(-1))) == 2


def test_a_tiny_network_is_searched_for_no_more_segments_than_the_budget_has():
    renderer, scene = Renderer(), One(lambda: LevelSurfaces(random_mlp([3, 8, 1], seed=2)))
    undecided = []
    for segments in (2, 6, 1 << 14):
        renderer.budget = Budget(segments=segments)
        undecided.append(renderer.frame(scene, engine.Clock(), SIZE, 1).report.undecided)
    assert undecided[0] > undecided[1] > undecided[2] == 0


@pytest.mark.parametrize("single", [False, True])
def test_a_draft_lists_the_levels_between_its_places_front_to_back(single):
    # f = x: levels are planes, which lines between places find exactly.
    net, count, answers = Mlp([np.eye(1, 3)], None, ["identity"]), 70, 7
    draws = np.random.default_rng(3)
    rays = np.zeros((count, 2, 4), np.float32)
    rays[:, 0, :3], rays[:, 0, 3] = draws.normal(size=(count, 3)), 4 * draws.random(count) * (draws.random(count) > 0.2)
    rays[:, 1, 0] = np.where(draws.random(count) > 0.5, 1, -1)
    found, costs = Array(CROSSING, count * answers), Array("u4", 2 * count)
    steps = Draft(net).steps(Array.of(rays), found, costs, count, answers, 0.1, 0.7, single)
    assert list(steps) == [count]
    for (start, direction), row in zip(rays, found.read().reshape(count, answers), strict=True):
        ends = sorted((start[0], start[0] + direction[0] * start[3]))
        levels = [0] if single else range(math.ceil((ends[0] - 0.1) / 0.7), math.floor((ends[1] - 0.1) / 0.7) + 1)
        crossed = sorted((abs(0.1 + 0.7 * k - start[0]), k) for k in levels if ends[0] < 0.1 + 0.7 * k < ends[1])
        hits = [(t, k) for t, _, k, kind in row[: len(crossed)] if kind & 3 == HIT]
        assert np.allclose(hits, crossed[:answers], atol=1e-5) and len(crossed) < answers
        assert row[len(crossed)]["kind"] == MISS


def test_progress_of_a_picture_grows_to_all_of_its_rays_and_may_be_cut_short():
    renderer, scene = Renderer(), One(lambda: LevelSurfaces(random_mlp([3, 8, 8, 1], seed=2)))
    steps, seen = renderer.steps(scene, engine.Clock(), SIZE, 4, tile_bytes=2**14), []
    while isinstance(found := advanced(steps), Progress):
        seen.append(found)
    decided = [progress.decided for progress in seen]
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares) and 0.0 <= shares[0] < 0.1 < 0.9 < shares[-1] <= 1.0
    assert {progress.stage for progress in seen} == {"rays", "normals"}
    assert len(decided) > 10 and decided == sorted(decided) and decided[-1] < seen[0].rays == SIZE[0] * SIZE[1] * 4
    left = []
    for begun in (0, 1, 9):
        steps = renderer.steps(scene, engine.Clock(), SIZE, 4, tile_bytes=2**14)
        for _ in range(begun):
            next(steps)
        report = cut_short(steps).report
        left.append(report.undecided)
        assert report.rays == found.report.rays < seen[0].rays
    # What was decided before stays, and what was not is said to be open; rays beside the region do not count.
    assert report.rays == left[0] >= left[1] > left[2] > 0 == found.report.undecided


@pytest.mark.parametrize("kind", [LevelSurfaces, ClassicSurfaces])
@pytest.mark.parametrize("sizes", [(3, 8, 1), (3, 8, 8, 1)])
@pytest.mark.parametrize("region", [Region("ball", 2.0), Region("box", (1.0, 2.0, 3.0))])
def test_only_rays_that_enter_the_region_count(kind, sizes, region):
    scene = One(lambda: kind(random_mlp(sizes, seed=2), region=region, single=True, level=0.2))
    steps = Renderer().steps(scene, engine.Clock(), SIZE, 1)
    while not isinstance(found := advanced(steps), Picture):
        pass
    inverse, entering = np.linalg.inv(scene.node.transform), 0
    for y, x in np.ndindex(SIZE[::-1]):
        aim = Aim.at(scene.camera, SIZE, x, y)
        direction = inverse[:3, :3] @ aim.direction
        origin = transformed(inverse, aim.origin)
        entering += region.chord(origin, direction / np.linalg.norm(direction))[1] > 0
    # One that only touches it may be told either way in float32.
    assert abs(found.report.rays - entering) <= 2 and 20 < entering < SIZE[0] * SIZE[1]
    assert 0 < found.report.hits < found.report.rays and not found.report.is_empty


def test_a_tree_of_boxes_draws_what_is_drawn_without_and_says_what_it_leaves(monkeypatch):
    net = random_mlp([3, 12, 12, 1], seed=2)
    node = lambda debug="none": LevelSurfaces(net, single=True, level=0.4, debug=debug, map="grey")
    alone = picture(node)
    # As if each segment of a ray cost as much as thousands of boxes: a picture so small is not worth a tree.
    for name in ("SEGMENTS", "LAYER_SEGMENTS"):
        monkeypatch.setitem(Tree._is_worth.__globals__, name, 1e6)
    scene, renderer = One(node), Renderer()
    steps, seen = renderer.steps(scene, engine.Clock(), SIZE, 1), []
    while isinstance(through := advanced(steps), Progress):
        seen.append(through)
    # It goes on while boxes are proven too, when no ray is decided.
    boxes = [progress for progress in seen if progress.stage == "boxes"]
    shares = [progress.share for progress in seen]
    assert boxes[0].decided == boxes[-1].decided == 0 and boxes[0].share < 0.2 < boxes[-1].share < 0.5
    assert shares == sorted(shares)
    tree = scene.node._crossings._tree
    assert len(tree.nodes) > 500 and 0.0 < tree.share_open(Levels(0.4, single=True)) < 0.5
    # Segments end elsewhere, and so does rounding.
    assert np.mean(np.abs(through.pixels().astype(int) - alone[0]).max(axis=-1) > 1) < 0.01
    assert through.report.undecided == alone[1].undecided == 0
    # Another network has another tree; the same one again has the one there is.
    renderer.frame(scene, engine.Clock(), SIZE, 1)
    assert scene.node._crossings._tree is tree
    scene.node.show(net.edited(0, 0, 0, 0.9))
    renderer.frame(scene, engine.Clock(), SIZE, 1)
    assert scene.node._crossings._tree is not tree

    scene = One(lambda: node("tree"))
    renderer.frame(scene, engine.Clock(), SIZE, 1)
    stored = scene.node._crossings
    rays = stored.rays.read()[: 2 * stored.costs.count // 2].reshape(-1, 2, 4)
    inside = rays[:, 0, 3] > 0
    rays = rays[inside]
    pieces, counts = brackets(stored._tree, rays[:, 0, :3], rays[:, 1, :3], rays[:, 0, 3], Levels(0.4, single=True))
    assert counts.max() < 64
    known = np.arange(64) < counts[:, None]
    left = np.where(known, pieces[..., 1] - pieces[..., 0], 0.0).sum(axis=1) / rays[:, 0, 3]
    shown = stored.costs.read().reshape(-1, 2)[inside, 1].view("f4")
    assert np.allclose(shown, left, atol=1e-4) and left.min() == 0.0 and left.max() > 0.2


def test_where_there_is_no_tree_all_of_each_ray_is_left_to_search():
    scene = One(lambda: LevelSurfaces(random_mlp([3, 12, 12, 1], seed=2), spacing=1e-3, debug="tree"))
    Renderer().frame(scene, engine.Clock(), SIZE, 1)
    stored = scene.node._crossings
    assert stored._tree is None and (stored.costs.read().reshape(-1, 2)[:, 1].view("f4") == 1.0).all()


def test_half_of_a_time_is_left_for_rays_when_a_tree_takes_long(monkeypatch):
    net, refined = random_mlp([3, 12, 12, 1], seed=2), []

    def endless(tree, *_, **__):
        while True:
            refined.append(tree)
            yield Growth(8, 1, 1.0)

    monkeypatch.setattr(Tree, "refine", endless)
    renderer = Renderer()
    renderer.budget = Budget(seconds=20.0)
    monkeypatch.setattr(Allowance, "is_half_over", property(lambda allowance: len(refined) == 3))
    found = renderer.frame(One(lambda: LevelSurfaces(net, single=True, level=0.4)), engine.Clock(), SIZE, 1)
    assert len(refined) == 3 and found.report.undecided == 0


def test_boxes_take_no_more_than_half_of_a_budget_of_segments_and_progress_says_how_far_they_are(monkeypatch):
    taken = []

    def endless(tree, *_, **__):
        while True:
            taken.append(SIZE[0] * SIZE[1] * len(taken))
            yield Growth(8, 1, 1.0, spent=taken[-1])

    monkeypatch.setattr(Tree, "refine", endless)
    renderer = Renderer()
    renderer.budget = Budget(segments=16)
    scene = One(lambda: LevelSurfaces(random_mlp([3, 12, 12, 1], seed=2), single=True, level=0.4))
    boxes = [p.share for p in renderer.steps(scene, engine.Clock(), SIZE, 1) if getattr(p, "stage", "") == "boxes"]
    # One segment of each ray more with each batch.
    assert len(taken) == 10 and boxes == sorted(boxes) and boxes[0] == 0.0 and len(set(boxes)) > 6


def test_what_boxes_have_taken_is_told_after_each_batch_that_is_tried():
    tree = Tree(random_mlp([3, 64, 64, 64, 1], "tanh", scale=40.0, seed=1), 1.0)
    spent = [growth.spent for growth in tree.refine(Levels(0.0, 1.0, single=True), 1e-3, rays=1 << 22)]
    assert len(spent) > 2 and spent == sorted(spent) and spent[0] > 0.0
