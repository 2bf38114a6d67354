"""No words of activations lie on others, over an edge or over the plane of classes: at any turn, in any picture."""

import numpy as np
import pytest
from graphs.maps import UNET
from graphs.transformers import deep, vit

from engine.draw.frame import Frame, meets, touch
from engine.draw.words import labels, text
from engine.network.convnet import ConvNet
from engine.render.renderer import _drawables, _overlays
from engine.render.shot import theme_of
from engine.scene.view_data import Clock
from scenes.activations import Activations

SIZES = [(400, 300), (640, 360), (480, 480), (360, 640), (300, 400), (1920, 1080), (2160, 3840), (3840, 2160)]
TURNS = [(azimuth, altitude) for azimuth in range(-150, 211, 90) for altitude in (-35, 14, 60)]
LONG = tuple(f"class {k} of quite some names, as Acinonyx jubatus" for k in range(16))
SCENES = {
    "small": lambda: Activations(),
    "small, a class": lambda: Activations(neuron="prob 2", names=LONG),
    "small, a neuron": lambda: Activations(neuron="fire3 17 10 15"),
    "u": lambda: Activations(net=ConvNet(UNET, name="u")),
    "u, a neuron": lambda: Activations(net=ConvNet(UNET, name="u"), neuron="rc 1 5 5"),
    "tokens": lambda: Activations(net=ConvNet(vit(1), name="vit")),
    "deep": lambda: Activations(net=ConvNet(deep(24), name="deep")),
    "deeper": lambda: Activations(net=ConvNet(deep(48, 32), name="deeper")),
    "tokens, attention": lambda: Activations(net=ConvNet(vit(1), name="vit"), neuron="sum 2 1 0"),
}  # fmt: skip


def placed(scene, size):
    """The Frame of a scene's picture of a size, with its words placed."""
    scene.aspect = size[0] / size[1]
    scene.advance(Clock(scene.moment))
    frame = Frame(scene.camera, size, (0, 0, *size), 1, theme_of(scene), min(size) / 720)
    _overlays(_drawables(scene), scene, frame)
    return frame


@pytest.mark.parametrize("name", [name for name in SCENES if name != "deeper"])
def test_words_lie_in_the_picture_and_never_on_one_another(name):
    scene = SCENES[name]()
    scene.turn = 0.0
    for size in SIZES:
        for azimuth, altitude in TURNS:
            scene.azimuth, scene.altitude = azimuth, altitude
            frame = placed(scene, size)
            boxes = frame.taken
            assert len(boxes) >= 2, (size, azimuth, altitude)
            for k, box in enumerate(boxes):
                assert 0 <= box[0] < box[2] <= size[0] and 0 <= box[1] < box[3] <= size[1], (size, azimuth, altitude)
                assert not any(touch(box, other) for other in boxes[:k]), (size, azimuth, altitude)


@pytest.mark.parametrize("name", ["small", "small, a class", "small, a neuron", "u, a neuron", "tokens, attention"])
def test_words_that_a_line_leads_to_leave_blocks_free_or_are_not_there(name):
    scene = SCENES[name]()
    scene.turn = 0.0
    placed(scene, SIZES[0])
    callout, led = scene._pin if scene.neuron else scene._answer, 0
    sizes = [(100, 100), (200, 150), *SIZES[::3]]
    for size in sizes:
        for azimuth, altitude in TURNS:
            scene.azimuth, scene.altitude = azimuth, altitude
            frame = placed(scene, size)
            image = callout.image(frame)
            found = [(s.x, s.y, s.x + image.shape[1], s.y + image.shape[0]) for s in frame.sprites if s.image is image]
            led += len(found)
            assert not any(meets(box, frame.seen(callout.bodies)) for box in found), (size, azimuth, altitude)
    # Names of more than forty letters find no place in cells.
    assert led > (0.3 if name == "small, a class" else 0.9) * len(sizes) * len(TURNS)


