"""Debug views: the number that a colour stands for is the one that the search, its twin or a formula gives."""

import functools

import numpy as np
import pytest

import engine
from engine.draw.colour import colours
from engine.draw.surfaces.debug_views import VIEWS
from engine.draw.surfaces.level_surfaces import LevelSurfaces, Region
from engine.errors import SettingError
from engine.kernels import rays
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference import rays as twin
from engine.render.renderer import Renderer
from engine.view.camera import Camera

SIZE = (32, 24)
CAMERA = Camera(eye=(4.0, 5.0, 9.0))
NET = random_mlp([3, 8, 1], "tanh", seed=5)
SPACING, SURFACES = 0.7, 6


class One(engine.Scene):
    """A scene of one node."""

    def __init__(self, node, camera=CAMERA, **more):
        self.node, self.home = node, camera
        super().__init__(**more)

    def build(self, stage):
        stage.add(self.node)


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def surfaces(view, net=NET, **more):
    return LevelSurfaces(net, **{"spacing": SPACING, "surfaces": SURFACES, "debug": view, "map": "grey", **more})


def values(renderer, node, camera=CAMERA, theme="dark"):
    """(H, W) the numbers that the picture's colours stand for by the node's legend; NaN beside the region."""
    pixels = renderer.frame(One(node, camera, theme=theme), engine.Clock(), SIZE, 1).pixels()[..., :3].astype(int)
    legend = node.debug_legend(camera, np.eye(4))
    places = np.linspace(0.0, 1.0, 4097)
    linear = colours(legend.map, "image" if legend.card else theme, places)
    shown = np.round(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255)
    distance = np.abs(pixels[:, :, None] - shown[None, None]).max(axis=-1)
    # A colour may be a step beside the map's: dither is half a step, and layers are halves of floats.
    found = legend.low + (legend.high - legend.low) * places[distance.argmin(axis=-1)]
    return np.where(distance.min(axis=-1) <= 2, found, np.nan)


def chords(camera=CAMERA, radius=5.0):
    """(inside (H, W), entries, directions, lengths, starts) of the rays through the pixels that meet the ball."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width] + 0.5
    places = zip((x / width * 2 - 1).flat, (1 - y / height * 2).flat, strict=True)
    pairs = [camera.ray(*place, width / height) for place in places]
    origins, directions = (np.array(part) for part in zip(*pairs, strict=True))
    found = np.array([Region("ball", radius).chord(o, d) for o, d in zip(origins, directions, strict=True)])
    inside = found[:, 1] > 0.05
    starts, lengths = found[inside].T
    entries = origins[inside] + directions[inside] * starts[:, None]
    return inside.reshape(height, width), entries, directions[inside], lengths, starts


@functools.cache
def searched(module, surfaces=SURFACES):
    """What a kernel or its twin finds along the picture's rays; the twin takes a quarter of a minute, so once."""
    inside, entries, directions, lengths, starts = chords()
    found = module.cast(NET, entries, directions, lengths, spacing=SPACING, surfaces=surfaces)
    return inside, entries, directions, starts, found


def test_segments_are_those_that_the_kernel_reports(renderer):
    # A picture looks for one surface more than it shows, to count the rays that have more.
    inside, *_, found = searched(rays, SURFACES + 1)
    segments, shown = found["segments"].astype(int), values(renderer, surfaces("segments"))[inside]
    # One grey step of 148 stands for 0.65 segments. The picture's rays are worked out in float32 and may differ from
    # ours by rounding, by which a search takes a segment more or less, some far more.
    assert np.ptp(segments) > 15
    assert np.mean(abs(shown - segments) <= 2) > 0.97


def test_overdraw_is_how_many_surfaces_the_twin_finds(renderer):
    inside, *_, found = searched(twin)
    count = (found["outcome"] == twin.HIT).sum(axis=1)
    shown = values(renderer, surfaces("overdraw"))[inside]
    assert len(set(count)) > 3
    # Beside an edge of a surface a ray may meet it or not, by rounding.
    assert np.mean(abs(shown - count) < 0.1) > 0.99


@pytest.mark.parametrize("theme", ["dark", "paper"])
def test_depth_is_the_distance_of_the_twins_first_surface(renderer, theme):
    inside, _, _, starts, found = searched(twin)
    hit = found["outcome"][:, 0] == twin.HIT
    node = surfaces("depth", theme=theme)
    low, high = node.debug_span(CAMERA, np.eye(4))
    shown = values(renderer, node, theme=theme)[inside]
    # A grey step is a 148th of the span, and two of them are allowed above.
    assert np.mean(abs(shown[hit] - (starts + found["t"][:, 0])[hit]) < 3 / 148 * (high - low)) > 0.99


def test_normals_are_those_of_the_float64_gradient_towards_the_eye(renderer):
    inside, entries, directions, _, found = searched(twin)
    hit = found["outcome"][:, 0] == twin.HIT
    points = (entries + directions * found["t"][:, :1])[hit]
    step = 1e-5 * np.eye(3)
    gradient = np.stack([NET(points + h)[:, 0] - NET(points - h)[:, 0] for h in step], axis=1)
    normal = gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
    normal *= -np.sign((normal * directions[hit]).sum(axis=1, keepdims=True))
    picture = renderer.frame(One(surfaces("normals")), engine.Clock(), SIZE, 1).pixels()[inside][hit][:, :3]
    # Two steps of 255 over a span of 2.
    assert np.mean(abs(picture / 255 * 2 - 1 - normal).max(axis=1) < 0.02) > 0.98


def test_planes_have_the_depth_and_the_normal_that_they_have(renderer):
    # f = z: planes 2 apart, seen from 12 before the middle along z; the first within the ball is that at 4.
    net, camera = Mlp([[[0.0, 0.0, 1.0]]], None, ["identity"]), Camera(eye=(0.0, 0.0, 12.0))
    node = lambda view: surfaces(view, net, spacing=2.0)
    x, y = SIZE[0] // 2, SIZE[1] // 2
    assert values(renderer, node("depth"), camera)[y, x] == pytest.approx(8.0, abs=0.15)
    assert values(renderer, node("overdraw"), camera)[y, x] == pytest.approx(5.0, abs=0.1)
    pixel = renderer.frame(One(node("normals"), camera), engine.Clock(), SIZE, 1).pixels()[y, x, :3].astype(int)
    assert abs(pixel - (128, 128, 255)).max() <= 1


def test_a_view_that_there_is_not_is_refused(renderer):
    with pytest.raises(SettingError, match=r"no debug view `segment`.*Near: segments"):
        renderer.frame(One(surfaces("segment")), engine.Clock(), SIZE, 1)


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "undecided"])
def test_the_scene_shows_each_view_with_its_numbers(view):
    scene, _ = engine.open_scene("marching", debug=view)
    pixels = engine.render(scene, (64, 48), supersample=1)
    plain = engine.render(engine.open_scene("marching")[0], (64, 48), supersample=1)
    assert np.array_equal(pixels, plain) == (view == "none")
    titles = {"segments": "segments", "depth": "distance", "normals": "normal, xyz",
              "overdraw": "surfaces", "tree": "left to search", "none": "value"}  # fmt: skip
    legend = scene.legend()
    assert legend.title == titles[view] and len(legend.marks) >= 3
