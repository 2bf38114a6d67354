"""Vectors of the scenes that come along: images, curves and words each in their layer, and words as text."""

import base64
import io
import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from PIL import Image

import engine
from engine.app.export import drawing_of, export
from engine.draw.frame import Sprite
from engine.draw.words.composite import Composite, word
from engine.draw.words.text import mask
from engine.draw.words.vectors import sprite_parts
from engine.errors import SettingError
from engine.vector import pdf, svg
from engine.vector.page import Drawing, Group, Raster, Words
from scenes.activations import Activations
from scenes.marching import Marching
from scenes.random_networks import RandomNetworks

SVG = "{http://www.w3.org/2000/svg}"
MARCHING = {"depth": 1, "hidden": 4, "levels": "single", "level": 0.2, "sparks": False}


def exported(scene, tmp_path, **more):
    path = tmp_path / "a.svg"
    export(scene, path, **more)
    return xml.parse(path).getroot(), path.stat().st_size


def texts(root):
    return [found.text for found in root.iter(f"{SVG}text")]


def layers(root):
    return [found.get("{http://www.inkscape.org/namespaces/inkscape}label") for found in root.iter(f"{SVG}g")]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr("engine.vector.pictured.ACROSS", 120)
    monkeypatch.setattr("engine.draw.surfaces.curves.CELLS", 48)


def test_marching_has_its_surfaces_as_an_image_and_its_curves_and_words_as_vectors(small, tmp_path):
    root, size = exported(Marching(**MARCHING), tmp_path)
    assert len(list(root.iter(f"{SVG}image"))) >= 1 and {"x", "y", "z", "value"} <= set(texts(root))
    ids = {found.get("id") for found in root.iter(f"{SVG}path")}
    assert any("silhouette" in name or "rim" in name for name in ids)
    assert {"picture", "words", "level 0.2"} <= set(layers(root)) and size < 300_000


def test_vectors_alone_have_no_image_and_need_no_picture(small, tmp_path, monkeypatch):
    def none(*_, **__):
        raise AssertionError("a picture was drawn")

    monkeypatch.setattr(engine.renderer(), "steps", none)
    root, size = exported(Marching(**MARCHING), tmp_path, alone=True)
    assert not list(root.iter(f"{SVG}image")) and "x" in texts(root) and size < 100_000


def test_the_image_under_the_vectors_has_no_words_and_is_transparent_without_a_background(small, tmp_path):
    for theme, channels in (("dark", 3), ("clear", 4)):
        drawing = drawing_of(Marching(theme=theme, surfaces=False, **MARCHING))
        raster = drawing.children[0].children[0]
        assert raster.pixels.shape == (90, 120, channels)
        if theme == "clear":
            assert raster.pixels[..., 3].min() == 0


def test_curves_of_all_surfaces_are_drawn_without_a_legend_too(small):
    many = MARCHING | {"levels": "all", "spacing": 0.4}
    shown, bare = (drawing_of(Marching(**many, legend_shown=on), alone=True) for on in (True, False))
    curves = [[part for part in drawing.children if part.name.startswith("level")] for drawing in (shown, bare)]
    assert len(curves[0]) > 1 and [part.title for part in curves[0]] == [part.title for part in curves[1]]


def test_marching_refuses_what_vectors_do_not_show():
    with pytest.raises(SettingError, match="look=studio"):
        drawing_of(Marching(look="classic"))


def test_a_field_has_curves_at_the_levels_of_its_legend(tmp_path, monkeypatch):
    monkeypatch.setattr("scenes.random_networks.vectors.RASTER", 32)
    monkeypatch.setattr("scenes.random_networks.vectors.CELLS", 96)
    scene = RandomNetworks(colour="viridis", depth=3)
    root, size = exported(scene, tmp_path)
    # The values that the picture's legend has: a curve for each within the range, and all beside the bar of colours.
    marks = [f"level {value:g}" for value in scene.legend().numbers if 0 < value < 1]
    assert marks == [f"level 0.{n}" for n in (2, 4, 6, 8)] and set(marks) <= set(layers(root))
    bar = root.find(f".//{SVG}g[@id='legend']")
    assert texts(bar) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"] and len(list(bar.iter(f"{SVG}image"))) == 1
    alone, smaller = exported(scene, tmp_path, alone=True)
    assert not list(alone.iter(f"{SVG}image")) and smaller < size
    # On white paper no curve is white.
    scene.theme = "paper"
    assert "#ffffff" not in (
        exported(scene, tmp_path, alone=True)[0].find(f".//{SVG}g[@id='levels-1']").attrib.values()
    )


