"""The scene random_networks: what it shows is what it says, and its loops close."""

import math

import numpy as np
import pytest

import engine
from engine.app.viewer import CONTROLS
from engine.cli import main
from engine.errors import NeurosceneError, SettingError
from engine.gpu.device import device
from engine.kernels.grid import Plane, evaluate_grid
from engine.network.mlp import Mlp
from engine.network.parts import mixed
from engine.network.random import random_mlp
from engine.render.renderer import Renderer
from engine.scene.figure import declared
from engine.scene.settings import settings
from engine.scene.view_data import Clock
from engine.view.orbit import Orbit
from engine.view.pan_zoom import PanZoom
from scenes.random_networks import RandomNetworks, active_units
from scenes.random_networks.network import MovingNetwork

SMALL = {"depth": 2, "width": 6}
# Half a step of eight bits, as much of dither, a little for half precision.
STEP = 1.1


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def draw(renderer, scene, *, size=(24, 24), time=0.0, supersample=1):
    return renderer.frame(scene, Clock(time), size, supersample).pixels()[..., :3]


def window(size, extent=2.0):
    at = (np.arange(size) + 0.5 - size / 2) * extent / size
    return np.stack(np.meshgrid(at, -at), axis=-1).reshape(-1, 2)


def test_the_picture_is_the_networks_outputs(renderer):
    scene = RandomNetworks(**SMALL, scale=1.5, seed=4)
    wanted = 255.0 * scene.network(window(24)).reshape(24, 24, 3)
    assert abs(draw(renderer, scene) - wanted).max() <= STEP


def test_a_layer_shows_three_of_its_neurons_black_at_minus_one(renderer):
    scene = RandomNetworks(**SMALL, scale=1.5, seed=4, layer=1, unit=2)
    first = scene.network.layers[0]
    h = np.tanh(window(24) @ first.weights.T.astype(float) + first.bias)[:, 2:5]
    assert abs(draw(renderer, scene) - 127.5 * (h.reshape(24, 24, 3) + 1)).max() <= STEP


def test_depths_of_one_seed_are_one_network_cut_short():
    shallow, deep = (RandomNetworks(depth=d, width=7, seed=9).network for d in (4, 9))
    for a, b in zip(shallow.layers[:4], deep.layers, strict=False):
        assert np.array_equal(a.weights, b.weights) and np.array_equal(a.bias, b.bias)


@pytest.mark.parametrize("morph", [{"morph": "seed"}, {"morph": "seed", "mix": "line"}, {"morph": "scale"}], ids=str)
def test_morphing_weights_come_back(morph):
    scene = RandomNetworks(**SMALL, period=4.0, **morph)
    start = scene.network_at(0.0)
    assert scene.loop == 4.0
    assert scene.network_at(4.0).equals(start) and start.equals(scene.network)
    assert not scene.network_at(1.0).equals(start)


@pytest.mark.parametrize("show", ["image", "relief"])
def test_a_picture_of_moving_weights_is_the_same_whatever_was_drawn_before(show):
    moving = {**SMALL, "signal": "sum", "morph": "seed", "period": 4.0, "show": show}
    later = RandomNetworks(**moving)
    for time in (0.0, 0.5, 1.5):
        found = engine.render(later, size=(24, 18), time=time, supersample=1)
    assert np.array_equal(found, engine.render(RandomNetworks(**moving), size=(24, 18), time=1.5, supersample=1))


def test_a_straight_morph_passes_through_the_other_network():
    scene = RandomNetworks(**SMALL, morph="seed", to_seed=5, mix="line", period=4.0)
    assert scene.network_at(2.0).equals(RandomNetworks(**SMALL, seed=5).network)
    scene = RandomNetworks(**SMALL, morph="scale", scale=0.4, to_scale=0.8, period=4.0)
    ratio = scene.network_at(2.0).layers[0].weights / scene.network.layers[0].weights
    assert np.allclose(ratio, 2.0)


def test_a_round_morph_keeps_the_weights_size():
    scene = RandomNetworks(depth=2, width=40, morph="seed", period=1.0)
    sizes = [np.std(scene.network_at(t).layers[1].weights) for t in np.linspace(0, 1, 9)]
    # 1,600 weights: their sample deviation scatters by 2 %.
    assert max(sizes) < 1.1 * min(sizes)


