"""Height maps: the surface is where the network's float64 twin has it, is lit by its gradient, and hides no words."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.draw.drawable import Aim
from engine.draw.fields.height_map import HeightMap
from engine.draw.frame import THEMES, Frame
from engine.draw.points import Points
from engine.errors import SettingError, ShapeError
from engine.kernels.grid import Plane
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference.field import value_and_gradient
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.space_scene import orbit_camera
from engine.scene.view_data import Clock
from engine.view.camera import Camera

RENDERER = Renderer()
SMOOTH = random_mlp([2, 12, 12, 3], "tanh", last="sigmoid", seed=5)
SLOPED = Plane(np.array([0.3, -0.2]), np.array([5.0, 1.0]), np.array([0.5, -4.0]))
ABOVE = Camera(eye=(0, 20, 0), target=(0, 0, 0), up=(0, 0, -1), fov=0.0, height=8.0)


class Shown(Scene):
    """Whatever nodes a test puts on the stage."""

    def __init__(self, *nodes, camera=ABOVE, **values):
        super().__init__(camera=camera, **values)
        self._nodes = nodes

    def build(self, stage):
        for node in self._nodes:
            stage.add(node)


def picture(*nodes, camera=ABOVE, size=(96, 96), supersample=1, **values):
    return (
        RENDERER.frame(Shown(*nodes, camera=camera, **values), Clock(), size, supersample).pixels()[..., :3].astype(int)
    )


def plain(net, **more):
    """A surface of one colour without lines or axes: what is seen of it is its light."""
    return HeightMap(net, rules=False, axes=False, span=(-1e6, 1e6), **more)


def on_surface(node, count, seed=0):
    """(N, 3) points of the true surface, from float64, and their inputs."""
    half, (low, high) = node.half_size, node.ends
    places = np.random.default_rng(seed).uniform(-0.97, 0.97, (count, 3)) * half
    inputs = node.inputs_at(places)
    places[:, 1] = ((node.net(inputs)[:, node.output] - low) / (high - low) * 2 - 1) * half[1]
    return places, inputs


@pytest.mark.parametrize("output", [0, 2])
def test_spots_a_fiftieth_above_the_twins_surface_are_seen_and_those_below_are_hidden(output):
    node = plain(SMOOTH, plane=SLOPED, output=output)
    places, _ = on_surface(node, 40)
    camera = orbit_camera(0.9, 1.1, 14.0)
    # A spot's pixel is up to 0.7 pixels of 1/40 unit from its centre: on slopes of 2 a fiftieth of the height makes up.
    apart, size = 0.02 * node.height, (480, 480)
    seen = []
    for shift in (apart, -apart):
        moved = places + np.array([0, shift, 0])
        frame = Frame(camera=camera, size=size, tile=(0, 0, *size), grid=1, theme=THEMES["dark"], scale=1.0)
        pixels = picture(plain(SMOOTH, plane=SLOPED, output=output), Points(moved, (9.0, 0, 9.0, 1), width=2.2),
                         camera=camera, size=size)  # fmt: skip
        spots = [pixels[int(y), int(x)] for x, y, _ in map(frame.project, moved)]
        seen.append(np.array([p[0] > 200 and p[1] < 60 for p in spots]))
    # Where the surface itself stands in front of a place, neither spot is seen; from this high up that is rare.
    assert seen[0].mean() > 0.9
    assert not seen[1].any()


def test_a_ridge_seen_from_the_side_has_the_twins_outline():
    net = Mlp([[[1.0, 0.0]]], [[0.2]], ["sigmoid"])
    plane = Plane(np.zeros(2), np.array([12.0, 0.0]), np.array([0.0, -12.0]))
    node = plain(net, plane=plane, low=0.0, high=1.0, width=8.0, height=4.0)
    tilt = math.radians(20)
    camera = orbit_camera(math.pi / 2, tilt, 20.0, fov=0.0, height=10.0)
    pixels = picture(node, camera=camera, size=(200, 200))
    surface = np.abs(pixels - picture(camera=camera, size=(200, 200))).sum(axis=2) > 20
    columns = np.arange(25, 175, 7)
    x = ((columns + 0.5) / 200 * 2 - 1) * 5
    y = (net(node.inputs_at(np.stack([x, 0 * x, 0 * x], axis=1)))[:, 0] - 0.5) * 4.0
    for column, height in zip(columns, y, strict=True):
        rows = np.flatnonzero(surface[:, column])
        # The far edge and the near edge of the sheet, z = -4 and 4, in this projection.
        edges = [100 - 20 * (height * math.cos(tilt) - z * math.sin(tilt)) for z in (-4.0, 4.0)]
        # Half a pixel of rounding, and as much for the slope within it.
        assert abs(rows[0] - edges[0]) <= 1.0
        assert abs(rows[-1] + 1 - edges[1]) <= 1.0


def test_the_surface_is_the_same_in_any_tiling():
    node = HeightMap(SMOOTH, plane=SLOPED, colour=(0, 1, 2), axes=False)
    scene = Shown(node, camera=orbit_camera(0.7, 0.6, 11.0))
    whole = RENDERER.frame(scene, Clock(), (90, 70), 4).pixels().astype(int)
    steps = RENDERER.steps(scene, Clock(), (90, 70), 4, tile_bytes=8 * 16 * 4 * 37 * 23)
    count = 1
    while True:
        try:
            next(steps)
            count += 1
        except StopIteration as done:
            tiled = done.value.pixels().astype(int)
            break
    assert count > 4
    # A tile's own clip space rounds vertices by a 256th of a sample another way: a sample in some hundred may be won
    # or lost at the rim, a quarter of a pixel at most.
    assert (abs(whole - tiled).max(axis=2) > 2).mean() < 0.01
    assert abs(whole - tiled).mean() < 0.1


def test_light_turns_round_with_the_sign_of_the_network():
    # Upside down the slopes point the other way; seen with the head turned round, the light comes from there too.
    last = SMOOTH.layers[-1]
    weights, biases = [x.weights for x in SMOOTH.layers], [x.bias for x in SMOOTH.layers]
    negative = Mlp([*weights[:-1], -last.weights], [*biases[:-1], -last.bias], [x.activation for x in SMOOTH.layers])
    a = picture(plain(SMOOTH, plane=SLOPED))
    b = picture(plain(negative, plane=SLOPED), camera=ABOVE.with_(up=(0, 0, 1)))
    inside = slice(16, 80)
    # One step of eight bits for rounding and one for the dither.
    assert abs(a - b[::-1, ::-1])[inside, inside].max() <= 2
    assert np.ptp(a[inside, inside, 0]) > 10


def test_a_network_that_is_a_plane_has_one_shade_and_a_bent_one_has_not():
    plane = Mlp([[[0.4, 1.0]]], [[-0.3]], ["identity"])
    bent = Mlp([[[0.4, 1.0]]], [[-0.3]], ["gaussian"])
    shades = [picture(plain(net))[16:80, 16:80] for net in (plane, bent)]
    # The dither's step either way.
    assert np.ptp(shades[0], axis=(0, 1)).max() <= 2
    assert np.ptp(shades[1], axis=(0, 1)).max() > 20


def test_a_constant_lies_in_the_middle_of_its_box():
    node = plain(Mlp([[[0.0, 0.0]]], [[3.0]], ["identity"]))
    low, high = node.ends
    assert (low + high) / 2 == pytest.approx(3.0)
    assert high > low


def test_what_lies_outside_the_stated_ends_is_cut():
    net = Mlp([[[1.0, 0.0]]], None, ["identity"])
    background = picture()[48]
    whole = abs(picture(plain(net))[48] - background).max(axis=1) > 8
    part = abs(picture(plain(net, low=-5.0, high=5.0))[48] - background).max(axis=1) > 8
    # Inputs run from -10 to 10 over the row, so half of it is between the ends.
    assert part.sum() == pytest.approx(whole.sum() / 2, abs=2)
    assert (part <= whole).all()
    # What is cut is not picked either: 8 of 10 along the base, and 2.
    node, down = plain(net, low=-5.0, high=5.0), np.array([0.0, -1.0, 0.0])
    assert node.pick(Aim(np.array([2.8, 9.0, 0.0]), down), np.eye(4)) is None
    assert node.pick(Aim(np.array([0.7, 9.0, 0.0]), down), np.eye(4)).value == pytest.approx(2.0)


def test_three_outputs_are_shown_as_the_image_has_them():
    net = Mlp(np.zeros((1, 3, 2)), [[0.2, 0.5, 0.9]], ["identity"])
    pixel = picture(HeightMap(net, colour=(0, 1, 2), rules=False, axes=False), theme="paper")[48, 48]
    linear = [((v + 0.055) / 1.055) ** 2.4 for v in (0.2, 0.5, 0.9)]
    shown = [((p / 255 + 0.055) / 1.055) ** 2.4 for p in pixel]
    # The light is white: it scales all three alike, but for the sheen's white share of at most 0.06.
    factors = np.array(shown[1:]) / linear[1:]
    assert np.ptp(factors) / factors.mean() < 0.15
    assert (np.diff(shown) > 0).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(-3, 3), st.floats(0.2, 1.4), st.booleans())
@example(-1.0, 0.25, False)  # enters the box through a side, below the surface, and leaves through its floor
def test_a_pick_gives_the_twins_value_and_gradient_where_the_ray_meets_the_surface(azimuth, altitude, flat):
    node = HeightMap(SMOOTH, plane=SLOPED, output=1)
    camera = orbit_camera(azimuth, altitude, 14.0, fov=0.0 if flat else Camera.fov, height=10.0)
    origin, direction = camera.ray(0.11, -0.07, 1.0)
    world = np.diag([1.5, 0.8, 1.2, 1.0])
    hit = node.pick(Aim(origin, direction), world)
    low, high = node.ends
    if hit is None:
        # Then the ray is on one side of the surface, all the way through the box.
        p = np.linalg.solve(world[:3, :3], (origin + np.linspace(0, 40, 4001)[:, None] * direction).T).T
        p = p[(np.abs(p) <= node.half_size).all(axis=1)]
        heights = ((SMOOTH(node.inputs_at(p))[:, 1] - low) / (high - low) * 2 - 1) * node.half_size[1]
        assert len(p) < 2 or np.ptp(np.sign(p[:, 1] - heights)) == 0
        return
    place = np.linalg.solve(world, [*hit.position, 1.0])[:3]
    inputs = node.inputs_at(place)
    value, gradient = (x[0, 1] for x in value_and_gradient(SMOOTH, inputs[None]))
    height = ((hit.value - low) / (high - low) * 2 - 1) * node.half_size[1]
    # Narrowed in float64, but the ray is given its steps in the box's size.
    assert np.allclose(origin + hit.distance * direction, hit.position, atol=1e-9)
    assert hit.value == pytest.approx(value, abs=1e-12)
    assert place[1] == pytest.approx(height, abs=1e-6)
    plane, half = node.rectangle, node.half_size
    # World units are 1.5 and 1.2 of the node's; derivatives are float32.
    expected = gradient @ plane.across / (3.0 * half[0]), 0.0, gradient @ plane.down / (2.4 * half[2])
    assert np.allclose(hit.gradient, expected, atol=1e-4)


def test_a_ray_past_the_box_picks_nothing():
    node = HeightMap(SMOOTH)
    assert node.pick(Aim(np.array([0.0, 9.0, 0.0]), np.array([1.0, 0.0, 0.0])), np.eye(4)) is None
    assert node.pick(Aim(np.array([9.0, 9.0, 9.0]), np.array([0.0, -1.0, 0.0])), np.eye(4)) is None


@settings(max_examples=60, deadline=None)
@given(st.floats(-3.2, 3.2), st.floats(-1.5, 1.5), st.sampled_from([(300, 300), (500, 240)]), st.booleans())
def test_words_stay_off_the_box_from_wherever_it_is_seen(azimuth, altitude, size, flat):
    node = HeightMap(SMOOTH, low=0.0, high=1.0)
    camera = orbit_camera(azimuth, altitude, 16.0, fov=0.0 if flat else Camera.fov, height=12.0)
    frame = Frame(camera=camera, size=size, tile=(0, 0, *size), grid=1, theme=THEMES["dark"], scale=min(size) / 720)
    node.overlay(frame, np.eye(4))
    node.children[0].overlay(frame, np.eye(4))
    assert frame.sprites
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 13)] * 3), -1).reshape(-1, 3) * node.half_size
    x, y, _, w = (
        camera.projection(size[0] / size[1]) @ camera.view() @ np.append(grid, np.ones((len(grid), 1)), axis=1).T
    )
    seen = np.stack([(x / w + 1) / 2 * size[0], (1 - y / w) / 2 * size[1]], axis=1)
    for sprite in frame.sprites:
        ys, xs = np.nonzero(sprite.image[..., 3] > 40)
        low, high = (xs.min() + sprite.x, ys.min() + sprite.y), (xs.max() + sprite.x, ys.max() + sprite.y)
        # A pixel for placing words on whole pixels.
        assert not ((seen > np.add(low, 1)) & (seen < np.subtract(high, 1))).all(axis=1).any()


def test_another_network_of_the_same_shape_shows_at_once_and_a_camera_evaluates_nothing():
    other = random_mlp([2, 12, 12, 3], "tanh", last="sigmoid", seed=6)
    node = plain(SMOOTH, plane=SLOPED)
    scene = Shown(node)
    first = RENDERER.frame(scene, Clock(), (64, 64), 1).pixels()
    node.show(other)
    assert not np.array_equal(RENDERER.frame(scene, Clock(), (64, 64), 1).pixels(), first)
    node.show(SMOOTH)
    assert np.array_equal(RENDERER.frame(scene, Clock(), (64, 64), 1).pixels(), first)
    recorded = []
    for grid, _ in node._mesh._cached.values():
        grid.record = lambda *a, **k: recorded.append(a)
    scene.camera = ABOVE.with_(height=6.0)
    RENDERER.frame(scene, Clock(), (64, 64), 1)
    assert not recorded


def test_what_does_not_fit_the_network_is_refused():
    with pytest.raises(ShapeError, match="outputs 0 to 2"):
        HeightMap(SMOOTH, output=3)
    with pytest.raises(ShapeError, match="one output or three"):
        _ = HeightMap(SMOOTH, colour=(0, 1, 3)).outputs
    with pytest.raises(ShapeError, match="plane of vectors"):
        _ = HeightMap(SMOOTH, plane=Plane(np.zeros(3), np.ones(3), np.ones(3))).rectangle
    with pytest.raises(ShapeError, match="longer than 0"):
        _ = HeightMap(SMOOTH, plane=Plane(np.zeros(2), np.zeros(2), np.ones(2))).rectangle
    with pytest.raises(ShapeError, match="one input"):
        _ = HeightMap(random_mlp([1, 4, 1])).rectangle
    with pytest.raises(SettingError, match="low must be below high"):
        _ = HeightMap(SMOOTH, low=2.0, high=1.0).ends


def test_nothing_is_drawn_where_values_are_no_numbers():
    # 3e38 x overflows float32 from 1.13 on, and infinity less infinity is none.
    net = Mlp([[[3e38, 0.0], [3e38, 0.0]], [[1.0, -1.0]]], None, ["relu", "identity"])
    background = picture()[48]
    drawn = abs(picture(plain(net))[48] - background).max(axis=1) > 8
    # 7 of the picture's 8 units are the surface, whose inputs run from -10 to 10; a quad may be lost at the border.
    x = ((np.arange(96) + 0.5) / 96 * 8 - 4) / 3.5 * 10
    assert drawn[(x > -9.8) & (x < 0.7)].all()
    assert not drawn[x > 1.2].any()
