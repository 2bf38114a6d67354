"""activations shows what a network is: its answer as classes, a picture, labels, a map or values."""

import numpy as np
import pytest
from graphs.maps import UNET, conv, rng

from engine.draw.colour import srgb
from engine.draw.frame import Frame
from engine.errors import SettingError
from engine.network.convnet import ConvNet
from engine.network.graph import nodes
from engine.reference.forward import value as twin
from engine.render.renderer import Renderer
from engine.render.shot import theme_of
from engine.scene.settings import assign
from engine.scene.view_data import Clock
from scenes.activations import Activations
from scenes.activations.answers import HELD, RAISED, class_colour
from scenes.activations.marks import Neuron
from scenes.activations.network import code_image


def opened(parts, **values):
    scene = Activations(net=ConvNet(parts, name="mine"), reveal=False, **values)
    scene.advance(Clock(0.0))
    return scene


def picture(scene):
    return Renderer().frame(scene, Clock(0.0), (240, 160), 1).pixels()[..., :3].astype(int)


GENERATOR = [
    nodes.Input("z", (), (1, 6, 1, 1)),
    nodes.TransposedConvolution("up", ("z",), rng(6, 4, 4, 4)),
    nodes.Elementwise("r", ("up",), "relu"),
    nodes.TransposedConvolution("out", ("r",), 3 * rng(4, 3, 2, 2), stride=(2, 2)),
    nodes.Elementwise("t", ("out",), "tanh"),
]
SEGMENTER = [nodes.Input("x", (), (1, 3, 8, 12)), conv("c", "x", 5, 3, 3), nodes.Elementwise("r", ("c",), "relu"),
             conv("d", "r", 4, 5)]  # fmt: skip


def test_a_generator_makes_a_picture_of_the_codes_that_its_seed_gives():
    scene = opened(GENERATOR)
    code = np.random.default_rng(0).normal(size=6)
    wanted = twin(scene.convnet, code.reshape(6, 1, 1))["t"]
    image, words = scene.output_image
    assert scene.kind.kind == "picture" and words == "from -1 to 1" and image.shape == (8, 8, 3)
    # Half a step of rounding, and of single precision.
    assert abs(image.transpose(2, 0, 1) / 255 * 2 - 1 - wanted).max() <= 0.5 / 127.5 + 1e-4
    first = picture(scene)
    next(a for a in scene.actions() if a.name == "next picture").run()
    assert scene.code == 1 and (picture(scene) != first).any()
    scene.code, scene.spread = 0, 0.0
    assert not scene.given_code.any()
    scene.spread = 1.0
    assert np.array_equal(picture(scene), first)
    assert scene._plane.image.shape[:2] == (16, 24) and scene._made.image is scene.output_image[0]


def test_a_code_is_squares_that_diverge_from_zero():
    image = code_image(np.array([-3.0, 0.0, 3.0]), cell=2)
    assert image.shape == (2, 6, 3) and (image[:, :2] == image[0, 0]).all()
    low, middle, high = (image[0, k].astype(int) for k in (0, 2, 4))
    assert low[2] > low[0] and high[0] > high[2] and middle.min() > 200


@pytest.mark.parametrize("settings", [{"neuron": "r 1 2 2"}, {"neuron": "t 1 2 2"}, {"alone": "r"}])
def test_a_neuron_of_a_generator_is_asked_as_others_are(settings):
    assert picture(opened(GENERATOR, **settings)).std() > 0


def test_labels_lie_over_the_picture_in_the_colours_of_their_legend():
    scene = opened(SEGMENTER, overlay=1.0)
    number = twin(scene.convnet, scene.convnet.preprocess(scene.seen))["d"].argmax(axis=0)
    image, _ = scene.output_image
    for k in np.unique(number):
        assert (image[number == k] == np.rint(255 * srgb(class_colour(int(k))))).all()
    ranks, _ = scene.ranks
    assert [rank.part for rank in ranks] == sorted(np.bincount(number.ravel())[np.unique(number)] / 96, reverse=True)
    assert {rank.name: rank.colour for rank in ranks} == {
        f"class {k}": class_colour(int(k)) for k in np.unique(number)
    }  # fmt: skip
    scene.overlay = 0.0
    assert np.array_equal(scene.output_image[0], scene.seen)