def test_morphing_between_files_needs_one_shape():
    other = random_mlp([2, 9, 3])
    scene = RandomNetworks(**SMALL, morph="file", to_net=other)
    with pytest.raises(NeurosceneError, match="one shape"):
        scene.advance(Clock(1.0))
    assert RandomNetworks(net=other, to_net=mixed(other, other, 2.0, 0), morph="file").loop


@pytest.mark.parametrize("path", ["circle", "knot", "line"])
def test_the_last_frame_of_a_loop_meets_the_first(renderer, path):
    scene = RandomNetworks(**SMALL, inputs=5, scale=2.0, path=path, period=3.0)
    first, last = draw(renderer, scene), draw(renderer, scene, time=3.0)
    assert np.array_equal(first, last)
    assert not np.array_equal(first, draw(renderer, scene, time=0.7))


def test_two_inputs_and_fixed_weights_do_not_loop():
    assert RandomNetworks(**SMALL).loop is None
    assert RandomNetworks(**SMALL, inputs=4, path="still").loop is None


def test_x_and_y_are_the_inputs_chosen_and_the_others_what_is_said():
    scene = RandomNetworks(**SMALL, inputs=4, x_input=3, y_input=1, rest="0.5, -2", path="still")
    assert np.array_equal(scene.plane(4).axes, [[0, 0, 0, 1], [0, 1, 0, 0]])
    assert np.array_equal(scene.plane(4, 7.0).origin, [0.5, 0, -2, 0])
    with pytest.raises(SettingError, match="numbers with commas"):
        RandomNetworks(**SMALL, inputs=4, rest="0.5, a").advance(Clock(0.0))


@pytest.mark.parametrize("inputs", [1, 2, 3, 9])
def test_a_network_of_any_number_of_inputs_is_shown(renderer, inputs):
    scene = RandomNetworks(net=random_mlp([inputs, 5, 2], "relu", seed=1))
    assert scene.kind == ("curves" if inputs == 1 else "image")
    assert len(np.unique(draw(renderer, scene).reshape(-1, 3), axis=0)) > 3


@pytest.mark.parametrize("outputs", [1, 2, 3, 7])
@pytest.mark.parametrize("last", ["identity", "softmax"])
@pytest.mark.parametrize("show", ["image", "relief", "curves"])
def test_a_network_of_any_number_of_outputs_is_shown(renderer, outputs, last, show):
    scene = RandomNetworks(net=random_mlp([2, 5, outputs], "tanh", last=last, seed=1), show=show, unit=outputs)
    draw(renderer, scene)
    shown = scene.shown(scene.network)[1]
    assert len(shown) == (min(3, outputs) if show == "curves" else 3 if outputs >= 3 else 1)


def test_the_view_turns_with_the_kind_and_keeps_both_cameras():
    scene = RandomNetworks(**SMALL, extent=0.5)
    assert scene.view == "pan_zoom" and scene.camera.is_orthographic
    scene.show = "relief"
    assert scene.view == "orbit" and not scene.camera.is_orthographic
    scene.azimuth = 12.0
    scene.show = "image"
    assert scene.camera.height == 0.5
    scene.show = "relief"
    assert math.isclose(math.degrees(math.atan2(scene.camera.eye[2], scene.camera.eye[0])), 12.0)
    assert CONTROLS[scene.view] is Orbit


@pytest.mark.parametrize("show", ["image", "relief", "curves"])
def test_a_stored_state_draws_the_same_pixels(renderer, show):
    scene = RandomNetworks(**SMALL, scale=2.0, show=show, x=0.3, extent=1.5, azimuth=20.0, altitude=40.0, colour="grey")
    other = RandomNetworks()
    clock = other.restore(scene.state(Clock(0.5)))
    assert np.array_equal(draw(renderer, scene, time=0.5), draw(renderer, other, time=clock.time))


def test_the_reading_counts_the_active_neurons_of_relu():
    net = Mlp([[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0, 1.0]]], activations=["relu", "sigmoid"])
    assert active_units(net, np.array([2.0, -1.0])) == (1, 3)
    assert active_units(net, np.array([2.0, 1.0])) == (2, 3)
    scene = RandomNetworks(net=net)
    hit = Renderer().pick(scene, Clock(0.0), (100, 100), 74.5, 24.5)
    reading = scene.read(hit)
    rows = dict(reading.rows)
    assert rows["active units"] == "2 of 3" and rows["input"] == "0.5, 0.5"
    assert np.isclose(float(rows["value"]), 1 / (1 + math.exp(-1.0)), atol=1e-3)


