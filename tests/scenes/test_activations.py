"""activations: what stands in space is what the network answers, and what it says of a neuron is so."""

import json
from pathlib import Path

import caffe_squeezenet
import numpy as np
import pytest
from safetensors.numpy import load_file

from engine.analysis.vision.attribution import contributions
from engine.draw.words.callout import Callout
from engine.errors import NeurosceneError, SettingError, ShapeError
from engine.formats.load_convnet import load_convnet
from engine.network.convnet import ConvNet
from engine.network.graph import nodes
from engine.network.graph.nodes import Add, Convolution, Dense, Elementwise, Input, Reduce, Reshape
from engine.reference.forward import value as twin
from engine.render.renderer import Renderer
from engine.scene.settings import assign
from engine.scene.view_data import Clock
from scenes.activations import APPEAR, Activations
from scenes.activations.marks import Neuron
from scenes.activations.network import (
    DRAWN,
    KINDS,
    PHOTOS,
    SIDE,
    drawn_picture,
    free_photo,
    own_network,
)
from tools.drawn.objects import draw

SHARED = Path(__file__).resolve().parents[3] / "shared" / "squeezenet"
SIZE = (240, 160)


@pytest.fixture(scope="module")
def scene():
    """Read by many tests; whoever sets something sets it back."""
    made = Activations()
    made.advance(Clock(made.moment))
    return made


def shown(scene, time=None, **values):
    for name, value in values.items():
        assign(scene, name, value)
    return Renderer().frame(scene, Clock(scene.moment if time is None else time), SIZE, 1).pixels()[..., :3].astype(int)


def small_net(classes=3, size=(3, 12, 12), **more):
    rng = np.random.default_rng(2)
    last = Reduce("mean", ("sum",), "mean", (2, 3))
    return ConvNet(
        [
            Input("x", (), (1, *size)),
            Convolution("a", ("x",), rng.normal(size=(6, size[0], 3, 3)), padding=(1, 1, 1, 1)),
            Elementwise("ra", ("a",), "relu"),
            Convolution("b", ("ra",), rng.normal(size=(6, 6, 3, 3)), padding=(1, 1, 1, 1)),
            Add("sum", ("b", "ra")),
            last,
            Reshape("flat", ("mean",), (1, 6)),
            Dense("d", ("flat",), rng.normal(size=(classes, 6))),
        ],
        name="mine",
        **more,
    )


# What is seen and answered.


def test_the_responses_are_the_networks_for_what_is_seen(scene):
    net = scene.convnet
    wanted = twin(net, net.preprocess(scene.seen))
    for name in scene.block_names:
        # Single precision over the few hundred terms of a sum.
        assert abs(scene.responses[name] - wanted[name]).max() <= 1e-5 * max(1.0, abs(wanted[name]).max())


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_that_comes_along_knows_what_is_drawn(scene, kind):
    scene.subject = kind
    scene.advance(Clock(scene.moment))
    # The picture of the default seed: 99 in 100 are right, and these sixteen are.
    assert scene.class_name(int(scene.probabilities.argmax())) == kind
    scene.subject = "cat"
    scene.advance(Clock(scene.moment))


def test_a_drawn_picture_is_the_same_every_time_and_another_for_each_of_48_seeds():
    made = [drawn_picture("cat", seed) for seed in range(48)]
    assert all(picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8 for picture in made)
    assert len({picture.tobytes() for picture in made}) == 48
    assert np.array_equal(made[5], drawn_picture("cat", 5 + 48 * 1000))


def test_a_seed_from_4_on_gives_one_of_the_first_four_mirrored_or_in_other_colours():
    for seed in (4, 11, 30, 2**31 - 1):
        picture, first = drawn_picture("boat", seed), drawn_picture("boat", seed % 4)
        shown = picture[:, ::-1] if seed // 4 % 2 else picture
        assert np.array_equal(np.sort(shown, axis=2), np.sort(first, axis=2))