def test_the_picture_under_the_curves_is_the_scene_s_own(monkeypatch):
    monkeypatch.setattr("scenes.random_networks.vectors.RASTER", 64)
    for colour, contrast in ((engine.RGB, "range"), (engine.RGB, "data"), ("magma", "range")):
        scene = RandomNetworks(colour=colour, depth=2, legend_shown=False, contrast=contrast)
        raster = drawing_of(scene).children[0].children[0]
        wanted = engine.render(scene, (64, 64), supersample=1)[..., :3].astype(int)
        assert np.abs(raster.pixels.astype(int) - wanted).max() <= 2


@pytest.mark.parametrize("show", ["relief", "curves"])
def test_a_field_of_another_kind_says_what_vectors_show(show):
    with pytest.raises(SettingError, match="show=image"):
        drawing_of(RandomNetworks(show=show))


def test_activations_have_words_and_frames_as_vectors_over_the_picture(small, tmp_path):
    scene = Activations(neuron="fire3 17 10 15")
    root, size = exported(scene, tmp_path)
    found = texts(root)
    assert "cat" in found and any("fire3 17 10 15" in words for words in found)
    ids = [path.get("id") for path in root.iter(f"{SVG}path")]
    assert any("what-it-sees" in name for name in ids) and any("who-moved-it" in name for name in ids)
    assert size < 500_000


def test_words_and_the_rest_of_a_card_make_the_card():
    composite = Composite(80, 30, (1.0, 1.0, 1.0), 0.8)
    composite.add(mask("words", 12.0), (0.2, 0.3, 0.4), 5, 4)
    composite.add(np.ones((3, 20)), (0.9, 0.1, 0.1), 5, 22)
    image = composite.image()
    assert image.composite.words[0][:2] == ("words", 12.0) and image.composite.words[0][3:] == (5, 4)
    rest = composite.image(words=False)
    assert (rest != image).any() and (rest[20:] == image[20:]).all() and (image[:, 50:] == rest[:, 50:]).all()
    # A part of a mask is no line of text any more.
    assert mask("words", 12.0)[:, 2:].line is None and image[:5].composite is None


def test_a_transparent_image_stays_so_in_both_formats():
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[..., 0], pixels[0, 0, 3] = 200, 128
    drawing = Drawing(30.0, 20.0, [Raster(0, 0, 30, 20, pixels)])
    data = base64.b64decode(re.search(rb"base64,([^\"]+)", svg.encode(drawing)).group(1))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    assert pdf.encode(drawing).count(b"/SMask") == 1 and b"/DeviceGray" in pdf.encode(drawing)


def test_words_stand_where_the_picture_has_them():
    class Named(engine.SpaceScene):
        def build(self, stage):
            stage.add(engine.Label("here", colour=(1.0, 0.0, 0.0))).move(1.0, 0.5, 0.0)

        def drawing(self, clock, size_mm=None):
            return engine.pictured(size_mm)

    scene = Named()
    drawing = drawing_of(scene)
    (words,) = [
        part
        for group in drawing.children
        if isinstance(group, Group)
        for part in group.children
        if isinstance(part, Words)
    ]
    x, y, _ = scene.camera.project((1.0, 0.5, 0.0), 4 / 3)
    assert words.text == "here" and words.anchor == "middle" and words.colour == "#ff0000"
    assert abs(words.x - (x + 1) / 2 * 160) < 0.3 and abs(words.y - (1 - y) / 2 * 120) < 1.5


@pytest.mark.parametrize(("x", "anchor"), [(8, "start"), (300, "middle")])
def test_a_word_of_its_own_keeps_its_middle_unless_a_wider_font_would_push_it_over_the_edge(x, anchor):
    (part,) = sprite_parts([Sprite(word("response above", 20.0, (1.0, 1.0, 1.0)), x, 5)], 0.5)
    assert isinstance(part, Words) and part.anchor == anchor
    assert part.x >= 0.5 * x and (anchor == "middle" or part.x == pytest.approx(0.5 * (x + 1)))