def test_it_says_where_float32_ends_and_zooms_no_closer():
    scene = RandomNetworks(**SMALL)
    assert scene.remark() is None
    scene.extent = scene.reach[0]
    assert "float32 ends here" in scene.remark()
    control = PanZoom(scene.camera, scene.home)
    control.reach = scene.reach
    control.zoom(0.0, 0.0, 1e-6, 1.0)
    assert control.goal.height == scene.extent


STEEP = [("tanh", 12, 2.0), ("sine", 8, 1.5), ("softplus", 14, 1.0), ("elu", 16, 1.2), ("tanh", 3, 0.6)]


@pytest.mark.parametrize(("activation", "depth", "scale"), STEEP)
def test_it_is_never_silent_while_a_pixel_is_off_by_more_than_a_step_of_eight_bits(activation, depth, scale):
    scene = RandomNetworks(depth=depth, width=12, activation=activation, scale=scale, seed=4)
    # The picture's own kernel, against float64 at the same points.
    plane = Plane(np.zeros(2), np.array([2.0 / 96, 0.0]), np.array([0.0, -2.0 / 96]))
    colours = evaluate_grid(scene.network, plane, (96, 96)).reshape(-1, 3)
    error = np.nanmax(abs(colours - scene.network(window(96))))
    assert scene.remark() is not None or error <= 1.0 / 255.0
    # Of what float32 holds nothing is said.
    assert error > 1e-6 or "rounds" not in (scene.remark() or "")


def test_it_says_by_how_much_about_a_steep_deep_network_is_rounded():
    scene = RandomNetworks(depth=60, width=30, scale=3.0)
    assert "float32 rounds these colours by about 100%" in scene.remark()
    assert RandomNetworks(**SMALL).remark() is None
    assert "float16 rounds" in RandomNetworks(**SMALL, precision="f16").remark()


def test_sums_go_from_black_at_their_least_to_white_at_their_most(renderer):
    scene = RandomNetworks(**SMALL, activation="relu", layer=1, signal="sum", colour="grey", seed=2)
    pixels = draw(renderer, scene)
    assert pixels.min() < 30 and pixels.max() > 225


def test_a_fixed_span_must_be_in_order(renderer):
    with pytest.raises(SettingError, match="low must be below high"):
        draw(renderer, RandomNetworks(**SMALL, span="fixed", low=1.0, high=1.0))


def test_keys_change_depth_and_layer():
    scene = RandomNetworks(**SMALL)
    act = {action.name: action.run for action in scene.actions()}
    act["deeper"]()
    assert scene.depth == 3
    act["layer before"]()
    assert scene.layer == 3
    act["next layer"]()
    assert scene.layer == 0
    seed = scene.seed
    act["randomize"]()
    assert scene.seed != seed


def test_the_figures_are_the_articles_twenty():
    figures = declared(RandomNetworks)
    assert [f.number for f in figures] == list(range(1, 21))
    assert {f.number for f in figures if f.kind == "film"} == {2, 20}
    known = settings(RandomNetworks)
    for figure in figures:
        assert set(figure.settings) <= set(known)
        RandomNetworks(**{k: v for k, v in figure.settings.items()})


def test_a_moving_network_shows_the_same_at_the_same_time():
    a, b = (RandomNetworks(**SMALL, inputs=4, morph="seed") for _ in range(2))
    a.network_at(0.2), a.network_at(1.7)
    assert a.network_at(3.1).equals(b.network_at(3.1))
    assert issubclass(RandomNetworks, MovingNetwork)


def test_the_command_line_says_on_stderr_what_must_be_said(capsys, tmp_path):
    words = ["random_networks", "--size", "16x16", "--set", "depth=1", "-o", str(tmp_path / "a.png")]
    assert main.main(["render", *words, "--set", "extent=1e-6"]) == 0
    assert "note: float32 ends here" in capsys.readouterr().err
    assert main.main(["render", *words]) == 0
    assert capsys.readouterr().err == ""


def test_half_precision_is_near_and_is_said_where_there_is_none(renderer):
    scene = RandomNetworks(depth=2, width=6, scale=1.5, seed=4)
    full = draw(renderer, scene).astype(int)
    scene.precision = "f16"
    if "shader-f16" not in device().features:
        with pytest.raises(NeurosceneError, match="f16"):
            draw(renderer, scene)
        return
    half = draw(renderer, scene).astype(int)
    # Two layers of 2^-11 each, steepened by weights of at most 1.5: a few steps of eight bits.
    assert 0 < abs(half - full).max() <= 4


