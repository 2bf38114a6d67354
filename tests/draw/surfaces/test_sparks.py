"""Sparks in a picture: they depend on what is shown now, and fit any background."""

import numpy as np
import pytest

from engine.draw.colour import PALETTE
from engine.draw.surfaces import sparks
from engine.draw.surfaces.level_surfaces import LAYERS_WRITE, LevelSurfaces
from engine.draw.surfaces.sparks import Sparks
from engine.kernels.search.budget import Budget
from engine.network.random import random_mlp
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.view.camera import Camera

SEEDS = np.stack(np.meshgrid(*[np.arange(-2.0, 3.0)] * 3), axis=-1).reshape(-1, 3)
SMALL = random_mlp([3, 8, 1], seed=1)


class Lit(Scene):
    """One node, on a background of choice."""

    home = Camera(eye=(0.0, 2.0, 12.0))

    def __init__(self, node, drawn_theme=None):
        self.node, self.drawn_theme = node, drawn_theme
        super().__init__()

    def build(self, stage):
        stage.add(self.node)


def pixels(node, drawn_theme=None):
    return Renderer().frame(Lit(node, drawn_theme), Clock(), (80, 60), 1).pixels()


def test_paths_do_not_remember_a_larger_network_shown_before(monkeypatch):
    node = Sparks(random_mlp([3, 16, 1]), SEEDS)
    with monkeypatch.context() as few:
        # As if 20 steps through it were too much work; 5 are not.
        few.setattr(sparks, "MOST_WORK", 4 * len(SEEDS) * 20 * node.net.weight_count * 10)
        pixels(node)
    node.show(SMALL)
    assert np.array_equal(pixels(node), pixels(Sparks(SMALL, SEEDS)))


@pytest.mark.parametrize("drawn_theme", ["black", "dark", "paper"])
def test_sparks_without_surfaces_are_drawn_on_every_background(drawn_theme):
    empty = pixels(Sparks(SMALL, SEEDS, strength=0.0), drawn_theme)
    assert not np.array_equal(pixels(Sparks(SMALL, SEEDS, level=0.3), drawn_theme), empty)


def test_a_shader_is_composed_once_for_all_tiles_and_frames():
    node = LevelSurfaces(SMALL)
    of = lambda each: each._crossings.program("draw/level_surfaces", palette=PALETTE, layers=LAYERS_WRITE).module
    assert of(node) is of(LevelSurfaces(random_mlp([3, 8, 1], seed=2)))


def test_once_no_time_is_left_paths_are_neither_traced_nor_drawn():
    node, renderer = Sparks(random_mlp([3, 80, 80, 1], seed=1), SEEDS), Renderer()
    renderer.budget = Budget(seconds=0.0)
    without = renderer.frame(Lit(node), Clock(), (80, 60), 1).pixels()
    assert not node._paths.is_traced
    node.visible = False
    assert (renderer.frame(Lit(node), Clock(), (80, 60), 1).pixels() == without).all()
    node.visible, renderer.budget = True, Budget()
    assert (renderer.frame(Lit(node), Clock(), (80, 60), 1).pixels() != without).any()
