"""A transformer's tokens stand on the picture's patches; what one looks at is drawn as the softmax has it."""

import numpy as np
import pytest
from graphs.transformers import HEADS, D, reduced, vit, windowed

from engine.analysis.vision.tokens import ADDED
from engine.draw.colour import colours, srgb
from engine.draw.drawable import Hit
from engine.errors import SettingError
from engine.network.convnet import ConvNet
from engine.reference.forward import value as twin
from engine.render.renderer import Renderer
from engine.scene.settings import assign
from engine.scene.view_data import Clock
from scenes.activations import Activations
from scenes.activations.marks import Neuron


def opened(graph=None, **values):
    scene = Activations(net=ConvNet(graph or vit(1), name="vit"), reveal=False, turn=0.0, **values)
    scene.advance(Clock(0.0))
    return scene


def looks(scene):
    """(heads, queries, keys) of the softmax, in float64."""
    return twin(scene.convnet, scene.convnet.preprocess(scene.seen))["looks"]


@pytest.fixture(scope="module")
def scene():
    return opened()


def test_tokens_stand_as_the_patches_of_the_picture_do(scene):
    block = scene.block_names.index("sum")
    layout = scene._cloud.blocks[block].layout
    spot = lambda token: scene._cloud.spot(block, 0, token, 0)[:2] - np.array(layout.origin[:2])
    patches = np.array([spot(1 + k) for k in range(6)]) / layout.step
    assert patches == pytest.approx(np.array([(x, -y) for y in range(2) for x in range(3)]), abs=1e-6)
    assert spot(0)[1] > 0 and scene._cloud.blocks[block].shape == scene.convnet.shapes["sum"]
    title, rows, images = scene._card_of(Neuron("sum", 2, 4, 0))
    assert title == "sum, channel 2" and dict(rows)["token"] == "patch 1, 0"
    assert images[1].pixels.shape[:2] == (2, 3) and images[1].box == (1, 0, 2, 1)
    assert dict(scene._card_of(Neuron("sum", 2, 0, 0))[1])["token"] == "class"


@pytest.mark.parametrize(("token", "number", "row"), [("class", ADDED, 0), ("0 2", 2, 3), ("1, 0", 3, 4)])
def test_the_weights_of_a_token_lie_over_the_picture_and_lead_to_what_it_looks_at(scene, token, number, row):
    scene.token = token
    scene.advance(Clock(0.0))
    wanted = looks(scene)[:, row]
    look = scene.look_at
    assert look.query == number and look.patches.reshape(HEADS, 6) == pytest.approx(wanted[:, 1:], abs=1e-5)
    assert dict(scene._card.rows)["to the class token"] == f"{100 * wanted[:, 0].mean():.1f}%"
    # The patch that is looked at most is the one with the lightest colour over it.
    order = wanted[:, 1:].mean(axis=0).argsort()
    covered = abs(scene.in_front.astype(float) - scene.seen).reshape(2, 4, 3, 4, 3)
    assert (covered.sum(axis=(1, 3, 4)) > 0).all()
    row, column = divmod(int(order[-1]), 3)
    pixels = (slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4))
    largest = np.rint(0.25 * scene.seen[pixels] + 0.75 * 255 * srgb(colours("viridis", "image", 1.0)))
    assert abs(scene.in_front[pixels] - largest).max() <= 1
    lines = scene._looks.items
    shades = np.sort(lines["start_colour"][:, 3])[::-1]
    assert shades == pytest.approx(
        np.sort(wanted[:, 1:].mean(axis=0))[::-1] / wanted[:, 1:].mean(axis=0).max(), abs=1e-4
    )
    assert len(scene._looker.items) == (4 if number >= 0 else 0)
    scene.head = 2
    scene.advance(Clock(0.0))
    assert np.sort(scene._looks.items["start_colour"][:, 3])[::-1] == pytest.approx(
        np.sort(wanted[1, 1:])[::-1] / wanted[1, 1:].max(), abs=1e-4
    )
    scene.head, scene.token = 0, ""
    scene.advance(Clock(0.0))
    assert scene.look_at is None and scene.in_front is scene.seen and not len(scene._looks.items)