def test_a_background_is_not_painted():
    scene = opened(SEGMENTER, names=("background", "one", "two", "three"), overlay=1.0)
    number = scene.answer.argmax(axis=0)
    is_seen = (scene.output_image[0] == scene.seen).all(axis=2)
    assert np.array_equal(is_seen, number == 0) and 0 < is_seen.sum() < is_seen.size


def test_a_network_without_classes_gets_no_probabilities():
    parts = [
        nodes.Input("x", (), (1, 3, 4, 4)),
        nodes.Reshape("f", ("x",), (1, 48)),
        nodes.Dense("d", ("f",), rng(7, 48)),
    ]
    scene = opened(parts)
    values = twin(scene.convnet, scene.convnet.preprocess(scene.seen))["d"].ravel()
    ranks, title = scene.ranks
    order = np.argsort(-abs(values))[:5]
    assert scene.probabilities is None and [r.name for r in ranks] == [f"output {k}" for k in order]
    assert [float(r.words) for r in ranks] == pytest.approx(values[order], rel=1e-3)
    assert title == f"mine: largest by size, norm {np.linalg.norm(values):.3g}"
    assert "output=classes" in scene.remark()
    assign(scene, "output", "classes")
    e = np.exp(values - values.max())
    assert scene.probabilities == pytest.approx(e / e.sum(), rel=1e-4) and scene.ranks[0][0].words == ""
    named = opened(parts, names=tuple("abcdefg"))
    assert named.probabilities == pytest.approx(scene.probabilities) and "softmax of the outputs" in named.remark()


def test_an_output_that_is_not_as_it_is_said_to_be_is_told():
    scene = Activations(net=ConvNet(SEGMENTER), output="classes")
    with pytest.raises(SettingError, match="output=classes: for classes it takes a vector"):
        scene.advance(Clock(0.0))


def test_a_u_net_stands_as_a_u_with_arcs_for_its_skips():
    scene = opened(UNET, turn=0.0)
    layouts = {b.name: b.layout for b in scene._cloud.blocks}
    middle = lambda name: layouts[name].origin[1] - layouts[name].size[1] / 2
    assert scene.is_u and {"ra", "rb", "rc", "out"} <= set(layouts)
    assert middle("ra") == pytest.approx(middle("rc")) and middle("rb") < middle("ra")
    depths = [layout.origin[2] for layout in layouts.values()]
    assert depths == sorted(depths, reverse=True)
    lines = scene._arcs.items
    names = [b.name for b in scene._cloud.blocks]
    first, last = (layouts[names[k]] for k in scene.skips[0])
    for at, layout in ((lines["start"][0], first), (lines["end"][-1], last)):
        # A float32 array of places up to some hundred.
        assert at[:3] == pytest.approx((0, layout.origin[1], layout.origin[2] - layout.size[2] / 2), abs=1e-3)
    assert names[scene.skips[0][0]] == "ra" and np.array_equal(lines["end"][:-1], lines["start"][1:])
    as_u = picture(scene)
    scene.arrangement = "row"
    assert (picture(scene) != as_u).any() and not scene.is_u
    assert len({b.layout.origin[1] - b.layout.size[1] / 2 for b in scene._cloud.blocks}) == 1


def test_a_skip_appears_with_the_block_that_it_leads_to():
    scene = opened(UNET)
    scene.reveal = True
    scene.advance(Clock(0.5 * scene.skips[0][1]))
    assert not scene._arcs.items["start_colour"][:, 3].any()
    scene.advance(Clock(scene.moment))
    assert scene._arcs.items["start_colour"][:, 3].all()
    scene.alone = "ra"
    scene.advance(Clock(scene.moment))
    assert not scene._arcs.visible and not scene._made.visible


def test_a_detectors_scores_are_painted_as_strong_as_they_are():
    scene = opened([*SEGMENTER, nodes.Elementwise("s", ("d",), "sigmoid")], overlay=1.0)
    score = twin(scene.convnet, scene.convnet.preprocess(scene.seen))["s"]
    colours = np.array([srgb(class_colour(k)) for k in range(4)])[score.argmax(axis=0)]
    part = score.max(axis=0)[..., None]
    wanted = scene.seen / 255 * (1 - part) + colours * part
    # Half a step of rounding, and single precision.
    assert abs(scene.output_image[0] / 255 - wanted).max() <= 0.5 / 255 + 1e-4