NARROW = {**SMALL, "depth": 2, "scale": 0.1}


def test_a_field_without_contrast_says_so_and_is_stretched_by_its_own_range(renderer):
    narrow = RandomNetworks(**NARROW)
    assert "no contrast" in narrow.remark() and "contrast=data" in narrow.remark()
    assert np.ptp(draw(renderer, narrow).reshape(-1, 3), axis=0).max() < 12
    stretched = RandomNetworks(**NARROW, contrast="data")
    assert "no contrast" not in (stretched.remark() or "")
    # Each of the three neurons by its own range.
    assert np.ptp(draw(renderer, stretched).reshape(-1, 3), axis=0).min() > 150
    assert RandomNetworks(**SMALL).remark() is None


def test_a_stretched_fields_legend_has_the_values_in_view():
    scene = RandomNetworks(**NARROW, contrast="data", colour="viridis", x=0.3, y=-0.2, extent=1.5)
    legend = scene.legend()
    across = 1.5 * np.linspace(-0.5, 0.5, 33)
    at = np.stack(np.meshgrid(across, across), -1).reshape(-1, 2) + np.array((0.3, -0.2))
    values = scene.network(at)[:, 0]
    assert (legend.low, legend.high) == pytest.approx((values.min(), values.max()), abs=1e-12)
    # And it moves with the view.
    scene.extent = 0.1
    assert scene.legend().high - scene.legend().low < 0.5 * (legend.high - legend.low)


OWN = random_mlp([3, 8, 1], scale=1.5, seed=2)


@pytest.mark.parametrize(
    "values, held",
    [({"net": OWN}, 0.0), ({"net": OWN, "rest": "0"}, 0.0), ({"net": OWN, "rest": "0.3"}, 0.3),
     ({**SMALL, "inputs": 3, "rest": "0.3"}, 0.3)],
    ids=str,
)  # fmt: skip
def test_inputs_that_a_person_holds_are_still_and_movement_is_said(values, held):
    scene = RandomNetworks(**values)
    for time in (0.0, 1.3):
        assert scene.plane(3, time).origin[2] == held
    assert scene.loop is None and "held fixed move" not in (scene.remark() or "")
    scene.path = "circle"
    assert scene.plane(3).origin[2] == held + 1.0 and scene.loop and "held fixed move" in scene.remark()


def test_inputs_of_a_random_network_move_as_before():
    scene, circle = (RandomNetworks(**SMALL, inputs=4, **more) for more in ({}, {"path": "circle"}))
    for time in (0.0, 1.3):
        assert np.array_equal(scene.plane(4, time).origin, circle.plane(4, time).origin)
    assert scene.loop and scene.plane(4).origin[2] == 1.0


@pytest.mark.parametrize("extent", [0.6, 2.0, 4.0])
def test_the_share_outside_of_the_range_of_colours_is_that_of_the_pixels(extent):
    bump = Mlp([[[3.0, 0.0]], [[1.0]]], [[0.0], [0.0]], ["tanh", "identity"])
    scene = RandomNetworks(net=bump, span="fixed", low=-0.9, high=0.9, extent=extent)
    values = bump(window(200, extent))
    share = 100 * (abs(values) > 0.9).mean()
    said = scene.remark() or ""
    if share == 0:
        assert "outside of the range" not in said
        return
    assert abs(float(said.split("% of ")[0].split("; ")[-1]) - share) < 5 and "span=auto with contrast=data" in said


def test_colours_left_out_name_their_cure():
    far = RandomNetworks(net=Mlp([[[1.0, 0.0]]], [[0.0]], ["identity"]), extent=8.0)
    assert "contrast=data, or span=fixed with low and high, takes them in" in far.remark()
    far.contrast = "data"
    assert "outside of the range" not in (far.remark() or "")


@pytest.mark.parametrize("contrast", ["range", "data"])
def test_a_reliefs_legend_has_the_range_of_its_box(contrast):
    scene = RandomNetworks(net=random_mlp([2, 8, 1], scale=2.0, seed=3, last="relu"), show="relief", contrast=contrast)
    engine.render(scene, size=(24, 18), supersample=1)
    legend = scene.legend()
    assert (legend.low, legend.high) == tuple(map(float, scene._relief.ends))
