"""WGSL is standard: a browser's compiler takes what naga takes."""

import re
import sys
from itertools import product

import numpy as np
import pytest
from tree import ROOT

import engine
from engine import diagnostics
from engine.app import make
from engine.app.lookup import open_scene
from engine.app.show import make_viewer
from engine.doctor import report
from engine.doctor.convnets import SPELLED
from engine.draw.surfaces import crossings, draft
from engine.gpu.compose import standard
from engine.gpu.device import Device, device
from engine.gpu.texture import Texture
from engine.kept import store
from engine.kernels import field
from engine.kernels.search import beams, layered, passes
from engine.kernels.tree import brackets, skip, variants
from engine.network.activations import ACTIVATIONS, Activation
from engine.network.random import random_mlp
from engine.output.offscreen import make_canvas
from engine.render.present import blit_moved
from engine.view.camera import Camera
from scenes import SCENES

sys.path.insert(0, str(ROOT / "tools"))
import browser

pytestmark = pytest.mark.skipif(browser.browser() is None, reason="needs a Chromium, for its compiler")
UNITS = " + ".join(f"1 {SPELLED.get(name, name)}" for name, rule in ACTIVATIONS.items() if rule.elementwise)
# Scenes and settings that make other modules than the checks of doctor; and their window.
PICTURES = [
    *((name, {}) for name in SCENES),
    ("marching", {"look": "classic", "depth": 2, "hidden": 24}),
    ("marching", {"debug": "tree"}),
    ("random_networks", {"show": "curves", "width": 40, "depth": 3}),
    ("random_networks", {"show": "relief", "activation": "atan"}),
    ("boundaries", {"background": "regions"}),
]


def drawn():
    """Draws what composes the modules of scenes, a window and networks with every activation."""
    for name, values in PICTURES:
        scene = open_scene(name)[0]
        for setting, value in values.items():
            setattr(scene, setting, value)
        # Curves have rules where there is room for them.
        size = (160, 120) if values.get("show") == "curves" else (16, 12)
        make.render(scene, size=size, supersample=1, progress=False)
    viewer = make_viewer(open_scene("marching", hidden=24)[0], make_canvas((32, 24)), panel=False, playing=False)
    viewer.canvas.draw()
    viewer.canvas.close()
    make.render(Dots(), size=(16, 12), supersample=1, progress=False)
    net = random_mlp([3, UNITS.count("+") + 1, 2], seed=1).changed(activations=[UNITS, "identity"])
    for gradient in (False, True):
        field.evaluate(net, np.zeros((1, 3), np.float32), gradient=gradient)


def compiled():
    """Compiles, and does not run, what few networks need: boxes of all activations, and rays in float64."""
    kinds = [Activation.parse(SPELLED.get(name, name)) for name, rule in ACTIVATIONS.items() if rule.elementwise]
    boxed = tuple(kind for kind in kinds if not kind.unbounded)
    for first, pairs in product((False, True), repeat=2):
        variants.back(first, pairs, True)
        variants.finish(first, pairs, True)
    variants.relax(boxed[:8], True)
    variants.enter()
    variants.ranges("keep")
    brackets._kernel()
    skip._kernel()
    crossings._tree_left()
    for name in draft.BINDINGS:
        draft._kernel(name)
    passes._kernel("ask", False)
    layered._lanes_kernel(tuple((kind,) for kind in boxed[:4]), 8, 8)
    smooth = Activation.parse("tanh"), 2, 8
    beams._gather()
    beams._march(*smooth)
    beams._search(*smooth)
    beams._list("keep")
    shown, target = Texture((16, 12), "rgba8unorm"), Texture((16, 12), "rgba8unorm")
    with device().recording("moved") as encoder:
        blit_moved(encoder, shown, target.view, "rgba8unorm", (16, 12), (0.0, 0.0, 0.0), Camera(), Camera(), 1.0)


def composed(folder):
    """{name: WGSL} of the modules that were dumped to a folder, each text once."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.wgsl"))}
    return {name: standard(text) for text, name in {text: name for name, text in texts.items()}.items()}


def files_in(texts):
    """The names of the files that modules were made from, and of generated texts."""
    lines = [line for text in texts for line in re.findall(r"^// (?:made from|with) (.*)$", text, re.MULTILINE)]
    return {name for line in lines for name in line.split(", ")}


class Dots(engine.Scene):
    """Points, and flat ones."""

    def build(self, stage):
        stage.add(engine.Points(np.zeros((1, 3))))
        stage.add(engine.Spots(np.zeros((1, 3))))


def test_every_file_compiles_in_a_browser_as_software_and_graphics_cards_are_given_it(tmp_path, monkeypatch):
    monkeypatch.setenv(diagnostics.WGSL_FOLDER, str(tmp_path))
    for is_software in (True, False):
        monkeypatch.setattr(Device, "is_software", is_software)
        store.clear()
        compiled()
        report.check()
        if is_software:
            drawn()
    texts = composed(tmp_path)
    used = files_in(texts.values())
    every = {path.relative_to(ROOT / "wgsl").with_suffix("").as_posix() for path in (ROOT / "wgsl").rglob("*.wgsl")}
    assert every - used == set()
    assert browser.faults(texts) == {}


def test_the_browser_says_what_is_not_standard():
    said = browser.faults({"mixed": "fn f(a: u32) -> u32 { return a * 2u >> 3u; }", "fine": "fn f() {}"})
    assert list(said) == ["mixed"] and "parenthesis" in said["mixed"]
