"""What is said of pictures that certainly hold no surface."""

import numpy as np
import pytest

import engine
from engine.app.emptiness import emptiness
from engine.render.renderer import Renderer

SIZE = (48, 36)


def said(scene):
    return emptiness(scene, Renderer().frame(scene, engine.Clock(scene.moment), SIZE, 1).report)


@pytest.mark.parametrize("depth", [1, 2])
def test_the_range_is_said_and_a_level_that_has_a_surface(depth):
    scene, _ = engine.open_scene("marching", depth=depth, levels="single", level=50.0, sparks=False)
    line = said(scene)
    assert "no ray meets level 50" in line and "--set size=10" in line
    low, high = (f"{value:.4g}" for value in scene._sheets.sampled)
    assert f"{low} to {high}" in line
    scene.level = float(line.split("--set level=")[1].split(" ")[0])
    assert said(scene) is None


def test_of_many_levels_too_far_apart_one_between_is_said():
    scene, _ = engine.open_scene("marching", spacing=1000.0, level=500.0, look="classic")
    line = said(scene)
    assert "500 + k 1000" in line and "size" not in line
    scene.level = float(line.split("--set level=")[1].split(" ")[0])
    assert said(scene) is None


def test_where_a_level_is_in_the_region_but_not_in_view_no_other_is_proposed():
    # f = x, of which the picture shows no place with 0.
    net = engine.Mlp([np.eye(1, 3), [[1.0]]], None, ["identity", "identity"])
    camera = engine.Camera(eye=(12.0, 0.0, 0.1), target=(12.0, 0.0, 0.0), fov=1e-3)
    scene, _ = engine.open_scene("marching", net=net, levels="single", region="box", size=20)
    scene.camera = camera
    line = said(scene)
    assert line and "move the camera" in line and "--set" not in line


def test_a_window_says_it_in_its_status_line():
    from engine.app.viewer import Viewer
    from engine.output.offscreen import make_canvas

    scene, _ = engine.open_scene("marching", levels="single", level=50.0)
    viewer = Viewer(scene, make_canvas((300, 200)), panel=False)
    viewer.still()
    low, high = (f"{value:.4g}" for value in scene._sheets.sampled)
    assert f"no surface here, where the output is {low} to {high}" in viewer.status()
    viewer.assign("level", 0.0)
    viewer.still()
    assert "no surface" not in viewer.status()


def test_where_nothing_is_certain_nothing_is_said():
    scene, _ = engine.open_scene("marching", depth=2, levels="single", level=50.0)
    renderer = Renderer()
    renderer.budget = engine.Budget(seconds=0.0)
    report = renderer.frame(scene, engine.Clock(), SIZE, 1).report
    assert report.undecided == report.rays > 0 and emptiness(scene, report) is None


def test_the_command_says_it_and_a_proven_range_where_there_is_a_tree(ask, tmp_path, monkeypatch):
    from engine.kernels.tree.tree import Tree

    for name in ("SEGMENTS", "LAYER_SEGMENTS"):
        monkeypatch.setitem(Tree._is_worth.__globals__, name, 1e6)
    words = ("--set", "depth=2", "--set", "levels=single", "--set", "level=5", "--size", "48x36")
    answer = ask("render", "marching", "-o", tmp_path / "a.png", *words)
    assert answer.status == 0 and answer.is_one_line() and "no surface: " in answer.err
    proven = [float(word) for word in answer.err.split("within ")[1].split(")")[0].split(" to ")]
    sampled = [float(word) for word in answer.err.split("output is ")[1].split(" (")[0].split(" to ")]
    assert proven[0] <= sampled[0] < sampled[1] <= proven[1] < 5