@pytest.mark.parametrize("settings", [{}, {"neuron": "prob 2"}, {"neuron": "prob 11"}])
def test_the_words_of_a_class_leave_the_plane_of_classes_free(settings):
    scene = Activations(turn=0.0, **settings)
    led = 0
    for size in SIZES[:5]:
        for azimuth, altitude in TURNS:
            scene.azimuth, scene.altitude = azimuth, altitude
            frame = placed(scene, size)
            callout = scene._pin if settings else scene._answer
            image = callout.image(frame)
            found = [(s.x, s.y) for s in frame.sprites if s.image is image]
            led += len(found)
            world = scene._root.transform
            plane = np.array([frame.project(world[:3, :3] @ p + world[:3, 3])[:2] for p in scene.class_plane])
            for x, y in found:
                box = x, y, x + image.shape[1], y + image.shape[0]
                assert not touch(box, (*plane.min(axis=0), *plane.max(axis=0))), (size, azimuth, altitude)
    assert led > 0.9 * len(SIZES[:5]) * len(TURNS)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["small", "u"])
def test_a_picture_of_any_shape_is_filled(name, size):
    scene = SCENES[name]()
    scene.turn = 0.0
    frame = placed(scene, size)
    world = scene._root.transform
    points = np.concatenate([block.layout.corners() for block in scene._cloud.blocks])
    seen = np.array([frame.project(world[:3, :3] @ p + world[:3, 3])[:2] for p in points]) / size
    wide, high = np.ptp(seen, axis=0)
    # Below the legend, in one direction or in both.
    assert wide > 0.45 and high > 0.3 and (wide > 0.6 or high > 0.45), (wide, high)


def test_what_a_picture_shows_follows_its_shape():
    scene = SCENES["small, a class"]()
    scene.turn = 0.0
    rows = lambda: len({round(block.layout.origin[1] - block.layout.size[1] / 2, 3) for block in scene._cloud.blocks})
    placed(scene, (1280, 720))
    wide, lines = rows(), scene._wires.items["start"].copy()
    placed(scene, (720, 1280))
    assert wide == 1 and rows() > 1
    # Lines from the pinned neuron end where blocks stand now.
    found = scene._wires.items["start"]
    assert found.shape == lines.shape and not np.allclose(found, lines)
    placed(scene, (1280, 720))
    assert rows() == 1 and np.array_equal(scene._wires.items["start"], lines)


@pytest.mark.parametrize("name", ["small", "u", "tokens"])
def test_cards_leave_what_is_shown_free(name):
    scene = SCENES[name]()
    scene.turn = 0.0
    for size in SIZES:
        for azimuth, altitude in TURNS:
            scene.azimuth, scene.altitude = azimuth, altitude
            frame = placed(scene, size)
            bodies = frame.seen(scene._ranking.bodies)
            assert len(bodies) == len(scene.block_names) + scene._plane.visible + scene._made.visible
            # The legend and the answers, which are placed first.
            for left, top, right, bottom in frame.taken[: 1 + bool(scene._ranking.ranks)]:
                # The legend's last half of a line is empty.
                low = bottom - 6 * frame.type_scale
                assert not meets((left, top, right, low), bodies), (size, azimuth, altitude)


def test_a_ranking_names_as_many_as_have_room():
    scene = SCENES["small"]()
    scene.turn = 0.0
    counts = []
    for height in (800, 500, 300):
        placed(scene, (height, height))
        counts.append(scene._ranking._count)
    assert counts == sorted(counts, reverse=True) and counts[0] == 5 > counts[-1] >= 1


def test_the_words_of_a_class_stand_beside_the_blocks():
    scene = SCENES["small"]()
    scene.turn = 0.0
    for size in SIZES:
        frame = placed(scene, size)
        image = scene._answer.image(frame)
        (at,) = [(s.x, s.y) for s in frame.sprites if s.image is image]
        box = *at, at[0] + image.shape[1], at[1] + image.shape[0]
        assert not meets(box, frame.seen(scene._ranking.bodies)), size


def test_the_card_of_a_neuron_leaves_the_blocks_free_in_a_wide_picture_and_all_of_a_cell():
    scene = SCENES["small, a neuron"]()
    scene.turn = 0.0
    u = SCENES["u, a neuron"]()
    u.turn = 0.0
    wide = [(scene, (640, 360)), (scene, (1920, 1080)), (scene, (3840, 2160))]
    for of, size in [*wide, (u, (640, 400)), (u, (320, 376))]:
        frame = placed(of, size)
        image = of._card.image(frame)
        (at,) = [(s.x, s.y) for s in frame.sprites if s.image is image]
        assert not meets((*at, at[0] + image.shape[1], at[1] + image.shape[0]), frame.seen(of._card.bodies)), size
    frame = placed(scene, (240, 180))
    assert not any(s.image is scene._card.image(frame) for s in frame.sprites)


