"""Beams: what they say of how a network bends holds for each of their rays, and so do the answers found with them."""

from unittest.mock import patch

import numpy as np
import pytest

from engine.gpu.array import Array
from engine.kernels.rays import CROSSING, GRAZE, HIT, MISS, reach_of
from engine.kernels.search import beams
from engine.kernels.search.arrays import ray_array
from engine.kernels.search.casting import Casting, Levels
from engine.kernels.search.layered import Layered
from engine.network.random import random_mlp
from tests.kernels.ray_law import contradictions

SURFACES = 4
NETS = {
    "tanh": random_mlp((3, 32, 32, 32, 1), "tanh", output_bias=False),
    "tanh, narrow": random_mlp((3, 7, 10, 1), "tanh", seed=3),
    "sine": random_mlp((3, 16, 16, 1), "sine", seed=2),
    "gelu": random_mlp((3, 12, 12, 12, 1), "gelu", seed=5),
}


def camera_rays(across, half=0.15, wide=2.0, orthographic=False):
    """Rays of `across` x `across` pixels round the origin, in the order of lib/block; some are of length 0."""
    number = np.arange(across**2)
    i, group = number % 64, number // 64
    x = ((i & 3) | (i >> 1 & 4)) + 8 * (group % (across // 8))
    y = ((i >> 2 & 1) | (i >> 3 & 6)) + 8 * (group // (across // 8))
    shown = np.stack([x, y], axis=1) * (2 * half / across) - half
    d = np.concatenate([shown / 8, np.ones((len(x), 1))], axis=1)
    eye = np.array([0.3, -0.2, -8.0])
    origins = eye + 6.0 * d
    if orthographic:
        origins, d = origins + np.pad(shown, ((0, 0), (0, 1))), np.broadcast_to([0.0, 0.0, 1.0], d.shape)
    d = d / np.linalg.norm(d, axis=1, keepdims=True)
    lengths = np.where(number % 37 == 5, 0.0, 2 * wide + 0.3 * np.sin(number))
    return origins.astype("f4"), d.astype("f4"), lengths.astype("f4")


def cast(net, rays, levels):
    """What `rays.cast` returns, found by beams; and how many rays these left open."""
    casting, count = Casting(net), len(rays[0])
    crossings, costs = Array(CROSSING, count * SURFACES), Array("u4", count * 2)
    left = []
    end = beams.Beams.end
    with patch.object(beams.Beams, "end", lambda self: left.append(end(self)) or left[-1]):
        for _ in casting.steps(
            Array.of(ray_array(*rays)), count, levels, crossings, costs, surfaces=SURFACES, through=True,
            reach=reach_of(*rays), beams=True,
        ):  # fmt: skip
            pass
    found = crossings.read().reshape(count, SURFACES)
    fields = [(name, kind, (SURFACES,)) for name, kind in (("t", "f4"), ("uncertainty", "f4"), ("level", "f4"))]
    result = np.zeros(count, [*fields, ("outcome", "u1", (SURFACES,)), ("rising", "?", (SURFACES,))])
    for name in ("t", "uncertainty", "level"):
        result[name] = found[name]
    result["outcome"], result["rising"] = found["kind"] & 3, (found["kind"] & 4) > 0
    return result, left


@pytest.mark.parametrize("name", NETS)
def test_answers_by_beams_are_true(name):
    net, rays = NETS[name], camera_rays(16, orthographic=name == "sine")
    for levels in (Levels(0.1, 0.3), Levels(0.05, single=True)):
        found, left = cast(net, rays, levels)
        given = {"level": levels.level, "spacing": levels.spacing, "single": levels.single}
        some = rays[2] > 0
        assert contradictions(net, *(x[some] for x in rays), found[some], **given) == []
        assert (found["outcome"][~some, 0] == MISS).all()
        # Most rays are decided by beams.
        assert len(left) == 1 and left[0] < 0.3 * len(found)
        assert (found["outcome"][some, 0] == GRAZE).mean() < 0.05
        if not levels.single:
            assert (found["outcome"][:, 0] == HIT).mean() > 0.3


@pytest.mark.parametrize("name", NETS)
def test_curvature_along_each_ray_is_within_its_beam(name):
    net, rays = NETS[name], camera_rays(16)
    kept = []
    with patch.object(beams.Beams, "end", lambda self: kept.append(self) or 0):
        casting = Casting(net)
        crossings = Array(CROSSING, len(rays[0]))
        given = Array.of(ray_array(*rays)), len(rays[0]), Levels(0.1, 0.3), crossings
        for _ in casting.steps(*given, surfaces=1, reach=reach_of(*rays), beams=True):
            pass
    (made,) = kept
    side, layers = int(made.march["side"][0]), int(made.march["layers"][0])
    table = made.beams.read().view("f4").reshape(-1, 4)[layers:].reshape(-1, beams.BEAM + beams.MOST, 4).astype(float)
    assert len(table) == len(rays[0]) // side**2
    o, d, lengths = (x.astype(float) for x in rays)
    step, checked = 1e-3, 0
    for ray in np.flatnonzero(lengths > 0)[::7]:
        i = ray % 64
        x, y = ((i & 3) | (i >> 1 & 4)) // side, ((i >> 2 & 1) | (i >> 3 & 6)) // side
        beam = table[ray // 64 * (8 // side) ** 2 + y * (8 // side) + x]
        ends = beam[beams.BEAM : beams.BEAM + int(beam[5, 2])]
        begin = (o[ray] - beam[0, :3]) @ beam[1, :3]
        t = np.linspace(step, lengths[ray] - step, 300)
        piece = np.searchsorted(ends[:, 0], t + begin)
        t, piece = t[piece < len(ends)], piece[piece < len(ends)]
        f = [net(o[ray] + (t + x)[:, None] * d[ray])[:, 0] for x in (-step, 0.0, step)]
        bend = (f[0] - 2 * f[1] + f[2]) / step**2
        # Differences are of places beside each other, which may be in the next piece.
        around = [np.searchsorted(ends[:, 0], t + begin + x) == piece for x in (-step, step)]
        inside = around[0] & around[1]
        slack = 1e-6
        assert (bend >= ends[piece, 1] - slack)[inside].all() and (bend <= ends[piece, 2] + slack)[inside].all()
        # And float32 is as far off as is said, at most.
        points = (rays[0][ray] + t.astype("f4")[:, None] * rays[1][ray]).astype("f4")
        h = points
        for layer in net.layers:
            h = np.asarray(layer.activation.value(h @ layer.weights.T + layer.bias), np.float32)
        exact = net(o[ray] + t.astype("f4").astype(float)[:, None] * d[ray])[:, 0]
        assert (abs(h[:, 0] - exact) <= ends[piece, 3]).all()
        checked += inside.sum()
    assert checked > 1000


def test_rays_far_apart_make_no_beams():
    net, rays = NETS["tanh"], camera_rays(16, half=8.0)
    found, left = cast(net, rays, Levels(0.1, 0.3))
    assert left == [np.count_nonzero(rays[2])]
    some = rays[2] > 0
    assert contradictions(net, *(x[some] for x in rays), found[some], level=0.1, spacing=0.3) == []


@pytest.mark.parametrize("activation", ["relu", "softshrink"])
def test_kinked_networks_make_no_beams(activation):
    assert not beams.fits(Layered(random_mlp((3, 8, 8, 1), activation)))