@pytest.mark.parametrize("kind", KINDS)
def test_the_drawn_pictures_that_come_along_are_those_of_the_tool(kind):
    for seed in range(DRAWN):
        # Processors differ in the last digits of a power, and so in a shade here and there.
        apart = abs(drawn_picture(kind, seed).astype(int) - draw(kind, seed, SIDE))
        assert apart.max() <= 1 and np.mean(apart > 0) < 1e-3


@pytest.mark.parametrize("name", PHOTOS[1:])
def test_each_free_photo_is_there(name):
    photo = free_photo(name)
    assert photo.dtype == np.uint8 and min(photo.shape[:2]) >= 64


def test_the_likeliest_five_stand_in_the_picture_in_their_order(scene):
    ranks = scene._ranking.ranks
    probabilities = scene.probabilities
    assert [r.part for r in ranks] == sorted(probabilities.tolist(), reverse=True)[:5]
    assert ranks[0].name == "cat" and probabilities.sum() == pytest.approx(1.0)


# Blocks.


def test_blocks_are_the_originals_the_stages_or_all_layers():
    scene = Activations()
    assert scene.block_labels == ("pool1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7", "pool8", "prob")
    scene.blocks = "all"
    names = scene.block_names
    assert set(names) == set(scene.forward.kept[1:]) and len(names) == len(set(scene.block_labels))


def test_channel_0_is_shown_too_and_a_dot_is_the_neuron_that_it_is_said_to_be():
    scene = Activations(alone="fire3", turn=0.0)
    scene.advance(Clock(scene.moment))
    values = scene.responses["fire3/concat"]
    found = []
    for row, column in np.argwhere(values[0] > values.mean() + 2 * values.std()):
        x, y, _ = scene.camera.project(scene._cloud.place(0, 0, row, column), SIZE[0] / SIZE[1])
        pixel = (x + 1) / 2 * SIZE[0] - 0.5, (1 - y) / 2 * SIZE[1] - 0.5
        hit = Renderer().pick(scene, Clock(scene.moment), SIZE, *pixel)
        # Others may stand before it.
        neuron = scene.neuron_of(hit)
        assert neuron is not None and hit.value == pytest.approx(scene.response(neuron))
        found.append(neuron == Neuron("fire3/concat", 0, row, column))
    assert any(found)


def test_hidden_blocks_are_not_drawn_and_their_names_neither():
    scene = Activations(front=False, answers=False, key=False)
    whole, none = shown(scene), shown(scene, shown="none")
    some = shown(scene, shown="fire2, fire3")
    assert scene.block_is_shown == (False, True, True, *[False] * 6)
    assert (whole != none).any(axis=2).sum() > (some != none).any(axis=2).sum() > 0
    backdrop = shown(scene, labels="off", shown="none")
    assert np.array_equal(none, backdrop)


def test_one_block_alone_fills_the_picture():
    scene = Activations(answers=False, key=False, labels=False, front=False)
    ground = shown(scene, shown="none")
    scene.shown = "all"
    alone = (shown(scene, alone="fire3") != ground).any(axis=2)
    assert scene.block_labels == ("fire3",)
    rows, columns = np.flatnonzero(alone.any(axis=1)), np.flatnonzero(alone.any(axis=0))
    assert rows[-1] - rows[0] > 0.6 * SIZE[1] and columns[-1] - columns[0] > 0.6 * SIZE[1]


@pytest.mark.parametrize(
    ("name", "value"), [("shown", "fire99"), ("alone", "fire33"), ("neuron", "fire2 0 0"), ("neuron", "fire2 9 99 0"),
                        ("neuron", "fire2 64 0 0"), ("neuron", "nothing"), ("neuron", "fire2 a 0 0")],
)  # fmt: skip
def test_a_mistaken_name_is_told_in_a_line(name, value):
    scene = Activations()
    assign(scene, name, value)
    with pytest.raises(NeurosceneError, match=r"fire|block, channel, row, column") as caught:
        scene.advance(Clock(0.0))
    assert "\n" not in str(caught.value)


# Time.


