"""Crossings of a picture's rays: searched where they are shaded, or stored in arrays between passes."""

import numpy as np
import pytest

import engine
from engine.draw.surfaces import crossings
from engine.draw.surfaces.classic import ClassicSurfaces
from engine.draw.surfaces.crossings import SearchedCrossings, StoredCrossings
from engine.draw.surfaces.hit_gradients import HitGradients
from engine.draw.surfaces.level_surfaces import LevelSurfaces, Region
from engine.gpu.array import Array
from engine.network.random import random_mlp
from engine.reference.field import value_and_gradient
from engine.render.renderer import Renderer, cut_short
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
    steps, found = Renderer().steps(One(make), engine.Clock(), SIZE, 1, tile_bytes=tile_bytes), None
    while found is None:
        try:
            next(steps)
        except StopIteration as done:
            found = done.value
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
    found = np.zeros((count, answers, 4), np.float32)
    found[..., 0], found[..., 1] = draws.random((count, answers)), draws.integers(0, 3, (count, answers))
    gradients = Array.of(np.full((count, most, 4), 7.0, np.float32))
    steps = HitGradients(net).steps(Array.of(rays), Array.of(found), gradients, count, answers, most)
    assert len(list(steps)) == 1
    hits = np.logical_and.accumulate(found[:, :most, 1] == 1, axis=1) & (rays[:, 0, 3] > 0)[:, None]
    assert 20 < hits.sum() < hits.size
    points = (rays[:, None, 0, :3] + rays[:, None, 1, :3] * found[:, :most, :1])[hits]
    result = gradients.read().reshape(count, most, 4)
    assert np.all(result[~hits] == 7.0)
    # Three layers in float32; gradients are about 1.
    assert np.allclose(result[hits][:, :3], value_and_gradient(net, points)[1][:, 0], atol=1e-4)


def test_progress_of_a_picture_grows_to_all_of_its_rays_and_may_be_cut_short():
    renderer, scene = Renderer(), One(lambda: LevelSurfaces(random_mlp([3, 8, 8, 1], seed=2)))
    steps, seen = renderer.steps(scene, engine.Clock(), SIZE, 4, tile_bytes=2**14), []
    whole = None
    while whole is None:
        try:
            seen.append(next(steps))
        except StopIteration as done:
            whole = done.value
    decided = [progress.decided for progress in seen]
    assert len(decided) > 10 and decided == sorted(decided) and decided[-1] < seen[0].rays == SIZE[0] * SIZE[1] * 4
    for begun in (0, 1, 5):
        steps = renderer.steps(scene, engine.Clock(), SIZE, 4, tile_bytes=2**14)
        for _ in range(begun):
            next(steps)
        assert cut_short(steps).size == SIZE