@pytest.mark.parametrize("count", [1, 2, 3, 7, 11, 12, 64, 101, 131])
def test_all_that_is_drawn_of_a_code_are_its_numbers(count):
    code = np.linspace(-3.0, 3.0, count)
    image = code_image(code, cell=8)
    own = {tuple(code_image(code[k : k + 1], cell=1)[0, 0]) for k in range(count)}
    assert {tuple(p) for p in image.reshape(-1, 3)} == own
    assert image.shape[0] <= image.shape[1] <= 8 * image.shape[0]


def test_a_network_without_a_picture_says_what_it_is_given():
    scene = opened(GENERATOR, code=4)
    assert "no picture but 6 numbers: random ones are given (code=4, spread=1)" in scene.remark()
    assert "random" not in (opened(SEGMENTER).remark() or "")


def test_values_below_0_have_another_colour():
    weights = np.ones((6, 3, 8, 8)) * np.linspace(-1.0, 1.0, 6)[:, None, None, None]
    scene = opened([nodes.Input("x", (), (1, 3, 8, 8)), nodes.Convolution("c", ("x",), weights)], output="values")
    ranks, title = scene.ranks
    assert "largest by size" in title and {float(rank.words) < 0 for rank in ranks} == {True, False}
    assert all(rank.colour == (HELD if float(rank.words) < 0 else RAISED) for rank in ranks)


def test_settings_of_attention_without_any_are_told():
    scene = opened(SEGMENTER, token="3 3", head=2)
    assert "token, head: no effect, as mine has no attention" in scene.remark()
    assert "no effect" not in opened(SEGMENTER).remark()


@pytest.mark.parametrize(("neuron", "said"), [
    ("r 1 2", "one number is missing"), ("r 1 2 3 4", "numbers too many"), ("zz 1 2 3", "There is no block `zz`"),
    ("r 1", "block, channel, row, column, as in .*: a channel of r has"), ("r 1 1 ²", "block, channel, row"),
    ("r 1 1 " + "9" * 5000, "block, channel, row"),
])  # fmt: skip
def test_a_mistaken_neuron_names_the_mistake(neuron, said):
    with pytest.raises(SettingError, match=said):
        opened(SEGMENTER, blocks="all", neuron=neuron)


def test_blocks_and_neurons_of_any_name_can_be_chosen():
    names = "a, b", "c  d\te", "f 1 2", "ünï,"
    parts, source = [nodes.Input("x", (), (1, 3, 4, 4))], "x"
    for name in names:
        parts.append(conv(name, source, 3, 3))
        source = name
    parts += [nodes.Reduce("g 1 2", (source,), "mean", (2, 3), False), nodes.Dense("d", ("g 1 2",), np.eye(3))]
    scene = opened(parts, blocks="all")
    assert scene.block_names == (*names, "g 1 2", "d")
    for name in scene.block_names:
        neuron = Neuron(name, 2, *(n - 1 for n in scene.convnet.shapes[name][1:]))
        scene.neuron = scene.written(neuron)
        assert scene.pinned == neuron
        wanted = tuple(one == name for one in scene.block_names)
        scene._put_shown([wanted])
        assert scene.block_is_shown == wanted


@pytest.mark.parametrize("blocks", ["stages", "all"])
def test_classes_whose_probabilities_are_moved_are_shown_as_they_are(blocks):
    parts = [nodes.Input("x", (), (1, 3, 4, 4)), conv("c", "x", 5, 3),
             nodes.Reduce("m", ("c",), "mean", (2, 3)), nodes.Softmax("s", ("m",), 1),
             nodes.Reshape("y", ("s",), (1, 5))]  # fmt: skip
    scene = opened(parts, blocks=blocks, neuron="y 2")
    wanted = twin(scene.convnet, scene.convnet.preprocess(scene.seen))
    assert scene.kind.why == "it ends in a softmax" and scene.block_names[-1] == "y"
    assert scene.probabilities == pytest.approx(wanted["s"].ravel(), abs=1e-6)
    assert scene.made_of.sum == pytest.approx(wanted["m"][2, 0, 0], abs=1e-5)
    # Said to be values, they are no longer drawn as classes.
    assert scene._cloud.blocks[-1].look == "classes"
    scene.output = "values"
    scene.advance(Clock(0.0))
    assert all(block.look != "classes" for block in scene._cloud.blocks)