def test_blocks_appear_one_after_the_other_and_then_stay():
    scene = Activations()
    count = len(scene.block_names)
    for k in range(count + 1):
        scene.advance(Clock(k * APPEAR))
        assert list(scene._cloud.appeared) == [1.0] * k + [0.0] * (count - k)
    assert scene.moment == count * APPEAR
    scene.reveal = False
    scene.advance(Clock(0.0))
    assert all(scene._cloud.appeared == 1.0) and scene.moment == 0.0


def test_the_answers_wait_for_the_last_block():
    scene = Activations()
    scene.advance(Clock(scene.moment - 0.9 * APPEAR))
    early = scene._ranking.ranks
    scene.advance(Clock(scene.moment - APPEAR))
    assert early and not scene._ranking.ranks


def test_the_turn_depends_on_the_time_alone_and_a_loop_closes():
    scene = Activations(reveal=False, turn=30.0)
    assert scene.loop == 12.0
    for step in (0.1, 0.02):
        scene.advance(Clock(5.0, step))
        turned = scene._root.transform.copy()
        scene.advance(Clock(0.0))
        scene.advance(Clock(5.0))
        assert np.array_equal(turned, scene._root.transform)
    assert abs(shown(scene, 0.0) - shown(scene, scene.loop)).max() <= 1


# One neuron.


def test_a_pinned_neuron_is_told_of_truly(scene):
    values = scene.responses["fire3/concat"]
    place = tuple(int(i) for i in np.unravel_index(values.argmax(), values.shape))
    scene.neuron = " ".join(map(str, ("fire3", *place)))
    scene.advance(Clock(scene.moment))
    assert scene.pinned == Neuron("fire3/concat", *place) and scene.written(scene.pinned) == scene.neuron
    card = scene._card
    rows = dict(card.rows)
    assert card.title == f"fire3, channel {place[0]}" and rows["row, column"] == f"{place[1]}, {place[2]}"
    assert float(rows["response"]) == pytest.approx(float(values.max()), rel=1e-3)
    score = (values.max() - values.mean(dtype=float)) / values.std(dtype=float)
    assert float(rows["z-score"]) == pytest.approx(score, abs=0.006)
    photo, channel = card.images
    assert photo.box == scene.convnet.field("fire3/concat", *place[1:])
    assert channel.box == (*place[1:], place[1] + 1, place[2] + 1)
    # The largest response of all is the brightest of its channel's map.
    brightness = channel.pixels.astype(float).sum(axis=2)
    assert np.unravel_index(brightness.argmax(), brightness.shape) == place[1:]
    scene.neuron = ""


@pytest.mark.parametrize("over", ["block", "channel", "shared"])
def test_a_score_is_over_what_is_chosen(scene, over):
    scene.normalise = over
    scene.advance(Clock(scene.moment))
    every = {name: scene.responses[name].astype(float) for name in scene.block_names}
    name = "fire4/concat"
    taken = {
        "block": every[name],
        "channel": every[name][7],
        "shared": np.concatenate([v.ravel() for v in every.values()]),
    }
    neuron = Neuron(name, 7, 2, 3)
    wanted = (every[name][7, 2, 3] - taken[over].mean()) / taken[over].std()
    assert scene.score(neuron) == pytest.approx(wanted, abs=1e-4)
    scene.normalise = "block"


def test_what_a_neuron_sees_changes_its_response_and_the_rest_does_not(scene):
    net, neuron = scene.convnet, Neuron("fire3/concat", 17, 10, 15)
    seen = net.preprocess(scene.seen)
    top, left, bottom, right = net.field(neuron.node, neuron.row, neuron.column)
    before = twin(net, seen)[neuron.node][neuron.place]
    inside, outside = seen.copy(), seen.copy()
    inside[:, top:bottom, left:right] += 0.5
    outside[:] += 0.5
    outside[:, top:bottom, left:right] = seen[:, top:bottom, left:right]
    assert twin(net, outside)[neuron.node][neuron.place] == pytest.approx(before, abs=1e-9)
    assert abs(twin(net, inside)[neuron.node][neuron.place] - before) > 1e-3


