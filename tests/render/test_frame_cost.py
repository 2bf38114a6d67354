"""What a frame makes and sends: once, and then no more."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from wgpu.backends.wgpu_native import _api

import engine
from engine.draw.boundaries.boundaries import Boundaries
from engine.draw.drawable import Aim
from engine.draw.fields.field_image import FieldImage
from engine.draw.fields.height_map import HeightMap
from engine.draw.fields.plot import Plot
from engine.draw.surfaces.classic import ClassicSurfaces
from engine.draw.surfaces.level_surfaces import LevelSurfaces
from engine.network.random import random_mlp
from engine.render.renderer import Renderer

MAKES = [name for name in vars(_api.GPUDevice) if name.startswith("create_") and name.endswith(
    ("buffer", "texture", "module", "group", "pipeline", "layout", "sampler"))]  # fmt: skip
SENDS = ("write_buffer", "write_texture")


@pytest.fixture
def calls(monkeypatch):
    """A Counter of calls of wgpu that make or send something, by name; `labels` has what each was called."""
    counts = Counter()
    counts.labels = []

    def counted(owner, name):
        real = getattr(owner, name)

        def call(self, *args, **more):
            counts[name] += 1
            counts.labels.append((name, more.get("label")))
            return real(self, *args, **more)

        monkeypatch.setattr(owner, name, call)

    for name in MAKES:
        counted(_api.GPUDevice, name)
    for name in SENDS:
        counted(_api.GPUQueue, name)
    return counts


@pytest.mark.parametrize("look", ["studio", "classic"])
def test_a_second_frame_makes_nothing_and_sends_nothing(calls, look):
    scene, _ = engine.open_scene("marching", look=look)
    renderer = Renderer()
    renderer.frame(scene, engine.Clock(0.3), (64, 48), 1)
    assert calls["create_buffer"] and calls["write_buffer"] and calls["create_bind_group"]
    calls.clear()
    picture = renderer.frame(scene, engine.Clock(0.3), (64, 48), 1)
    assert not calls
    # Where the picture before is still shown, the next has a texture of its own; from then on two take turns.
    renderer.frame(scene, engine.Clock(0.3), (64, 48), 1)
    assert picture.size == (64, 48) and calls["create_texture"] == 1
    calls.clear()
    renderer.frame(scene, engine.Clock(0.3), (64, 48), 1)
    assert not calls


def test_a_frame_at_another_moment_sends_what_moves(calls):
    scene, _ = engine.open_scene("marching")
    renderer = Renderer()
    renderer.frame(scene, engine.Clock(0.0), (64, 48), 1)
    renderer.frame(scene, engine.Clock(0.1), (64, 48), 1)
    calls.clear()
    renderer.frame(scene, engine.Clock(0.2), (64, 48), 1)
    # The level, of the surfaces and of the sparks; and its mark beside the legend's bar.
    assert calls["write_buffer"] == 2 and calls["write_texture"] <= 1
    assert not calls["create_bind_group_layout"] and not calls["create_render_pipeline"]


@pytest.mark.parametrize("name", ["marching", "boundaries", "random_networks", "activations"])
def test_everything_on_the_gpu_has_a_label(calls, name):
    scene, _ = engine.open_scene(name)
    Renderer().frame(scene, engine.Clock(0.3), (64, 48), 1).pixels()
    made = [(what, label) for what, label in calls.labels if what in MAKES]
    assert made and all(label for _, label in made), [m for m in made if not m[1]]


# The render passes of a frame, by what they draw; a compute pass has its shader's name.
DRAWN = {"solid", "light", "cloud", "words"}
FRAMES = [
    ("marching", {}), ("marching", {"look": "classic"}), ("boundaries", {}), ("random_networks", {}),
    ("random_networks", {"show": "relief"}), ("random_networks", {"inputs": 1}), ("activations", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), FRAMES)
def test_every_pass_says_what_it_does_and_whose_it_is(monkeypatch, name, settings):
    passes, groups = [], []

    def recorded(owner, method, note):
        real = getattr(owner, method)

        def call(self, *args, **more):
            note(*args, **more)
            return real(self, *args, **more)

        monkeypatch.setattr(owner, method, call)

    for method in ("begin_compute_pass", "begin_render_pass"):
        note = lambda label=None, method=method, **more: passes.append((method, label, tuple(groups)))
        recorded(_api.GPUCommandEncoder, method, note)
    recorded(_api.GPUCommandEncoder, "push_debug_group", groups.append)
    recorded(_api.GPUCommandEncoder, "pop_debug_group", groups.pop)
    scene, _ = engine.open_scene(name, **settings)
    renderer = Renderer()
    renderer.frame(scene, engine.Clock(0.3), (64, 48), 4)
    names = {node.name for node, _ in scene.stage.walk()}
    assert passes and not groups
    for method, label, inside in passes:
        assert label, passes
        if method == "begin_render_pass":
            assert label in DRAWN
        else:
            assert (Path(__file__).parents[2] / f"wgsl/{label}.wgsl").is_file(), label
        # What a node computes or draws for itself is under its name.
        if label.startswith("draw/"):
            assert any(group.endswith(name) for group in inside for name in names), (label, inside)


NODES = {
    "level surfaces": lambda: LevelSurfaces(random_mlp([3, 8, 1], seed=1)),
    "classic surfaces": lambda: ClassicSurfaces(random_mlp([3, 8, 1], seed=1)),
    "height map": lambda: HeightMap(random_mlp([2, 6, 1], seed=1), axes=False),
    "plot": lambda: Plot(random_mlp([1, 6, 1], seed=1)),
    "boundaries": lambda: Boundaries(random_mlp([2, 6, 2], seed=1)),
    "field image": lambda: FieldImage(random_mlp([2, 6, 1], seed=1)),
}


# Writes of a pick: its ray, and a uniform for each pass.
SENT = 3


@pytest.mark.parametrize("kind", NODES)
def test_a_second_pick_makes_nothing_and_sends_its_ray_at_most(calls, kind):
    node, world = NODES[kind](), np.eye(4)
    rays = [Aim(np.array([x, 0.1, 9.0]), np.array([0.0, 0.0, -1.0])) for x in (0.1, 0.3)]
    if kind == "height map":
        rays = [Aim(np.array([x, 9.0, 0.1]), np.array([0.0, -1.0, 0.0])) for x in (0.1, 0.3)]
    first = node.pick(rays[0], world)
    calls.clear()
    second = node.pick(rays[1], world)
    assert first is not None and second is not None and first.position != second.position
    if "surfaces" in kind:
        # The ray, and the few numbers of a search in passes; no weights, and nothing is compiled.
        assert set(calls) <= {"write_buffer", "create_buffer", "create_bind_group"} and calls["write_buffer"] <= SENT
    else:
        assert not calls
    assert node.pick(rays[0], world) == first


@pytest.mark.parametrize("kind", ["level surfaces", "classic surfaces"])
def test_neither_a_pick_nor_a_picture_sends_the_weights_again(calls, kind):
    class Shown(engine.Scene):
        def build(self, stage):
            self.node = stage.add(NODES[kind]())

    scene, renderer = Shown(camera=engine.Camera()), Renderer()
    renderer.frame(scene, engine.Clock(), (32, 24), 1)
    assert renderer.pick(scene, engine.Clock(), (32, 24), 16, 12) is not None
    calls.clear()
    assert renderer.pick(scene, engine.Clock(), (32, 24), 15, 12) is not None
    renderer.frame(scene, engine.Clock(), (32, 24), 1)
    assert calls["write_buffer"] <= SENT and set(calls) <= {"write_buffer", "create_buffer", "create_bind_group"}
