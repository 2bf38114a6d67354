"""The scene boundaries: its moments are the history's, its pictures the network's, its training the trainer's."""

from dataclasses import replace

import numpy as np
import pytest

import engine
from engine.cli import main
from engine.draw.drawable import Hit
from engine.draw.frame import Frame, touch
from engine.errors import NeurosceneError, SettingError
from engine.formats.tensors import history as files
from engine.network.history import Domain, History, flat
from engine.network.random import random_mlp
from engine.regions.linear_regions import regions
from engine.render.renderer import Renderer, _drawables, _overlays
from engine.render.shot import theme_of
from engine.scene.settings import settings
from engine.scene.view_data import Clock
from engine.training.image_data import bottle
from scenes.boundaries import Boundaries
from scenes.boundaries.network import shipped

# Half a step of eight bits, and as much of dither.
STEP = 1.1
PLANE = Domain.plane(2, [-1, -1], [1, 1])


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def draw(renderer, scene, *, size=(48, 48), time=None, supersample=1):
    time = scene.moment if time is None else time
    return renderer.frame(scene, Clock(time), size, supersample).pixels()[..., :3]


def net(seed=1, sizes=(2, 6, 5, 2), activation="relu"):
    return random_mlp(sizes, activation, seed=seed, scale=1.5)


def life(*, runs=2, snapshots=5, sizes=(2, 6, 5, 2), **more):
    """A history whose every snapshot is another network."""
    nets = [[net(10 * r + k, sizes) for k in range(snapshots)] for r in range(runs)]
    weights = np.array([[flat(n) for n in run] for run in nets])
    losses = np.linspace(1, 0.1, runs * snapshots).reshape(runs, snapshots)
    parts = {"domain": Domain.plane(sizes[0], [-1, -1], [1, 1]), "target": bottle(32)} | more
    return History(nets[0][0].shape, 10 * np.arange(snapshots), weights, losses, **parts)


def test_the_story_that_comes_along_has_good_runs():
    record = shipped()
    assert record.runs == 4 and record.steps[-1] == 1_280_000
    # The original's good runs end between 0.0308 and 0.0350.
    assert (record.losses[:, -1] <= 0.035).sum() >= 3


@pytest.mark.parametrize("last", ["softmax", "log_softmax"])
def test_logits_probabilities_and_their_logarithms_are_read_alike(last):
    found = []
    for activations in (["relu", "relu", "identity"], ["relu", "relu", last]):
        scene = Boundaries(history=History.of(net().changed(activations=activations), PLANE))
        scene.advance(Clock(scene.moment))
        node = engine.Boundaries(net().changed(activations=activations))
        found.append((scene.read(Hit(None, (0.3, 0.4, 0.0), 1.0)).rows[0], round(node.value(0.3, 0.4), 9)))
    assert found[0] == found[1]


def test_units_that_pass_their_sums_on_have_no_button_and_say_so():
    skips = net(sizes=(2, 6, 5, 2)).changed(activations=["4 relu + 2 identity", "relu", "identity"])
    scene = Boundaries(history=History.of(skips, PLANE))
    scene.advance(Clock(scene.moment))
    units = scene.units()
    labels = [label for label, _ in scene.read(Hit(None, (0.3, 0.4, 0.0), 1.0)).rows if "active" in label]
    assert [label.split(" of ")[1] for label in labels] == ["4 active", "5 active"]
    assert [layer.listed for layer in units.layers] == [(0, 1, 2, 3), (0, 1, 2, 3, 4)]
    assert "passes its sum on" in units.layers[0].docs[5] and units.layers[0].dim[5]


def test_a_picture_is_for_the_last_step_unless_told():
    record = life()
    scene = Boundaries(history=record)
    assert scene.snapshot_at(scene.moment) == 4
    for step, snapshot in ((0, 0), (9, 0), (10, 1), (35, 3), (10**9, 4)):
        assert scene.snapshot_at(Boundaries(history=record, step=step).moment) == snapshot


@pytest.mark.parametrize("rate", [24.0, 7.3, 0.3, 1000.0])
def test_each_snapshot_is_shown_at_its_time_at_any_rate(rate):
    scene = Boundaries(history=life(snapshots=97), rate=rate)
    assert [scene.snapshot_at(t) for t in scene.times] == list(range(97))
    assert [scene.timeline().at(t) for t in scene.times] == list(range(97))
    assert scene.loop == pytest.approx(97 / rate)


