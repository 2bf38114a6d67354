"""What is said of pictures that take long, before they are begun."""

import numpy as np
import pytest

import engine
from benchmarks.networks import deep_sdf
from engine.app import expected
from engine.draw.surfaces.level_surfaces import LevelSurfaces
from engine.scene.view_data import Clock


def deep(**more):
    scene, _ = engine.open_scene("marching", hidden=16, depth=3, **more)
    scene.advance(Clock())
    return scene


def test_rays_and_weights_make_it_longer_in_proportion(monkeypatch):
    monkeypatch.setattr(expected, "_rate", lambda net: 1e9)
    once = expected.expected_seconds(deep(), (800, 600), 1)
    entering = 800 * 600 * expected._entering(deep()._sheets, np.eye(4), deep().camera, (800, 600))
    assert once == entering * 3 * expected.EACH_LAYER * deep().network.weight_count / 1e9
    # As the counts of a picture have it: a disc, of which 400 rays tell the area to some hundredths.
    assert entering == pytest.approx(np.pi * 275**2, rel=0.1)
    assert expected.expected_seconds(deep(), (800, 600), 4) == 4 * once


def test_what_a_tree_proves_empty_is_cheap_and_what_oscillates_is_not():
    shape = engine.random_mlp((3, 16, 16, 1), "relu", seed=1)
    costs = [
        expected.evaluations(LevelSurfaces(net, single=single, spacing=1e-3))
        for net in (shape, shape.changed(activations=["sine(30)", "sine(30)", "identity"]))
        for single in (False, True)
    ]
    layers = 2 * expected.EACH_LAYER
    assert costs == [layers, expected.THROUGH_TREE, layers, layers]
    # Of a large one rounding hides all there is from float32: it is followed from kink to kink.
    assert expected.evaluations(LevelSurfaces(deep_sdf(width=512), single=True)) == 8 * 512 + 4 * 3


def test_what_is_quick_is_not_measured(monkeypatch):
    monkeypatch.setattr(expected, "_rate", None)
    shallow, _ = engine.open_scene("marching")
    shallow.advance(Clock())
    assert expected.expected_seconds(shallow, (8000, 6000), 16) == 0.0
    assert expected.expected_seconds(deep(), (32, 24), 1) == 0.0
    hidden = deep(surfaces=False)
    assert expected.expected_seconds(hidden, (8000, 6000), 16) == 0.0


def test_the_rate_is_this_adapters():
    # Some tenths to some thousands of GFLOP/s: of a processor, or of a graphics card.
    assert 1e7 < expected._rate(engine.random_mlp((3, 16, 16, 1), "tanh")) < 1e14


@pytest.mark.parametrize(("seconds", "said"), [(6.0, None), (41.0, "40 s"), (200.0, "3 min"), (9000.0, "2 h")])
def test_it_is_said_in_a_line_where_it_is_long(capsys, monkeypatch, seconds, said):
    monkeypatch.setattr(expected, "expected_seconds", lambda *_: seconds / 3)
    expected.say_expected(deep(), (80, 60), 1, 3)
    line = capsys.readouterr().err
    assert line == "" if said is None else f"about {said} on" in line and "3 pictures of 4,800 rays" in line
