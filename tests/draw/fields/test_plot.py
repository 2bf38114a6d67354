"""Plots: a curve lies where the float64 twin has it, whole and evenly wide, and its window tells the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.draw.drawable import Aim
from engine.draw.fields.plot import Curve, Plot
from engine.draw.fields.plot_window import rules, window
from engine.draw.frame import THEMES, Frame
from engine.errors import SettingError, ShapeError
from engine.network.mlp import Mlp
from engine.network.parts import chosen
from engine.network.random import random_mlp
from engine.reference.field import value_and_gradient
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.view.camera import Camera

RENDERER = Renderer()
SIZE = (220, 180)
WAVY = random_mlp([1, 16, 16, 3], "tanh", seed=3)
LINE = Mlp([[[1.0]]], None, ["identity"])


def above(x=0.0, y=0.0, height=4.0):
    return Camera(eye=(x, y, 10), target=(x, y, 0), fov=0.0, height=height)


class Shown(Scene):
    """A plot alone."""

    def __init__(self, node, camera):
        super().__init__(camera=camera, theme="paper")
        self._node = node

    def build(self, stage):
        stage.add(self._node)


def picture(node, camera, size=SIZE, supersample=1):
    return RENDERER.frame(Shown(node, camera), Clock(), size, supersample).pixels()[..., :3].astype(float)


def frame(camera, size=SIZE):
    return Frame(camera, size, (0, 0, *size), 1, THEMES["paper"], min(size) / 720)


def plot(*curves, **more):
    # Black and wide enough to be measured: 720 / 180 pixels for one of this picture.
    return Plot([Curve(c, 0, None, (0.0, 0.0, 0.0)) if isinstance(c, Mlp) else c for c in curves], width=12.0, **more)


def covered(node, camera, supersample=1, size=SIZE):
    """(H, W) how much of each pixel the curves cover, and the Window."""
    with_, without = (picture(n, camera, size, supersample) for n in (node, plot(names=node.names, aspect=node.aspect)))
    # On paper the background is white but for the faint grid; ink is laid over it in linear light.
    a, b = (((p / 255 + 0.055) / 1.055) ** 2.4 for p in (with_, without))
    found = window(frame(camera, size), np.eye(4), node.aspect, names=node.names)
    return np.clip(1.0 - a[..., 0] / np.maximum(b[..., 0], 1e-3), 0, 1), found


@pytest.mark.parametrize("supersample", [1, 4])
@pytest.mark.parametrize(("x", "y", "height"), [(0.0, 0.0, 6.0), (0.7, None, 0.5), (-1.3, None, 0.001)])
def test_a_curve_lies_where_the_twin_has_it(x, y, height, supersample):
    y = float(WAVY([x])[1]) * 0.5 if y is None else y
    camera = above(x, y, height)
    share, found = covered(plot(Curve(WAVY, 1, None, (0.0, 0.0, 0.0)), aspect=0.5), camera, supersample)
    left, top, right, bottom = found.place
    checked = 0
    for column in range(left + 4, right - 4, 5):
        value = WAVY([found.view.number_x(column + 0.5)])[1]
        at = found.view.y(value)
        if top + 8 < at < bottom - 8:
            rows = np.arange(top, bottom)
            mean = (rows + 0.5) @ share[top:bottom, column] / share[top:bottom, column].sum()
            # Half a pixel for eight bits, half for float32 where a thousandth is magnified.
            assert abs(mean - at) < 1.0
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("supersample", [1, 4])
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0])
def test_a_line_is_as_wide_as_it_should_be_however_it_lies(slope, supersample):
    share, found = covered(plot(Mlp([[[slope]]], None, ["identity"])), above(), supersample)
    column = round(found.view.x(0.31))
    # A slanted line's upright cut is longer. 12 pixels of a picture 720 high are 3 of one 180 high; eight bits and the
    # corners of samples make up the rest.
    assert share[:, column].sum() == pytest.approx(3.0 * np.hypot(1.0, slope), rel=0.06)


@pytest.mark.parametrize("steepness", [20.0, 1e3, 1e6])
def test_a_step_has_no_gap_and_no_overshoot(steepness):
    share, found = covered(plot(Mlp([[[steepness]]], None, ["tanh"])), above())
    low, high = found.view.y(1.0), found.view.y(-1.0)
    rows = np.arange(int(low) + 1, int(high))
    assert (share[rows].max(axis=1) > 0.7).all()
    # Half the line's width of 3, and half a pixel where it fades.
    outside = np.r_[0 : int(low - 2.0), int(high + 3.0) : found.place[3]]
    assert share[outside].max() < 0.02


def test_a_kink_has_a_round_join():
    # Through (0, 0), down and up at 45 degrees: below the point there is nothing beyond half a width, no spike.
    share, found = covered(plot(Mlp([[[1.0], [-1.0]], [[1.0, 1.0]]], None, ["relu", "identity"])), above(height=3.0))
    tip = found.view.y(0.0)
    assert share[int(tip + 2.5) :, :].max() < 0.02
    assert share[int(tip), int(found.view.x(0.0))] > 0.9


def test_the_curve_is_the_same_in_any_tiling():
    scene = Shown(Plot(WAVY, names=("x", "y")), above())
    whole = RENDERER.frame(scene, Clock(), SIZE, 4).pixels().astype(int)
    steps = RENDERER.steps(scene, Clock(), SIZE, 4, tile_bytes=8 * 16 * 4 * 97 * 41)
    count = 1
    while True:
        try:
            next(steps)
            count += 1
        except StopIteration as done:
            tiled = done.value.pixels().astype(int)
            break
    assert count > 4
    # The same arithmetic at the same samples.
    assert abs(whole - tiled).max() <= 1


def test_curves_of_one_network_and_of_several_are_the_same():
    together = picture(Plot([Curve(WAVY, k) for k in range(3)]), above())
    apart = picture(Plot([Curve(chosen(WAVY, [k])) for k in range(3)]), above())
    assert abs(together - apart).max() <= 1


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-50, 50), st.floats(-50, 50), st.floats(-6, 3), st.sampled_from([(300, 200), (180, 400)]),
    st.sampled_from([0.3, 1.0, 20.0]),
)  # fmt: skip
def test_ticks_stand_where_the_camera_sees_their_numbers(x, y, power, size, aspect):
    seen = frame(above(x, y, 10.0**power), size)
    world = np.diag([2.0, 0.5, 1.0, 1.0])
    found = window(seen, world, aspect)
    left, top, right, bottom = found.place
    assert len(found.xs[0]) >= 1
    assert len(found.ys[0]) >= 2
    places, _ = rules(found, THEMES["paper"])
    for place, number in zip(places, found.xs[0], strict=False):
        at = seen.project((2.0 * number, y, 0.0))[0]
        # A line one pixel wide covers the pixel its number lies in; at the window's rim, the last one inside.
        assert place[0] - 0.01 <= np.clip(at, left, right) <= place[2] + 1.01
    for place, number in zip(places[len(found.xs[0]) :], found.ys[0], strict=False):
        at = seen.project((x, 0.5 * aspect * number, 0.0))[1]
        assert place[1] - 0.01 <= np.clip(at, top, bottom) <= place[3] + 1.01


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3))
def test_a_pick_gives_the_nearest_curve_with_the_twins_value_and_slope(x, y):
    node, world = Plot(WAVY, aspect=0.5), np.diag([2.0, 3.0, 1.0, 1.0])
    hit = node.pick(Aim(np.array([2.0 * x, 1.5 * y, 10.0]), np.array([0.0, 0.0, -1.0])), world)
    values, slopes = value_and_gradient(WAVY, np.array([[x]]))
    k = abs(values[0] - y).argmin()
    assert hit.value == pytest.approx(values[0, k], abs=1e-12)
    assert np.allclose(hit.position, (2.0 * x, 1.5 * values[0, k], 0.0))
    # Slopes are float32.
    assert hit.gradient[0] == pytest.approx(slopes[0, k, 0] / 2.0, abs=1e-5)
    assert node.nearest(x, y)[0] is node.curves[k]


def test_names_stand_beside_the_window_in_their_curves_colours_and_apart():
    node = Plot([Curve(LINE, 0, "first"), Curve(LINE, 0, "second"), Curve(LINE, 0, None)])
    seen = frame(above(), (500, 400))
    node.overlay(seen, np.eye(4))
    (left, top, right, bottom), names = node._find(seen, np.eye(4)).place, seen.sprites[-1]
    assert names.x >= right
    assert names.x + names.image.shape[1] <= 500
    # Two colours and two blocks of rows of words, though both curves end at one height.
    words = names.image[:, int(1.6 * 18 * seen.scale) + 4 :, 3] > 60
    blocks = np.diff(words.any(axis=1).astype(int), prepend=0) == 1
    assert blocks.sum() == 2
    assert (left, top) > (0, 0)
    assert bottom < 400


def test_what_cannot_be_plotted_is_refused():
    with pytest.raises(ShapeError, match="needs one"):
        Plot(random_mlp([2, 4, 1]))
    with pytest.raises(ShapeError, match="outputs 0 to 2"):
        Plot([Curve(WAVY, 3)])
    with pytest.raises(SettingError, match="plot is flat"):
        picture(Plot(WAVY), Camera(eye=(3, 4, 5)))
    with pytest.raises(SettingError, match="above 0"):
        picture(Plot(WAVY, aspect=0.0), above())


def test_no_curves_and_tiny_pictures_are_drawn_all_the_same():
    for size in ((1, 1), (30, 20), (9, 200)):
        assert picture(Plot([]), above(), size).shape == (size[1], size[0], 3)
        # In a single pixel a curve may be missed by a sample; in more it is seen.
        assert picture(Plot(WAVY), above(), size).min() < (256 if size == (1, 1) else 250)


def test_a_curve_ends_where_its_values_are_no_numbers():
    # 3e38 x overflows float32 from 1.13 on, and infinity less infinity is none.
    net = Mlp([[[3e38], [3e38]], [[1.0, -1.0]]], None, ["relu", "identity"])
    share, found = covered(plot(net), above())
    row, end = int(found.view.y(0.0)), found.view.x(2.0**128 / 3e38)
    left, _, right, _ = found.place
    assert share[row, left + 1 : int(end) - 2].min() > 0.9
    assert share[:, int(end) + 3 : right].max() < 0.02