def test_the_background_is_the_probability_of_white(renderer):
    record = life()
    scene = Boundaries(history=record, neurons="none", key=False, extent=1.0, step=20)
    at = (np.arange(48) + 0.5) / 24 - 1
    x, y = np.meshgrid(at, -at)
    z = record.at(0, 2)(np.stack([x.ravel(), y.ravel()], 1))
    white = 1 / (1 + np.exp(z[:, 0] - z[:, 1]))
    assert abs(draw(renderer, scene) - 255 * white.reshape(48, 48, 1)).max() <= STEP


def test_a_target_is_shown_as_it_is(renderer):
    scene = Boundaries(history=life(), neurons="none", key=False, extent=1.0, background="target")
    assert abs(draw(renderer, scene, size=(32, 32))[..., 0].astype(float) - bottle(32)).max() <= STEP


def test_an_images_pixel_lies_round_the_place_where_it_was_learnt(renderer):
    record = life(domain=Domain.image(32, 32))
    scene = Boundaries(history=record, neurons="none", key=False, extent=1.0, background="target")
    found = draw(renderer, scene, size=(64, 64))[:63, :63, 0].astype(float)
    # Row r is learnt at r / 32, so samples 2 r - 1 and 2 r of 64 are the nearest to it.
    nearest = (np.arange(63) + 1) // 2
    assert abs(found - bottle(32)[np.ix_(nearest, nearest)]).max() <= STEP


def test_outside_of_what_is_learnt_nothing_is_drawn_unless_asked(renderer):
    empty = Boundaries(history=life(), neurons="none", key=False, extent=2.0, background="none")
    clipped = Boundaries(history=life(), key=False, extent=2.0)
    ground, found = draw(renderer, empty), draw(renderer, clipped)
    outside = np.ones((48, 48), bool)
    outside[12:36, 12:36] = False
    # The ground's glow is dithered.
    assert abs(found[outside].astype(int) - ground[outside]).max() <= 1
    assert abs(draw(renderer, Boundaries(history=life(), key=False, extent=2.0, beyond=True))[outside].astype(int)
               - ground[outside]).max() > 50  # fmt: skip


def test_hidden_neurons_draw_no_line(renderer):
    shown = draw(renderer, Boundaries(history=life(), neurons="1", key=False, background="none"))
    hidden = draw(renderer, Boundaries(history=life(), neurons="none", key=False, background="none"))
    assert (shown.astype(int) - hidden).max() > 40
    twice = draw(renderer, Boundaries(history=life(), neurons="1, -1", key=False, background="none"))
    assert np.array_equal(twice, hidden)


def test_runs_side_by_side_are_their_own_pictures(renderer):
    record = life(runs=2)
    both = Boundaries(history=record, together=True, key=False, extent=1.0, neurons="none")
    both.advance(Clock(both.moment))
    for run, domain in enumerate(both._domains):
        own = record.domain
        middle = (domain.low + domain.high) / 2
        found = both.read(Hit(None, (*middle, 0.0), 1.0))
        output = record.at(run, 4)(own.inputs([(own.low + own.high) / 2]))[0]
        white = 1 / (1 + np.exp(output[0] - output[1]))
        assert dict(found.rows)["output"] == f"black {1 - white:.4f}, white {white:.4f}"


def test_the_reading_tells_the_local_map_and_the_nearest_boundary():
    record = life()
    scene = Boundaries(history=record, x=0.5, y=0.5)
    scene.advance(Clock(scene.moment))
    world = np.array([0.61, 0.27])
    inputs = 2 * world - 1
    rows = dict(scene.read(Hit(None, (*world, 0.0), 1.0)).rows)
    words = rows["white - black"].replace("- ", "-").replace("+ ", "").split()
    a, b, c = float(words[0]), float(words[2]), float(words[4])
    assert (words[1], words[3]) == ("row", "column")
    z = record.at(0, 4)(inputs[None])[0]
    # Four digits each.
    assert a * inputs[0] + b * inputs[1] + c == pytest.approx(z[1] - z[0], abs=2e-3 * (abs(a) + abs(b) + abs(c)))
    partition = regions(record.at(0, 4), PLANE, decision=False)
    distance, neuron = partition.nearest(inputs)
    layer, unit = (1, neuron + 1) if neuron < 6 else (2, neuron - 5)
    assert rows["nearest"] == f"layer {layer}, neuron {unit}: {distance:.4g} away"