def test_lines_lead_to_those_that_moved_the_pinned_neuron_and_at_last_to_the_picture(scene):
    scene.neuron = "prob 4"
    scene.advance(Clock(scene.moment))
    lines = scene._wires.items
    starts, ends = lines["start"][:, :3], lines["end"][:, :3]
    first = scene.where(Neuron("prob", 4, 0, 0))
    moved = contributions(scene.convnet, scene.responses, "prob", (4, 0, 0), set(scene.block_names), most=12).found
    wanted = [scene.where(Neuron(i.node, i.channel, i.row, i.column)) for i in moved]
    found = ends[np.isclose(starts, first, atol=1e-3).all(axis=1)]
    assert np.allclose(np.sort(found, axis=0), np.sort(np.array(wanted), axis=0), atol=1e-3)
    plane = scene._plane
    before = np.cross(plane.down, plane.right)
    away = (ends - plane.corner) @ (before / np.linalg.norm(before))
    assert abs(away[ends[:, 2].argmax()]) < 1.0
    scene.lines = False
    scene.advance(Clock(scene.moment))
    assert not len(scene._wires.items)
    scene.lines, scene.neuron = True, ""


def test_a_pinned_neuron_stays_while_other_pictures_are_looked_at():
    scene = Activations(neuron="fire3 17 10 15")
    scene.advance(Clock(scene.moment))
    before = scene._wires.items.copy()
    scene.seed = 4
    scene.advance(Clock(scene.moment))
    assert len(scene._wires.items) and not np.array_equal(before, scene._wires.items)
    assert float(dict(scene._card.rows)["response"]) == pytest.approx(scene.response(scene.pinned), rel=1e-3, abs=1e-9)


def test_a_class_is_named_with_its_percent_at_the_end_of_a_line(scene):
    scene.neuron = "prob 4"
    scene.advance(Clock(scene.moment))
    assert isinstance(scene._pin, Callout) and scene._pin.words[0] == "cat"
    assert float(scene._pin.words[1].rstrip("%")) == pytest.approx(100 * scene.probabilities[4], abs=0.06)
    scene.neuron = ""


def test_a_picture_remembers_the_pinned_neuron(scene):
    scene.neuron = "fire2 3 4 5"
    state = json.loads(json.dumps(scene.state()))
    scene.neuron = ""
    other = Activations()
    other.restore(state)
    assert other.neuron == "fire2 3 4 5"


# A person's own.


def test_an_own_network_is_shown_with_probabilities_names_and_its_own_pixels():
    scene = Activations(net=small_net(), names=("one", "two", "three"))
    scene.advance(Clock(scene.moment))
    assert scene.block_labels == ("ra", "sum", "mean", "prob") and {r.name for r in scene._ranking.ranks} == {
        "one", "two", "three",
    }  # fmt: skip
    plain = scene.responses["sum"].copy()
    scene.pixels = "0..255"
    scene.advance(Clock(scene.moment))
    image = scene.seen.transpose(2, 0, 1).astype(float)
    wanted = twin(scene.convnet, image)["sum"]
    assert abs(scene.responses["sum"] - wanted).max() <= 1e-5 * abs(wanted).max()
    assert not np.allclose(plain, scene.responses["sum"])


def test_data_of_twelve_bits_are_seen_as_their_eight_upper_ones_and_said_to_be(tmp_path):
    photo = np.random.default_rng(3).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    photo[0, 0] = 255
    plain, deep = Activations(image=photo), Activations(image=(photo * (4095 / 255)).round().astype(np.uint16))
    assert np.abs(plain.seen.astype(int) - deep.seen).max() <= 1
    assert np.abs(plain.probabilities - deep.probabilities).max() < 0.02
    assert "4,095 (12 bits)" in deep.remark()
    assign(deep, "white", "65535")
    assert deep.seen.max() <= 16 and "12 bits" not in (deep.remark() or "")
    # Steps finer than those of eight bits reach the network.
    finer = Activations(image=deep.image + np.uint16(3))
    assert np.array_equal(finer.picture - 3, deep.picture) and not np.array_equal(finer.fitted, deep.fitted)