def test_a_line_to_words_ends_in_the_picture():
    scene = SCENES["small"]()
    scene.turn, scene.subject = 0.0, "butterfly"
    for size in SIZES:
        frame = placed(scene, size)
        at = [s.image is scene._answer.image(frame) for s in frame.sprites].index(True)
        strokes, words = frame.sprites[at - 1], frame.sprites[at]
        assert strokes.is_placed and strokes.x + strokes.image.shape[1] <= size[0] + 12 * frame.type_scale, size
        # Not behind the words, whose card has the colour of paper there.
        left, top, air = words.x - strokes.x, words.y - strokes.y, 3 + round(2 * frame.type_scale)
        high, wide = words.image.shape[:2]
        behind = strokes.image[max(0, top + air) : max(0, top + high - air), max(0, left + air) : left + wide - air]
        assert not behind.any(), size


@pytest.mark.parametrize("size", SIZES[:3])
def test_names_of_a_u_stand_beside_its_blocks(size):
    scene = SCENES["u"]()
    scene.turn = 0.0
    frame, world = placed(scene, size), scene._root.transform
    bodies, tall = scene._ranking.bodies[: len(scene.block_names)], text.type_size("small", frame.type_scale)
    for k, (words, position) in enumerate(zip(scene.block_labels, scene._names.positions, strict=True)):
        x, y, _ = frame.project(world[:3, :3] @ position + world[:3, 3])
        half = text.width(words, tall) / 2
        others = frame.seen(np.delete(bodies, k, axis=0))
        assert not meets((x - half, y + 0.2 * tall, x + half, y + tall), others), words


def names(frame):
    """(left, top, right, bottom) of each name's letters."""
    reach = max(1, round(labels.HALO * frame.type_scale))
    line = text.line("a", "small", frame.type_scale).shape[0]
    seen = [s for s in frame.sprites if s.is_placed and s.place is None and s.image.shape[0] == line + 2 * reach]
    ends = lambda s: (s.x + s.image.shape[1] - reach, s.y + s.image.shape[0] - reach)
    return [(s.x + reach, s.y + reach, *ends(s)) for s in seen]


@pytest.mark.parametrize("name", ["small", "u", "tokens", "deep", "deeper"])
def test_names_lie_on_no_block_and_on_no_picture(name):
    scene = SCENES[name]()
    scene.turn = 0.0
    for size in [(120, 240), (160, 280), *SIZES[1::3]]:
        for azimuth, altitude in [(Activations.azimuth, Activations.altitude), *TURNS]:
            scene.azimuth, scene.altitude = azimuth, altitude
            frame = placed(scene, size)
            bodies = frame.seen(scene._names.bodies)
            assert not any(meets(box, bodies) for box in names(frame)), (size, azimuth, altitude)


@pytest.mark.parametrize(("name", "least"), [("small", 8), ("u", 5), ("tokens", 1), ("deep", 5), ("deeper", 6)])
def test_blocks_have_names_where_these_have_room(name, least):
    scene = SCENES[name]()
    scene.turn = 0.0
    for size in [(240, 430), *SIZES]:
        assert len(names(placed(scene, size))) >= least, size


def test_what_lines_tell_is_said_as_a_share_where_it_is_one():
    scene = Activations(subject="butterfly", neuron="prob 2", reveal=False)
    scene.advance(Clock(0.0))
    made = scene.made_of
    share = made.shown / made.sum
    assert 0.0 < share < 1.0 and f"of {made.sum:.3g} ({100 * share:.0f}%), other neurons" in scene.remark()
    scene.subject, scene.neuron = "cat", "fire3 17 10 15"
    scene.advance(Clock(0.0))
    made = scene.made_of
    assert made.shown > made.sum and f"of {made.sum:.3g}, other neurons" in scene.remark()