def test_the_boundary_under_the_pointer_stands_out_until_it_leaves():
    record = life()
    scene = Boundaries(history=record)
    scene.advance(Clock(scene.moment))
    # A point of a boundary of layer 1, in the picture's square.
    partition = regions(record.at(0, 4), PLANE, decision=False)
    neuron = next(k for k in range(6) if len(partition.segments(k)))
    place = (partition.segments(neuron)[0].mean(axis=0) + 1) / 2
    assert scene.pointed(Hit(None, (*place, 0.0), 1.0)) and scene.units().hovered == (0, neuron)
    assert not scene.pointed(Hit(None, (*place, 0.0), 1.0))
    assert scene.pointed(None) and scene.units().hovered is None


def test_units_are_shown_and_hidden_by_their_buttons():
    scene = Boundaries(history=life())
    scene.advance(Clock(scene.moment))
    units = scene.units()
    assert [len(layer.shown) for layer in units.layers] == [6, 5]
    shown = [list(layer.shown) for layer in units.layers]
    shown[1][2] = False
    units.put(shown)
    assert scene.neurons == "1, 2.1-2, 2.4-5"
    assert scene.units().layers[1].shown == (True, True, False, True, True)


def test_a_finding_leads_to_its_moment_and_its_neurons():
    scene = Boundaries()
    rows = scene.listing().rows
    row = next(row for row in rows if "neuron" in row.text and "cannot decide" in row.text)
    row.run()
    time, play = scene.asked_time()
    assert not play
    assert time in scene.times and scene.asked_time() is None
    assert sum(sum(layer.shown) for layer in scene.units().layers) == 1


def test_one_network_is_a_history_of_one_moment(renderer):
    scene = Boundaries(net=net(3), low=-2.0, high=2.0)
    assert scene.record.snapshots == 1 and scene.loop is None
    draw(renderer, scene)
    assert dict(scene.read(Hit(None, (1.0, 1.0, 0.0), 1.0)).rows)
    assert scene.read(Hit(None, (1.0, 1.0, 0.0), 1.0)).title == "x1 2, x2 2"


def test_a_wide_network_is_shown_along_a_plane_of_its_inputs(renderer):
    wide = net(3, (4, 6, 2))
    scene = Boundaries(net=wide, x_input=4, y_input=2, rest="0.5, -1", low=-1.0, high=1.0, neurons="none",
                       key=False, extent=1.0)  # fmt: skip
    at = (np.arange(48) + 0.5) / 24 - 1
    x, y = (v.ravel() for v in np.meshgrid(at, -at))
    z = wide(np.stack([np.full_like(x, 0.5), y, np.full_like(x, -1.0), x], 1))
    white = 1 / (1 + np.exp(z[:, 0] - z[:, 1]))
    assert abs(draw(renderer, scene)[..., 0] - 255 * white.reshape(48, 48)).max() <= STEP
    with pytest.raises(SettingError, match="inputs 1 to 4"):
        _ = Boundaries(net=wide, x_input=9).record


def test_curved_boundaries_are_drawn_and_exported_too(renderer):
    scene = Boundaries(net=net(2, (2, 5, 2), "tanh"))
    draw(renderer, scene)
    assert "traced" in scene.drawing(Clock(scene.moment)).description


@pytest.mark.parametrize("background", ["prediction", "target", "regions", "none"])
def test_a_drawing_has_a_path_for_each_neuron_with_a_boundary(background):
    record = life()
    scene = Boundaries(history=record, background=background, decision=True)
    layers = [g for g in scene.drawing(Clock(scene.moment), (100.0, None)).children if g.name.startswith("layer-")]
    found = regions(record.at(0, 4), PLANE, decision=False)
    for layer, (first, end) in zip(layers, ((0, 6), (6, 11)), strict=True):
        cutting = sum(len(found.segments(k)) > 0 for k in range(first, end))
        assert len(layer.children) == cutting


@pytest.mark.parametrize("hidden", ["", ",", "0", "65", "²", "9" * 5000, "4,x"])
def test_hidden_layers_that_cannot_be_are_told(hidden):
    with pytest.raises(SettingError, match="neurons of each hidden layer"):
        Boundaries(image=bottle(8), hidden=hidden).advance(Clock(0.0))


def test_a_training_before_ones_eyes_is_the_trainers(renderer):
    scene = Boundaries(image=bottle(24), hidden="5", steps=60, runs=2, step=40, batch=16)
    draw(renderer, scene, size=(8, 8))
    assert scene.trainer.step == 40 and scene.record.steps[-1] == 40
    before = scene.record.weights
    scene.restart_training()
    assert scene.record.snapshots == 1
    draw(renderer, scene, size=(8, 8))
    assert np.array_equal(scene.record.weights, before)


