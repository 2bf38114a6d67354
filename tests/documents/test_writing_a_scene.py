"""What the documents tell a newcomer to type, typed."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from engine.app.lookup import find_scene, open_scene
from engine.app.make import render
from engine.cli import main

ROOT = Path(__file__).resolve().parents[2]
WRITING = (ROOT / "docs" / "writing-a-scene.md").read_text()


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def morph(tmp_path, monkeypatch):
    """The document's scene file, in the current folder as the document has it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "morph.py"
    path.write_text(blocks(WRITING, "python")[0])
    return path


def test_the_scene_of_the_document_has_forty_lines_or_fewer(morph):
    assert len([line for line in morph.read_text().splitlines() if line.strip()]) <= 40


def test_the_scene_of_the_document_closes_its_loop(morph):
    first, last = (render(open_scene("morph.py")[0], (48, 36), time=t, supersample=1) for t in (0.0, 6.0))
    half = render(open_scene("morph.py")[0], (48, 36), time=3.0, supersample=1)
    # cos(2 pi) is 1 to rounding, which moves no surface by a thousandth of a pixel.
    assert np.abs(first.astype(int) - last).max() <= 1
    assert np.abs(first.astype(int) - half).max() > 30


def test_the_commands_of_the_document_run(morph, capsys):
    lines = [line for block in blocks(WRITING, "sh") for line in block.splitlines() if line.startswith("neuroscene ")]
    assert len(lines) >= 4
    for line in lines:
        words = line.split("#")[0].split()[1:]
        if words[0] == "run":
            continue
        if words[0] in ("render", "record"):
            words = [w for w in words if "x" not in w or w.startswith("--") or "." in w]
            words = [w for w in words if w != "--size"] + ["--size", "24x18"]
        assert main.main(words) == main.OK, (line, capsys.readouterr().err)
    made = {name for name in os.listdir() if name != "__pycache__"}
    assert {"morph.png", "morph.gif"} <= made


def test_a_picture_of_a_scene_file_is_made_again_by_naming_both(morph, capsys):
    for words in (
        ["render", "morph.py", "-o", "morph.png", "--time", "1.5", "--set", "width=16", "--size", "40x30"],
        ["render", "morph.py", "--from", "morph.png", "-o", "again.png"],
    ):
        assert main.main(words) == main.OK, capsys.readouterr().err
    assert Path("again.png").read_bytes() == Path("morph.png").read_bytes()


def test_a_picture_of_a_scene_file_runs_no_file_by_itself(morph, capsys):
    assert main.main(["render", "morph.py", "-o", "morph.png", "--size", "16x12"]) == main.OK
    morph.write_text("raise SystemError('it was run')\n")
    capsys.readouterr()
    assert main.main(["render", "morph.png", "-o", "b.png"]) == main.MISTAKE
    err = capsys.readouterr().err
    assert "--from morph.png" in err and "it was run" not in err


def test_what_more_a_scene_can_say_fits_the_scene(morph):
    """The document's further methods, put into its class."""
    further = blocks(WRITING, "python")[1]
    assert further.startswith("    def actions")
    morph.write_text(morph.read_text() + "\n" + further)
    scene, clock = open_scene("morph.py")
    scene.advance(clock)
    scene.actions()[0].run()
    assert (scene.first, scene.second) == (2, 3)
    assert scene.legend().low < scene.legend().high


@pytest.mark.parametrize("name", re.findall(r"`engine\.(\w+)", WRITING))
def test_every_name_in_the_document_is_public(name):
    import engine

    assert name in engine.PUBLIC


# Public for the scenes that come along; the document need not tell of them.
FURTHER = {
    "Boundaries", "ClassicAxes", "ClassicSparks", "ClassicSurfaces", "FieldImage", "Hit", "Key", "KeyRow", "LayerStyle",
    "Aim", "BACKGROUNDS", "BlockLayout", "FRAMED", "LOOKS", "LOSS_MAP", "MOST_LOSS", "RGB", "THEMES",
    "cloud_layout", "cloud_rows", "layer_styles", "linear_rgb", "map_colours", "map_names", "is_diverging",
    "sample_colours", "srgb", "surface_curves",
}  # fmt: skip


def test_the_document_has_every_setting_and_node():
    import engine

    documented = set(re.findall(r"engine\.(\w+)", WRITING))
    rooms = ("engine.scene.settings", "engine.scene.data_settings", "engine.draw")
    kinds = {n for n, (where, _) in engine.PUBLIC.items() if where.startswith(rooms) and n not in FURTHER}
    assert kinds <= documented


def test_every_scene_that_comes_along_is_in_the_gallery():
    from scenes import SCENES

    gallery = (ROOT / "docs" / "gallery.md").read_text()
    for name in SCENES:
        assert find_scene(name).__doc__
        assert f"neuroscene render {name}" in gallery