def test_a_mistaken_block_has_all_blocks_named():
    scene = Activations(neuron="fire44 1 2 3")
    with pytest.raises(SettingError) as error:
        scene.advance(Clock(0.0))
    assert all(label in str(error.value) for label in scene.block_labels)


def test_the_last_block_is_called_output_too_and_prob_where_it_has_classes():
    parts = [*SEGMENTER, nodes.Reduce("m", ("d",), "mean", (2, 3), True), nodes.Softmax("likely", ("m",), 1)]
    for text in ("output 2", "prob 2", "likely 2"):
        assert opened(parts, neuron=text).pinned == Neuron("likely", 2, 0, 0)
    assert opened(SEGMENTER, neuron="output 2 3 4").pinned == Neuron("d", 2, 3, 4)
    with pytest.raises(SettingError, match="no block `prob`"):
        opened(SEGMENTER, neuron="prob 2 3 4")


def test_a_file_as_a_choice_says_which_setting_takes_files(tmp_path):
    (tmp_path / "mine.onnx").write_bytes(b"a network")
    with pytest.raises(SettingError, match=r"mine\.onnx is a file; files are given as .*net=FILE"):
        assign(Activations(), "network", str(tmp_path / "mine.onnx"))


def test_a_small_picture_has_no_card_of_answers():
    scene = Activations(reveal=False, labels=False, key=False)
    scene.advance(Clock(0.0))
    card = scene._ranking
    for size, there in (((240, 160), 0), ((480, 320), 1)):
        frame = Frame(scene.camera, size, (0, 0, *size), 1, theme_of(scene), 1.0)
        card.overlay(frame, np.eye(4))
        assert len(frame.sprites) == there


def test_neurons_without_a_number_are_told_in_place_of_faint_ones():
    start = [nodes.Input("x", (), (1, 3, 8, 8)), conv("c", "x", 4, 3, 3), nodes.Elementwise("logs", ("c",), "log")]
    scene = opened(start, blocks="all")
    wrong = np.count_nonzero(~np.isfinite(scene.responses["logs"]))
    assert wrong and f"{wrong} of {scene.responses['logs'].size} neurons of logs are nan or infinite" in scene.remark()
    assert {rank.part for rank in opened([*start, nodes.Reduce("m", ("logs",), "mean", (2, 3))]).ranks[0]} == {0.0}
    assert "faint" not in scene.remark() and "infinite" not in (opened(SEGMENTER).remark() or "")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["labels", "map", "picture", "classes"])
def test_what_is_no_number_is_painted_ranked_and_followed_nowhere(kind):
    channels = {"map": 1, "picture": 3}.get(kind, 4)
    parts = [nodes.Input("x", (), (1, 3, 8, 8)), conv("c", "x", channels, 3, 3), nodes.Elementwise("a", ("c",), "log")]
    if kind == "classes":
        parts += [nodes.Reduce("m", ("a",), "mean", (2, 3), True), nodes.Softmax("s", ("m",), 1)]
    scene = opened(parts, output=kind, blocks="all")
    logs = scene.responses["a"]
    known = ~np.isnan(logs).any(axis=0)
    assert 1 / 64 <= scene.exposed <= 64.0
    if kind == "classes":
        assert {(rank.part, rank.words) for rank in scene.ranks[0]} == {(0.0, "nan")} and not scene._answer.visible
    if kind == "labels":
        assert sum(rank.part for rank in scene.ranks[0]) == pytest.approx(known.mean())
    if kind in ("labels", "map"):
        assert np.array_equal(scene.output_image[0][~known], scene.seen[~known])
    picture(scene)
    scene.neuron = "a {} {} {}".format(*np.argwhere(np.isfinite(logs))[0])
    scene.advance(Clock(0.0))
    assert np.isfinite([scene.made_of.sum, scene.made_of.all, scene.made_of.offset]).all() and not scene.untold
    scene.neuron = "a {} {} {}".format(*np.argwhere(np.isnan(logs))[0])
    scene.advance(Clock(0.0))
    assert "sum is nan" in scene.remark() and np.isnan(scene.score(scene.pinned))


def test_a_network_without_neurons_is_refused():
    with pytest.raises(SettingError, match="mine: no layer computes"):
        opened([nodes.Input("x", (), (1, 3, 8, 8))])