def test_a_live_view_trains_a_little_at_a_time_until_all_is_done():
    scene = Boundaries(image=bottle(24), hidden="4", steps=300, runs=1, batch=8)
    assert scene.timeline().is_growing
    scene.pause = True
    assert not scene.work(0.01) and scene.trainer.step == 0
    scene.step_training()
    assert scene.trainer.step == 1
    scene.pause = False
    turns = 0
    while scene.work(0.01):
        turns += 1
        assert turns < 300
    assert scene.trainer.is_done and not scene.timeline().is_growing
    assert scene.record.steps[-1] == 300


def test_a_saved_training_goes_on_to_the_same_weights(tmp_path):
    whole = Boundaries(image=bottle(24), hidden="4", steps=90, runs=1, batch=8, step=90)
    whole.advance(Clock(whole.moment))
    part = Boundaries(image=bottle(24), hidden="4", steps=90, runs=1, batch=8, step=40)
    part.advance(Clock(part.moment))
    setting = settings(part)["training"]
    setting.save(part.shown_data("training"), tmp_path / "part.state.safetensors")
    rest = Boundaries(training=str(tmp_path / "part.state.safetensors"), step=90)
    assert rest.trainer.step == 40
    rest.advance(Clock(rest.moment))
    assert np.array_equal(rest.record.weights, whole.record.weights)
    # A picture holds the moment it shows.
    other = Boundaries()
    clock = other.restore(rest.state(Clock(rest.moment)))
    other.advance(clock)
    assert np.array_equal(other.record.weights[:, 0], whole.record.weights[:, -1])


def test_white_of_an_image_of_16_bits_is_found_or_set():
    image = np.random.default_rng(0).integers(0, 4096, (8, 8)).astype(np.uint16)
    image[0, 0] = 4095
    for white, most in ((0, 4095), (16383, 16383), (65535, 65535)):
        scene = Boundaries(image=image, white=white, task="grey", hidden="2", steps=1, runs=1, batch=1)
        assert np.abs(scene.record.target - image * (255 / most)).max() <= 0.5
    asks = scene.param["white"].when
    assert asks(scene) and not asks(Boundaries(image=bottle(8))) and not asks(Boundaries())


def test_the_image_of_a_recorded_story_can_be_learnt_anew():
    scene = Boundaries(history=life())
    scene.restart_training()
    assert scene.trains and np.array_equal(scene.record.target, bottle(32))


@pytest.mark.parametrize("kind", ["tanh", "relu"])
def test_regions_that_a_network_does_not_have_are_said(kind):
    scene = Boundaries(net=random_mlp([2, 4, 1], kind, seed=1), background="regions")
    scene.advance(Clock(scene.moment))
    assert ("no linear regions" in (scene.remark() or "")) == (kind == "tanh")
    scene.background = "none"
    scene.advance(Clock(scene.moment))
    assert "no linear regions" not in (scene.remark() or "")


def test_what_cannot_be_shown_is_told():
    with pytest.raises(SettingError, match="neuroscene train"):
        Boundaries(image=bottle(24), step=1_280_000).advance(Clock(1e3))
    with pytest.raises(SettingError, match="16, 16"):
        _ = Boundaries(image=bottle(24), hidden="sixteen").record
    with pytest.raises(SettingError, match="no target"):
        Boundaries(history=replace(life(), target=None), background="target").advance(Clock(0))
    with pytest.raises(SettingError, match=r"as 3\.2"):
        Boundaries(history=life(), neurons="blue").advance(Clock(0))
    with pytest.raises(SettingError, match="no image"):
        Boundaries(net=net()).restart_training()


def test_a_picture_of_a_long_history_opens_again_as_it_was(renderer):
    scene = Boundaries(history=life(snapshots=40), step=200, run=2)
    state = scene.state(Clock(scene.moment), weights_limit=10_000)
    other = Boundaries()
    clock = other.restore(state)
    assert np.array_equal(draw(renderer, other, time=clock.time), draw(renderer, scene))
    assert state["left_out"]