def test_a_network_that_sees_greys_is_shown_greys():
    scene = Activations(net=small_net(size=(1, 12, 12)))
    assert (scene.seen == scene.seen[..., :1]).all() and scene.seen.std() > 0


def test_settings_are_taken_in_any_order():
    last = {"net": small_net(), "names": ("one", "two", "three")}
    for values in ({"neuron": "prob 2", "alone": "prob", **last}, {**last, "alone": "prob", "neuron": "prob 2"}):
        scene = Activations()
        for name, value in values.items():
            assign(scene, name, value)
        scene.advance(Clock(scene.moment))
        assert scene.pinned == Neuron("prob", 2, 0, 0) and scene._card.title == "three"


def test_a_list_of_names_that_does_not_fit_is_told():
    scene = Activations(net=small_net(), names=("one", "two"))
    with pytest.raises(ShapeError, match="2 classes"):
        scene.advance(Clock(0.0))


def test_a_network_that_takes_no_photo_is_told():
    scene = Activations(net=small_net(size=(5, 12, 12)))
    with pytest.raises(SettingError, match="5 channels"):
        scene.advance(Clock(0.0))


def test_a_grey_network_and_one_without_classes_are_shown():
    net = ConvNet(
        [
            Input("x", (), (1, 1, 9, 7)),
            Convolution("c", ("x",), np.ones((2, 1, 3, 3))),
            Elementwise("r", ("c",), "relu"),
        ]
    )
    scene = Activations(net=net)
    scene.advance(Clock(scene.moment))
    # No probabilities are made of them: the largest values are named.
    assert scene.probabilities is None and all(rank.words for rank in scene._ranking.ranks)
    assert scene.block_labels == ("r",)


def test_squeezenet_before_it_is_downloaded_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("NEUROSCENE_CACHE", str(tmp_path))
    scene = Activations(network="squeezenet")
    with pytest.raises(SettingError, match="neuroscene download squeezenet"):
        scene.advance(Clock(0.0))


def test_the_small_network_says_which_it_is_and_how_to_get_the_large_one():
    scene = Activations()
    assert "16" in scene.remark() and "squeezenet" in scene.remark()
    assert Activations(net=small_net(classes=1)).remark() is None
    assert own_network().weight_count < 200_000


@pytest.mark.skipif(not SHARED.exists(), reason="the real SqueezeNet's weights are not here")
def test_the_real_network_sees_a_cat_in_chelsea():
    net = load_convnet(SHARED / "squeezenet1_0.safetensors")
    scene = Activations(net=net, names=str(SHARED / "imagenet_classes.txt"), photo="chelsea")
    scene.advance(Clock(scene.moment))
    assert [r.name for r in scene._ranking.ranks[:3]] == ["Egyptian cat", "tabby, tabby cat", "tiger cat"]
    assert scene.block_labels == (
        "pool1", "fire2", "fire3", "fire4", "fire6", "fire8", "fire9", "conv10", "pool10", "prob",
    )  # fmt: skip
    # 55 x 55 of 96, 128, 128, 256 channels; 27 x 27 of 384, 512; 13 x 13 of 512; 15 x 15 of 1000; two vectors.
    wanted = 55**2 * 608 + 27**2 * 896 + 13**2 * 512 + 15**2 * 1000 + 2000
    assert sum(int(np.prod(b.shape)) for b in scene._cloud.blocks) == wanted


@pytest.mark.skipif(not SHARED.exists(), reason="the real SqueezeNet's weights are not here")
@pytest.mark.parametrize("bgr", [False, True])
def test_the_model_zoos_file_answers_as_the_weights_do_whatever_its_channels_order(tmp_path, bgr):
    path = tmp_path / "squeezenet1.0-12.onnx"
    caffe_squeezenet.write(path, load_file(SHARED / "squeezenet1_0.safetensors"), bgr=bgr)
    zoo, own = (Activations(net=str(p), photo="chelsea") for p in (path, SHARED / "squeezenet1_0.safetensors"))
    assert zoo.convnet.preprocess.order == ("bgr" if bgr else "rgb")
    assert [zoo.convnet.shapes[n] for n in zoo.block_names] == [own.convnet.shapes[n] for n in own.block_names]
    for a, b in zip(zoo.block_names, own.block_names, strict=True):
        # Sums of three channels in another order.
        assert abs(zoo.responses[a] - own.responses[b]).max() <= 1e-5 * abs(own.responses[b]).max()


