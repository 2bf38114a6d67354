"""How a cloud looks: it fills the frame, nothing leaves it when the camera turns, and any network is seen alike."""

import numpy as np
import pytest

from engine.network.convnet import ConvNet
from engine.network.graph.nodes import Add, Convolution, Dense, Elementwise, Input, Reduce, Reshape, Softmax
from engine.render.renderer import Renderer
from engine.scene.view_data import Clock
from scenes.activations import Activations
from scenes.activations.exposure import BODY, exposure, opacities

SIZES = [(400, 300), (1280, 720), (3840, 2160), (1000, 1000), (720, 1280)]


def chain(count, activation="relu", bias=0.0, channels=8):
    """A network of so many convolutions with random weights, each with its activation, and classes."""
    rng = np.random.default_rng(count)
    nodes, last = [Input("x", (), (1, 3, 16, 16))], "x"
    for k in range(count):
        before = 3 if last == "x" else channels
        weights = rng.normal(size=(channels, before, 3, 3)) / np.sqrt(9 * before)
        nodes.append(Convolution(f"c{k}", (last,), weights, np.full(channels, bias), padding=(1, 1, 1, 1)))
        last = f"c{k}"
        if activation:
            nodes.append(Elementwise(last := f"a{k}", (f"c{k}",), activation))
        if k % 3 == 2:
            other = nodes[-3].name
            nodes.append(Add(f"s{k}", (last, other)))
            last = f"s{k}"
    mean = Reduce("mean", (last,), "mean", (2, 3))
    flat, dense = Reshape("flat", ("mean",), (1, channels)), Dense("d", ("flat",), rng.normal(size=(10, channels)))
    return ConvNet([*nodes, mean, flat, dense, Softmax("prob", ("d",), 1)], name="chain")


def scenes():
    yield "small", Activations(reveal=False)
    yield "original", Activations(reveal=False, look="original")
    yield "alone", Activations(reveal=False, alone="fire3", key=False, answers=False)
    yield "short", Activations(reveal=False, net=chain(2))
    yield "long", Activations(reveal=False, net=chain(24), blocks="all")


SCENES = dict(scenes())


def extent(scene, size):
    """(2, 2): the least and the greatest (x, y) of boxes and picture, relative to the frame."""
    scene.aspect = size[0] / size[1]
    scene.advance(Clock(0.0))
    layouts = [block.layout for block in scene._cloud.blocks]
    points = [layout.corners(layout.jitter) for layout in layouts]
    if scene._plane.visible:
        corner, right, down = (np.array(v) for v in (scene._plane.corner, scene._plane.right, scene._plane.down))
        points.append(np.array([corner, corner + right, corner + down, corner + right + down]))
    world = scene._root.transform
    found = [
        scene.camera.project(world[:3, :3] @ p + world[:3, 3], size[0] / size[1])[:2] for p in np.concatenate(points)
    ]
    found = np.array(found) / 2 + 0.5
    return np.stack([found.min(axis=0), found.max(axis=0)])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCENES)
def test_the_home_camera_fits_what_is_shown(name, size):
    scene = SCENES[name]
    low, high = extent(scene, size)
    assert (low > 0.0).all() and (high < 1.0).all()
    wide, tall = high - low
    # Above a tall one the legend and the answers have their place.
    assert wide > 0.8 or tall > (0.8 if name == "alone" else 0.68) or wide * tall > 0.4, (wide, tall)


@pytest.mark.parametrize("name", SCENES)
def test_nothing_leaves_the_frame_when_the_camera_turns(name):
    scene = SCENES[name]
    before = scene.camera
    for azimuth in range(-180, 180, 60):
        for altitude in (-80.0, 0.0, 50.0):
            for projection in ("perspective", "orthographic"):
                scene.azimuth, scene.altitude, scene.projection = azimuth, altitude, projection
                for size in SIZES[1:2]:
                    low, high = extent(scene, size)
                    assert (low > 0.0).all() and (high < 1.0).all(), (azimuth, altitude, projection)
    scene.camera = before


def test_zooming_is_the_persons_and_turning_keeps_it():
    scene = SCENES["small"]
    home = extent(scene, (1280, 720))
    scene.distance = 6.0
    near = extent(scene, (1280, 720))
    scene.distance = 12.0
    assert np.ptp(near[:, 0]) > 1.8 * np.ptp(home[:, 0])


def test_a_restored_picture_has_the_same_camera():
    scene = SCENES["small"]
    scene.advance(Clock(0.0))
    other = Activations()
    other.restore(scene.state())
    other.advance(Clock(0.0))
    assert other.camera == scene.camera and np.array_equal(other._root.transform, scene._root.transform)


# Exposure.

KINDS = {
    "relu": ("relu", 0.0), "signed": ("", 0.0), "all of them on": ("sigmoid", 0.0), "few of them on": ("relu", -0.8),
    "far from nought": ("relu", 3.0),
}  # fmt: skip


@pytest.mark.parametrize("theme", ["dark", "paper"])
@pytest.mark.parametrize("kind", KINDS)
def test_networks_of_every_kind_are_seen_and_none_burns(kind, theme):
    scene = Activations(reveal=False, net=chain(6, *KINDS[kind]), theme=theme, key=False, answers=False, labels=False)
    scene.front = False
    size = (240, 136)

    def light():
        pixels = Renderer().frame(scene, Clock(0.0), size, 1).pixels()
        return pixels[..., :3].astype(float).mean(axis=2) / 255

    full = light()
    scene.shown = "none"
    drawn = abs(full - light())
    seen = drawn > 0.02
    assert 0.08 < seen.mean() < 0.6
    # Of what dots cover: neither drizzle nor one bright mass.
    assert 0.08 < drawn[seen].mean() < 0.55 and (drawn > 0.9).mean() < 0.01


def test_an_exposure_brings_blocks_to_the_same_body_and_does_not_depend_on_scale():
    rng = np.random.default_rng(0)
    for power in (1.0, 3.0):
        responses = [np.maximum(rng.normal(size=(12, 9, 9)), 0.0) ** power for _ in range(5)]
        seen = [(opacities(r, np.full(12, r.std())), 40.0) for r in responses]
        factor = exposure(seen)
        found = np.mean([1 - np.exp(-40.0 * np.minimum(o * factor, 1.0).mean()) for o, _ in seen])
        assert found == pytest.approx(BODY, abs=0.03)
        assert exposure([(opacities(7.0 * r, np.full(12, 7.0 * r.std())), 40.0) for r in responses]) == factor
    assert exposure([(np.zeros(5), 40.0)]) == 1.0 == exposure([])


def test_the_exposure_is_told_and_can_be_set():
    scene = SCENES["small"]
    scene.advance(Clock(0.0))
    assert scene.exposed != 1.0 and f"shown x {scene.exposed:g}" in scene.legend().title
    scene.exposure = 1.0
    assert scene.exposed == 1.0 and scene.legend().title == "response above the mean"
    scene.exposure = 0.0
    assert SCENES["original"].exposed == 1.0


def test_the_likeliest_class_is_named_at_its_dot():
    scene = SCENES["small"]
    scene.advance(Clock(0.0))
    assert scene._answer.visible and scene._answer.words == ("cat", f"{100 * scene.probabilities.max():.1f}%")
    assert np.allclose(scene._answer.transform[:3, 3], scene._cloud.spot(len(scene.block_names) - 1, 4, 0, 0))
    scene.neuron = "prob 2"
    scene.advance(Clock(0.0))
    assert not scene._answer.visible
    scene.neuron = ""