def test_a_pinned_neuron_and_a_patch_under_the_pointer_look_too(scene):
    scene.neuron = "sum 2 4 0"
    assert scene.look_at.query == 3
    scene.neuron = ""
    hit = Hit(scene._plane, (0, 0, 0), 1.0, part=(7, 5))  # of 8 x 12 pixels
    assert scene.pointed(hit) and scene.look_at.query == 4 and not scene.pointed(hit)
    assert scene.pin(hit) and scene.token == "1 1"
    assert scene.pointed(None) and scene.look_at.query == 4
    assert scene.pin(hit) and scene.token == "" and scene.look_at is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("token", "2 0", "2 x 3 patches"), ("token", "cat", "or class"), ("head", "3", "2 heads"),
     ("token", ",", "2 x 3 patches"), ("token", "² 1", "2 x 3 patches"), ("token", "0 " + "9" * 5000, "patches"),
     ("token", "class ²", "or class"), ("token", "class 0", "or class"), ("token", "class 2", "or class"),
     ("attending", "2", "1 attention\\.")],
)  # fmt: skip
def test_a_token_head_or_attention_that_there_is_none_of_is_told(scene, name, value, said):
    before = getattr(scene, name)
    if name != "token":
        scene.token = "0 0"
    assign(scene, name, value)
    with pytest.raises(SettingError, match=said):
        scene.advance(Clock(0.0))
    setattr(scene, name, before)
    scene.token = ""
    scene.advance(Clock(0.0))


def test_heads_stand_side_by_side():
    scene = opened(alone="looks")
    block = scene._cloud.blocks[0]
    spots = np.array([[scene._cloud.spot(0, h, q, k) for k in range(7)] for h in range(HEADS) for q in range(7)])
    first, second = spots[:7, :, 0], spots[7:, :, 0]
    assert first.max() < second.min() and len(np.unique(np.round(spots[..., 2], 6))) == 1
    assert block.layout.size[0] >= np.ptp(spots[..., 0])
    assert Renderer().frame(scene, Clock(0.0), (240, 160), 1).pixels().std() > 0


def test_a_token_of_small_patches_is_framed_where_it_is_and_looks_at_larger_ones():
    scene = opened(reduced(), token="1 3", blocks="all")
    assert scene.look_at.query == 7
    assert scene.look_at.patches.ravel() == pytest.approx(looks(scene)[:, 7, 0], abs=1e-5)
    # Of 8 x 8 pixels the patch is rows 2 to 4, columns 6 to 8.
    corners = np.array([scene._on_picture(*p) for p in ((2, 6), (2, 8), (4, 8), (4, 6))])
    assert scene._looker.items["start"][:, :3] == pytest.approx(corners, rel=1e-5)
    start, end = (scene._looks.items[k][0, :3] for k in ("start", "end"))
    block = scene.block_names.index
    assert start == pytest.approx(scene._cloud.spot(block("seen"), D // 2, 7, 0), rel=1e-5)
    assert end == pytest.approx(scene._cloud.spot(block("k"), D // 2, int(looks(scene)[:, 7, 0].argmax()), 0), rel=1e-5)
    scene.token, scene.neuron = "", "sum 2 9 0"
    assert scene.look_at.query == 9
    scene.token = "4 0"
    with pytest.raises(SettingError, match="4 x 4 patches"):
        scene.advance(Clock(0.0))


def test_windows_look_and_a_network_without_attention_has_no_such_settings():
    scene = opened(windowed(1), token="1 2")
    # Rows are rolled by one: rows 1 and 2 make a window with columns 2 and 3.
    assert np.argwhere(scene.look_at.patches[0] > 0).tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]
    plain = Activations()
    assert not plain.has_attention and plain.look_at is None and plain.patch_of(None) is None