def test_a_network_of_one_neuron_is_shown_too():
    net = ConvNet([Input("x", (), (1, 3, 2, 2)), Convolution("c", ("x",), np.ones((1, 3, 2, 2)))])
    for alone in ("", "c"):
        scene = Activations(net=net, alone=alone)
        assert shown(scene).shape == (SIZE[1], SIZE[0], 3)
        assert np.isfinite(scene._root.transform).all() and abs(scene._root.transform).max() < 1e3


@pytest.mark.parametrize("figure", Activations.figures(), ids=lambda figure: figure.name)
def test_every_figure_can_be_made(figure):
    for step in figure.columns or (None,):
        scene = Activations()
        for name, value in {**figure.settings, **(step.settings if step else {})}.items():
            assign(scene, name, value)
        scene.advance(Clock(scene.moment))
        assert bool(scene.neuron) == (scene.pinned is not None)


def any_weights(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape) / np.sqrt(np.prod(shape[1:]))


def unet():
    """Down and up again, to a mask."""
    return [
        Input("x", (), (1, 3, 8, 12)),
        Convolution("in", ("x",), any_weights(6, 3, 3, 3), padding=(1,) * 4),
        nodes.Normalise("norm", ("in",), np.ones((6, 1, 1)), np.zeros((6, 1, 1)), groups=2),
        nodes.MaxPool("down", ("norm",), (2, 2), (2, 2)),
        nodes.TransposedConvolution("up", ("down",), any_weights(6, 4, 2, 2), stride=(2, 2)),
        nodes.Concat("skip", ("up", "norm")),
        Convolution("out", ("skip",), any_weights(3, 10, 1, 1)),
        nodes.Softmax("mask", ("out",)),
    ]


def transformer():
    """Patches that look at one another, then the mean of all."""
    return [
        Input("x", (), (1, 3, 8, 12)),
        Convolution("patches", ("x",), any_weights(6, 3, 4, 4), stride=(4, 4)),
        Reshape("rows", ("patches",), (1, 6, 6)),
        nodes.Transpose("tokens", ("rows",), (0, 2, 1)),
        Dense("keys", ("tokens",), any_weights(6, 6)),
        nodes.Transpose("turned", ("keys",), (0, 2, 1)),
        nodes.MatMul("products", ("tokens", "turned")),
        nodes.Softmax("attention", ("products",), -1),
        nodes.MatMul("seen", ("attention", "tokens")),
        Add("sum", ("tokens", "seen")),
        Reduce("largest", ("sum",), "max", (1,), False),
        Dense("scores", ("largest",), any_weights(4, 6)),
    ]


@pytest.mark.parametrize("made", [unet, transformer])
def test_networks_of_other_kinds_are_shown_and_asked(made):
    scene = Activations(net=ConvNet(made(), name="other"), blocks="all", reveal=False)
    assert not {"rows", "tokens", "turned"} & set(scene.block_names)
    wanted = twin(scene.convnet, scene.convnet.preprocess(scene.seen))
    for name in scene.block_names:
        assert abs(scene.responses[name] - wanted[name]).max() <= 1e-5 * max(1.0, abs(wanted[name]).max())
    for label, name in zip(scene.block_labels, scene.block_names, strict=True):
        place = "0 0 0" if scene.convnet.shapes[name][1:] != (1, 1) else "0"
        assert shown(scene, neuron=f"{label} {place}").std() > 0
    if made is transformer:
        # A largest number is made of the one that it is; how much of the sum the lines give is said.
        assert shown(scene, neuron="scores 1").std() > 0 and "the lines to 6 neurons give" in scene.remark()
        assert "biases) 0;" in scene.remark()
    assert shown(scene, neuron="", blocks="stages").std() > 0
