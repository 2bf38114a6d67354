"""WGSL is standard: a browser's compiler takes what naga takes."""

import sys

import pytest
from tree import ROOT

from engine import diagnostics
from engine.app import make
from engine.app.lookup import open_scene
from engine.doctor import report
from engine.gpu.compose import standard
from engine.kept import store
from scenes import SCENES

sys.path.insert(0, str(ROOT / "tools"))
import browser

pytestmark = pytest.mark.skipif(browser.browser() is None, reason="needs a Chromium, for its compiler")
# Network shapes and looks that make other modules than the scenes' own settings and the checks of doctor.
MORE = [("random_networks", {"width": 40, "depth": 3}), ("random_networks", {"activation": "atan"})]


def test_every_module_of_checks_and_scenes_compiles_in_a_browser(tmp_path, monkeypatch):
    monkeypatch.setenv(diagnostics.WGSL_FOLDER, str(tmp_path))
    store.clear()
    report.check()
    for name, values in [*((name, {}) for name in SCENES), *MORE]:
        scene = open_scene(name)[0]
        for setting, value in values.items():
            setattr(scene, setting, value)
        make.render(scene, size=(16, 12), supersample=1, progress=False)
    texts = {path.name: standard(path.read_text()) for path in tmp_path.glob("*.wgsl")}
    assert len(texts) > 100
    assert browser.faults(texts) == {}


def test_the_browser_says_what_is_not_standard():
    said = browser.faults({"mixed": "fn f(a: u32) -> u32 { return a * 2u >> 3u; }", "fine": "fn f() {}"})
    assert list(said) == ["mixed"] and "parenthesis" in said["mixed"]
