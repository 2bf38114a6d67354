"""Scenes, and all that is on the GPU for them, are freed by their last reference, without the garbage collector."""

import gc
import weakref

import numpy as np
import pytest

from engine.app.lookup import open_scene
from engine.app.make import render
from engine.app.show import make_viewer
from engine.draw.drawable import Drawable
from engine.draw.node import Node
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module
from engine.gpu.kernel import Kernel
from engine.gpu.texture import Texture
from engine.kept import give_back, store
from engine.output.offscreen import make_canvas
from scenes import SCENES
from tools.hostile import resident

SMALL = {"size": (16, 12), "supersample": 1, "progress": False}
DATA = [Binding("data", "write", "array<u32>")]
# MB that the repeats of a law may add, and of what they make that is too much to be held.
MOST_GROWN = 8


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive():
    """How many arrays and textures there are."""
    return sum(isinstance(thing, Array | Texture) for thing in gc.get_objects())


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_that_was_drawn_is_freed_with_its_nodes_and_arrays(name, no_collector):
    def drawn():
        scene = open_scene(name)[0]
        render(scene, **SMALL)
        return weakref.ref(scene), [weakref.ref(node) for node, _ in scene.stage.walk() if isinstance(node, Drawable)]

    drawn()
    before = alive()
    scene, nodes = drawn()
    assert nodes and scene() is None and [node() for node in nodes] == [None] * len(nodes)
    assert alive() == before


def seen(name, panel):
    """Weak references to all of a window that was looked at and closed."""
    canvas = make_canvas((320, 200))
    viewer = make_viewer(open_scene(name)[0], canvas, panel=panel)
    canvas.draw()
    for event in (
        {"event_type": "pointer_move", "x": 60, "y": 60, "button": 0, "buttons": (), "modifiers": ()},
        {"event_type": "key_down", "key": "h", "modifiers": ()},
    ):
        canvas.send(event)
        viewer.tick(0.2)
        canvas.draw()
    viewer.still()
    canvas.close()
    return [weakref.ref(part) for part in (viewer, viewer.scene, viewer.painter, viewer.painter.renderer, canvas)]


@pytest.mark.parametrize("panel", [False, True])
@pytest.mark.parametrize("name", ["marching", "boundaries", "activations"])
def test_a_window_that_is_closed_is_freed_with_its_scene_and_pictures(name, panel, no_collector):
    seen(name, panel)
    before = alive()
    assert [part() for part in seen(name, panel)] == [None] * 5
    assert alive() == before


@pytest.mark.parametrize("name", SCENES)
def test_what_an_earlier_build_made_is_freed(name, no_collector):
    scene = open_scene(name)[0]
    counts = []
    for seed in (1, 2, 1, 2, 1, 2):
        scene.seed = seed
        render(scene, **SMALL)
        counts.append(alive())
    assert counts[-2:] == counts[2:4]


def test_a_node_knows_its_parent_and_does_not_hold_it():
    parent, child = Node("parent"), Node("child")
    assert child.parent is None and parent.add(child) is child and child.parent is parent
    del parent
    assert child.parent is None
    other = Node()
    other.add(child)
    other.remove(child)
    assert child.parent is None


def test_a_setting_calls_the_methods_named_for_it_once_it_has_changed():
    scene = open_scene("marching")[0]
    called = []
    type(scene)._noted = lambda self: called.append(self.level)
    try:
        scene.on_change(["level", "seed"], "_noted")
        scene.level, scene.seed, scene.size = 0.25, 7, scene.size * 2
        scene.level = 0.25
        scene.param.update(level=0.5, seed=8)
    finally:
        del type(scene)._noted
    assert called == [0.25, 0.25, 0.5, 0.5] and np.isclose(scene.level, 0.5)


def grown(one, warm, times):
    """MB of resident memory that so many repeats add after those that warm up."""

    def now():
        gc.collect()
        give_back()
        return resident()

    for k in range(warm):
        one(k)
    before = now()
    for k in range(warm, warm + times):
        one(k)
    return now() - before


def scene(k):
    return render(open_scene("marching")[0], **SMALL)


def responses(k):
    return render(open_scene("activations", network="small")[0], **SMALL)


def window(k):
    canvas = make_canvas((48, 32))
    make_viewer(open_scene("marching")[0], canvas, panel=False)
    canvas.draw()
    canvas.close()


def kernels(k):
    """A kernel that no other has, and an array of 1 MB; both are used."""
    array = Array.of(np.full(1 << 18, k, np.uint32))
    code = f"{declare(DATA)}@compute @workgroup_size(64) fn main(@builtin(local_invocation_id) i: vec3u)"
    Kernel(Module("added", f"{code} {{ data[i.x] += {k}u; }}\n", ()), DATA).run(1, data=array)
    assert array.read(1) == 2 * k
    return array


# Of kernels half of what the arrays alone would add: the driver's own memory comes and goes by a dozen MB.
@pytest.mark.parametrize(
    ("one", "warm", "times", "most"),
    [(scene, 4, 12, MOST_GROWN), (responses, 4, 20, MOST_GROWN), (window, 3, 9, MOST_GROWN), (kernels, 40, 48, 24)],
)
def test_repeats_add_no_memory(one, warm, times, most, monkeypatch):
    monkeypatch.setattr(store, "most", max(len(store), 24))
    assert grown(one, warm, times) < most


def test_that_law_finds_what_is_held():
    held = []
    # So large that each is memory of its own, whatever is free in the process.
    assert grown(lambda k: held.append(np.ones(1 << 19)), 4, 8) > MOST_GROWN