def test_histories_are_opened_from_the_command_line(tmp_path, capsys):
    files.save(life(), tmp_path / "run.safetensors")
    out = str(tmp_path / "a.png")
    size = ["--size", "40x40", "--supersample", "1"]
    assert main.main(["render", "boundaries", "--history", str(tmp_path / "run.safetensors"), "-o", out, *size]) == 0
    capsys.readouterr()
    assert main.main(["render", "boundaries", "--history", out, "-o", out, *size]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("more", [{"history": "nothing.safetensors"}, {"image": "nothing.jpg"}, {"net": "none.npz"}])
def test_files_that_are_not_there_are_told_by_name(more):
    with pytest.raises(NeurosceneError, match=r"nothing|none"):
        Boundaries(**more)


# The axes, the samples, the key.


def sampled(outputs=3, count=40, **more):
    rng, shown = np.random.default_rng(1), net(5, (2, 6, outputs))
    points = rng.uniform(-1, 1, (count, 2))
    wanted = shown(points).argmax(axis=1)
    losses = np.zeros((1, 1))
    return History(shown.shape, [0], flat(shown)[None, None], losses, PLANE, samples=points, wanted=wanted, **more)


@pytest.mark.parametrize("outputs", [2, 3])
@pytest.mark.parametrize("theme", ["dark", "paper"])
def test_samples_lie_over_the_prediction_where_they_are_and_stand_out_from_their_own_ground(renderer, outputs, theme):
    record = sampled(outputs)
    plain = {"history": record, "neurons": "none", "key": False, "extent": 1.0, "theme": theme}
    with_dots, without = (
        draw(renderer, Boundaries(**plain, samples=on), size=(240, 240), supersample=4).astype(int)
        for on in (True, False)
    )
    apart = np.abs(with_dots - without).max(axis=2)
    y, x = np.mgrid[:240, :240] + 0.5
    places = (record.samples + 1) / 2 * 240 * [1, -1] + [0, 240]
    far = np.hypot(x[..., None] - places[:, 0], y[..., None] - places[:, 1]).min(axis=2)
    radius = 11.0 / 2 * 240 / 720 + 1.0
    assert apart[far > radius + 0.5].max() == 0
    # The outline is seen around each, though the dot has the colour of its class.
    assert all(apart[np.hypot(x - a, y - b) < radius].max() > 30 for a, b in places)


def test_dots_that_touch_are_told_apart(renderer):
    record = sampled(2)
    record = replace(record, samples=np.array([(-0.0028, 0.0), (0.0028, 0.0)]), wanted=np.ones(2))
    scene = Boundaries(history=record, neurons="none", key=False, extent=0.2, background="none", theme="paper")
    row = draw(renderer, scene, size=(720, 720))[360, :, 0].astype(int)
    # Outline, white, outline, white, outline.
    dark = np.diff((row < 100).astype(int)) == 1
    assert dark.sum() == 3


def test_a_history_with_other_samples_of_the_same_plane_takes_its_place():
    # As a recorder's histories are, one after the other.
    scene = Boundaries(history=sampled(3))
    for count in (40, 50):
        scene.history = sampled(3, count)
        scene.advance(Clock(scene.moment))
        assert [len(dots.items) for dots in scene._dots] == [count]
        shown = list(scene._dots)
        scene.advance(Clock(scene.moment))
        assert shown[0] is scene._dots[0]


def test_the_numbers_along_the_axes_are_the_inputs():
    scene = Boundaries(net=net(3, (2, 6, 2)), low=-1.0, high=3.0, upwards="0, 200")
    scene.advance(Clock(scene.moment))
    (axes,) = scene._axes
    assert axes.x == (-1.0, 3.0, "x1") and axes.y[2] == "x2"
    assert axes.y[:2] == pytest.approx((0.0, 200.0))
    # Each limit lies at the square's side, and the reading there says it.
    low, high = scene._domains[0].low, scene._domains[0].high
    assert np.allclose(scene._domains[0].inputs([low, high]), [(-1, 0), (3, 200)])
    with pytest.raises(SettingError, match="lower first"):
        _ = Boundaries(net=net(3, (2, 6, 2)), upwards="3").record


@pytest.mark.parametrize("runs", [2, 3, 4, 6])
@pytest.mark.parametrize("aspect", [16 / 9, 4 / 3, 1.0, 9 / 16])
def test_runs_side_by_side_fill_the_picture_they_are_in(runs, aspect):
    scene = Boundaries(history=life(runs=runs), together=True)
    scene.aspect = aspect
    scene.advance(Clock(scene.moment))
    low, high = (np.array([getattr(d, name) for d in scene._domains]) for name in ("low", "high"))
    half = 0.5 * scene.extent * np.array((max(1.0, aspect), max(1.0, 1.0 / aspect)))
    # Inside of the picture, and no other number of columns has larger tiles.
    assert (low.min(axis=0) > 0.5 - half).all() and (high.max(axis=0) < 0.5 + half).all()
    free = 2 * half - 0.22 - np.array((0.22 if aspect > 1.0 else 0.0, 0.22 if aspect < 1.0 else 0.0))
    room = np.maximum(free, 1.0)
    best = max(min(room[0] / (c * 1.1 - 0.1), room[1] / (-(-runs // c) * 1.1 - 0.1)) for c in range(1, runs + 1))
    assert (high - low).max() == pytest.approx(best, rel=0.01)


def test_the_key_names_classes_in_the_colours_they_have():
    scene = Boundaries(history=sampled(3))
    scene.advance(Clock(scene.moment))
    rows = {row.words: row for row in scene._key.rows}
    tints = engine.sample_colours(np.arange(3), "classes", 3, "dark")
    assert all(np.allclose(rows[f"class {k + 1}"].colour, tints[k]) for k in range(3))
    loss = Boundaries(background="loss")
    loss.advance(Clock(loss.moment))
    assert any(row.words == "loss 0 to 2" and row.kind == "ramp" for row in loss._key.rows)
    many = Boundaries(history=sampled(14))
    many.advance(Clock(many.moment))
    assert many._key.rows[-1].words == "and 4 more"


def test_a_history_keeps_its_samples(tmp_path):
    record = sampled(3)
    files.save(record, tmp_path / "run.safetensors")
    again = files.load(tmp_path / "run.safetensors")
    assert np.array_equal(again.samples, record.samples) and np.array_equal(again.wanted, record.wanted)
    with pytest.raises(NeurosceneError, match="samples"):
        replace(record, wanted=record.wanted[:-1])


def axis_words(scene, size):
    """How many words are written, and those boxes that touch one another."""
    scene.aspect = size[0] / size[1]
    scene.advance(Clock(scene.moment))
    frame = Frame(scene.camera, size, (0, 0, *size), 1, theme_of(scene), min(size) / 720)
    _overlays(_drawables(scene), scene, frame)
    return len(frame.taken), [a for k, a in enumerate(frame.taken) for b in frame.taken[:k] if touch(a, b)]


@pytest.mark.parametrize("size", [(480, 320), (400, 300), (320, 320), (300, 400), (1920, 1080)])
@pytest.mark.parametrize("shape", [(3, 4), (4, 4), (4, 3)])
def test_the_key_leaves_the_numbers_and_the_names_of_the_axes(shape, size):
    record = replace(life(), domain=Domain.image(*shape))
    scene = Boundaries(history=record, background="prediction")
    count, touching = axis_words(scene, size)
    scene._key.rows, kept = (), scene._key.rows
    frame = Frame(scene.camera, size, (0, 0, *size), 1, theme_of(scene), min(size) / 720)
    _overlays(_drawables(scene), scene, frame)
    assert kept and not touching and count == len(frame.taken) + 1


def test_a_drawing_has_the_numbers_the_names_and_the_key_of_the_picture():
    record = replace(life(), domain=Domain.image(3, 4))
    scene = Boundaries(history=record, background="prediction")
    drawing = scene.drawing(Clock(scene.moment))
    groups = {g.name: g for g in drawing.children}
    words = [w for w in groups["axes"].children if hasattr(w, "text")]
    (axes,) = scene._axes
    assert {axes.x[2], axes.y[2]} <= {w.text for w in words}
    across = [(w.x, float(w.text)) for w in words if w.anchor == "middle" and w.text != axes.x[2]]
    up = [(-w.y, float(w.text)) for w in words if w.anchor == "end"]
    for numbers, (first, last, _) in ((across, axes.x), (up, axes.y)):
        values = [value for _, value in sorted(numbers)]
        assert values == sorted(values, reverse=last < first) and min(first, last) <= min(values)
    named = {w.text for w in groups["legend"].children if hasattr(w, "text")}
    assert {row.words for row in scene._colour_rows()} <= named


def test_a_picture_of_any_shape_is_laid_out():
    scene = Boundaries(history=life())
    scene.aspect = 2 / 3000
    scene.advance(Clock(0.0))
    assert scene.stage.children


def test_a_background_of_one_colour_is_told():
    scene = Boundaries(step=0)
    scene.advance(Clock(scene.moment))
    assert "nearly the same everywhere" in scene.remark()
    scene.background = "target"
    assert "nearly the same" not in scene.remark()
    scene = Boundaries()
    scene.advance(Clock(scene.moment))
    assert "nearly the same" not in scene.remark()
