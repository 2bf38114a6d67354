"""The pictures of the documents: each has its command, and storing it more tightly changes nothing."""

import numpy as np
from PIL import Image
from tree import ROOT

import engine
from engine.app.picture_state import read_state
from engine.scene.settings import settings
from scenes.marching import Marching
from tools.gallery import DOCUMENTS, GAP, SIZES, THEMES, commands, compress, sheet

IMAGES = ROOT / "docs" / "images"
# The most bytes of a picture; of one that shows a window's panel, whose words are read; and of a figure of many cells.
MOST, MOST_OF_PANELS, MOST_OF_MANY = 280_000, 360_000, 1_000_000


def written():
    """What the documents' commands write, without the folder."""
    words = [w for name in DOCUMENTS for c in commands((ROOT / "docs" / name).read_text()) for w in c]
    return {word.removeprefix("docs/images/").rstrip("/") for word in words if word.startswith("docs/images/")}


def test_every_picture_of_the_documents_is_made_by_a_command_that_stands_there():
    assert {path.name for path in IMAGES.iterdir()} == written()


def test_the_pictures_that_lie_there_are_those_of_the_commands():
    known = [c for name in DOCUMENTS for c in commands((ROOT / "docs" / name).read_text()) if "render" in c]
    assert len(known) > 20
    for words in known:
        path = ROOT / words[words.index("-o") + 1]
        state, scene = read_state(path), engine.open_scene(words[words.index("render") + 1])[0]
        given = dict(word.split("=", 1) for before, word in zip(words, words[1:], strict=False) if before == "--set")
        for name, text in given.items():
            if name != "names":  # a file, which is not included
                setting = settings(scene)[name]
                assert state["settings"][name] == setting.read(text), (path.name, name)
        size = words[words.index("--size") + 1]
        assert "x".join(map(str, state["size"])) == size, path.name
        if "--supersample" in words:
            assert state["supersample"] == int(words[words.index("--supersample") + 1]), path.name


def test_pictures_of_the_documents_are_small():
    for path in IMAGES.rglob("*.png"):
        most = MOST_OF_MANY if path.parent != IMAGES else MOST_OF_PANELS if "panel" in path.name else MOST
        assert path.stat().st_size <= most, path.name


def test_a_picture_that_is_stored_more_tightly_has_the_same_pixels_and_state(tmp_path):
    path = tmp_path / "a.png"
    for theme in ("dark", "clear"):
        engine.save(Marching(theme=theme, sparks=False), path, size=(64, 48))
        with Image.open(path) as image:
            pixels, texts = np.asarray(image), dict(image.info)
        size, state = path.stat().st_size, read_state(path)
        compress(path)
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), pixels) and dict(image.info) == texts
        assert path.stat().st_size < size and read_state(path) == state


def test_a_sheet_of_shapes_has_a_row_for_each_theme_and_a_column_for_each_shape():
    found = sheet("random_networks", {"depth": "2", "width": "4", "colour": "viridis"})
    wide, high = sum(w + GAP for w, _ in SIZES) + GAP, len(THEMES) * (SIZES[0][1] + GAP) + GAP
    assert found.shape == (high, wide, 3)
    dark, paper = found[GAP : GAP + SIZES[0][1]], found[-GAP - SIZES[0][1] : -GAP]
    assert paper.shape == dark.shape and not np.array_equal(dark, paper)
