"""Curves of fields and of level surfaces in pictures: on the curve, all of it, and where geometry says it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.draw.surfaces.curves import chords, surface_curves
from engine.draw.surfaces.level_surfaces import Region
from engine.network.history import Domain
from engine.network.random import random_mlp
from engine.regions.contours import level_lines
from engine.regions.silhouettes import cut, level_curves
from engine.scene.space_scene import orbit_camera

SIZE = (400, 300)
CAMERA = orbit_camera(0.7, 0.3, 12.0)
FLAT = orbit_camera(0.7, 0.3, 12.0, fov=0.0, height=12.0)
# A picture 1000 pixels wide.
PIXEL = 2.0 / 1000


@settings(max_examples=8)
@given(st.integers(0, 1000), st.sampled_from(["tanh", "sine", "relu"]))
def test_a_curve_of_equal_value_lies_within_a_tenth_of_a_pixel_of_the_network_s_own(seed, activation):
    net = random_mlp([2, 6, 6, 2], activation, last="sigmoid", seed=seed)
    domain = Domain.plane(2, (-1.0, -1.0), (1.0, 1.0))
    middle = float(np.median(net(np.random.default_rng(0).uniform(-1, 1, (200, 2)))[:, 1]))
    (lines,) = level_lines(net, domain, 1, [middle], low=(-1, -1), high=(1, 1), cells=48)
    assert lines
    for line in lines:
        between = np.concatenate([line, (line[1:] + line[:-1]) / 2])
        value = net(between)[:, 1] - middle
        # Within a tenth of a pixel the value passes the level, or is it.
        reach = [
            net(between + 0.1 * PIXEL * np.array(step))[:, 1] - middle for step in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]
        passes = np.any([np.sign(r) != np.sign(value) for r in reach], axis=0)
        assert (passes | (np.abs(value) < 1e-7)).all()


def test_between_two_sides_of_a_level_there_is_always_a_curve():
    net = random_mlp([2, 6, 1], "tanh", seed=3)
    domain = Domain.plane(2, (-1.0, -1.0), (1.0, 1.0))
    (lines,) = level_lines(net, domain, 0, [0.0], low=(-1, -1), high=(1, 1), cells=64)
    grid = np.linspace(-1, 1, 65)
    points = np.stack(np.meshgrid(grid, grid), -1)
    above = net(points.reshape(-1, 2))[:, 0].reshape(65, 65) >= 0
    changes = np.argwhere(above[:, 1:] != above[:, :-1])
    middles = np.stack([(grid[changes[:, 1]] + grid[changes[:, 1] + 1]) / 2, grid[changes[:, 0]]], 1)
    everything = np.concatenate(lines)
    assert len(middles) and all(np.linalg.norm(everything - m, axis=1).min() < 2 / 64 for m in middles)


@pytest.mark.parametrize("camera", [CAMERA, FLAT])
def test_the_silhouette_of_a_sphere_is_a_circle(camera):
    value = lambda p: np.linalg.norm(p, axis=1)
    (found,) = level_curves(value, chords(camera, Region("ball", 5.0), SIZE), SIZE, [2.0], 64)
    half = camera.half_sizes(4 / 3)[1]
    # A tangent cone of a perspective camera, a cylinder of an orthographic one.
    wanted = (2.0 if camera.is_orthographic else np.tan(np.arcsin(2.0 / 12.0))) / half * SIZE[1] / 2
    (circle,) = found.silhouettes
    radii = np.linalg.norm(circle - np.array(SIZE) / 2, axis=1)
    assert np.abs(radii - wanted).max() < 0.05
    assert np.allclose(circle[0], circle[-1], atol=1e-6) and not found.near and not found.far


@pytest.mark.parametrize("kind", ["ball", "box"])
def test_a_plane_has_a_rim_on_the_region_s_border_and_no_silhouette(kind):
    region = Region(kind, 3.0)
    ends = chords(CAMERA, region, SIZE)
    (found,) = level_curves(lambda p: p[:, 1], ends, SIZE, [1.0], 64)
    assert found.near and found.far and not found.silhouettes
    for paths, end in ((found.near, 0), (found.far, 1)):
        points = np.concatenate(paths)
        places, meets = ends(points)[end], ends(points)[2]
        assert np.abs(places[:, 1] - 1.0).max() < 0.05 and meets.mean() > 0.9
        away = np.linalg.norm(places, axis=1) if kind == "ball" else np.abs(places).max(axis=1)
        assert np.allclose(away[meets], 3.0)


@pytest.mark.parametrize("camera", [CAMERA, FLAT])
@pytest.mark.parametrize("kind", ["ball", "box"])
def test_chords_are_those_of_the_region_and_the_camera(camera, kind):
    region = Region(kind, 4.0)
    points = np.random.default_rng(1).uniform((0, 0), SIZE, (80, 2))
    starts, ends, meets = chords(camera, region, SIZE)(points)
    assert 5 < meets.sum() < 80
    for (x, y), start, end, met in zip(points, starts, ends, meets, strict=True):
        origin, way = camera.ray(x / SIZE[0] * 2 - 1, 1 - y / SIZE[1] * 2, SIZE[0] / SIZE[1])
        first, length = region.chord(origin, way)
        assert met == (length > 0)
        if met:
            assert np.allclose(start, origin + first * way) and np.allclose(end, origin + (first + length) * way)


def test_a_network_s_silhouettes_are_within_a_tenth_of_a_pixel_of_its_own():
    net, region = random_mlp([3, 8, 1], "tanh", seed=11, output_bias=False), Region("ball", 5.0)
    (found,) = surface_curves(net, 0, CAMERA, region, SIZE, [0.5])
    assert found.silhouettes and found.near
    ends = chords(CAMERA, region, SIZE)
    along = np.linspace(0.0, 1.0, 3001)[:, None, None]

    def margins(points):
        """How far the largest and the least value of dense samples are above the level."""
        start, end, _ = ends(points)
        values = net((start + along * (end - start)).reshape(-1, 3))[:, 0].reshape(len(along), -1) - 0.5
        return np.stack([values.max(axis=0), values.min(axis=0)])

    for path in found.silhouettes:
        points = np.concatenate([path[1:-1:7], ((path[1:] + path[:-1]) / 2)[1:-1:7]])
        if not len(points):
            continue
        here = margins(points)
        changed = np.zeros(len(points), bool)
        for step in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)):
            changed |= (np.sign(margins(points + step)) != np.sign(here)).any(axis=0)
        # Dense samples find the extreme to a ten-millionth.
        assert (changed | (np.abs(here).min(axis=0) < 1e-6)).all()


def test_a_cut_path_ends_where_the_condition_does():
    path = np.stack([np.linspace(0, 10, 11), np.zeros(11)], 1)
    pieces = cut(path, lambda p: (p[:, 0] < 2.5) | (p[:, 0] > 7.25))
    ends = [x for piece in pieces for x in (piece[0, 0], piece[-1, 0])]
    assert len(pieces) == 2 and ends == pytest.approx([0.0, 2.5, 7.25, 10.0], abs=1e-4)
    assert cut(path, lambda p: p[:, 0] > 99) == []


def test_the_curves_of_a_network_without_a_surface_are_none():
    net = engine.random_mlp([3, 8, 1], "tanh", seed=1)
    (found,) = surface_curves(net, 0, CAMERA, Region("ball", 5.0), (80, 60), [1e6])
    assert not (found.silhouettes or found.near or found.far)
