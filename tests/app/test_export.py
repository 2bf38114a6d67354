"""engine.app.export: sizes of pages, what a scene is asked, and what is said to scenes without vectors."""

import os

import pytest
from drawn import Drawn
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.app.export import drawing_of, export, read_size
from engine.errors import FileError, SceneError, SettingError
from engine.vector.page import Drawing, Path


class Sketch(Drawn):
    """A line as long as the time, on a page of the size asked for."""

    def drawing(self, clock, size_mm=None):
        width, height = size_mm or (100.0, 80.0)
        line = Path("time", [[[0, 0], [clock.time, self.spread]]], "#000000")
        return Drawing(width, height or width / 2, [line])


@pytest.mark.parametrize(
    "text, size",
    [
        ("120mmx90mm", (120, 90)),
        ("120x90mm", (120, 90)),
        ("12cm x 9 cm", (120, 90)),
        ("12cmx90mm", (120, 90)),
        ("4.5IN×3in", (114.3, 76.2)),
        ("72ptx36pt", (25.4, 12.7)),
        ("85mm", (85, None)),
        (".5cm", (5, None)),
    ],
)
def test_a_size_is_read_in_its_unit(text, size):
    # Decimals times a unit, rounded once.
    assert read_size(text) == (pytest.approx(size[0], abs=1e-9), size[1] and pytest.approx(size[1], abs=1e-9))


@pytest.mark.parametrize(
    "text, said",
    [
        ("120x90", "pixels"),
        ("120", "pixels"),
        ("3ft", "`ft` is no unit"),
        ("10mmx2em", "`em` is no unit"),
        ("", "with a unit"),
        ("axb", "with a unit"),
        ("1e3mm", "with a unit"),
        ("-5mm", "with a unit"),
        ("4mm", "from 5 to 5000"),
        ("10mmx5001mm", "from 5 to 5000"),
    ],
)
def test_what_is_no_size_is_reported_with_what_arrived(text, said):
    with pytest.raises(SettingError, match=said) as error:
        read_size(text)
    assert f"--size {text}" in str(error.value)


@given(st.text(max_size=12))
def test_any_text_is_a_size_or_a_mistake_of_one_line(text):
    try:
        width, height = read_size(text)
    except SettingError as error:
        assert "\n" not in str(error)
    else:
        assert 5 <= width <= 5000 and (height is None or 5 <= height <= 5000)


@pytest.mark.parametrize("size", [(10,), (1, 2, 3), ("a", "b"), (float("nan"), 10), (float("inf"), 10), object(), 3])
def test_a_size_in_python_that_is_none_is_refused(size):
    with pytest.raises(SettingError, match="size="):
        drawing_of(Sketch(), size=size)


def test_a_scene_is_asked_for_its_moment_and_the_page():
    scene = Sketch(spread=3.0)
    drawing = drawing_of(scene, size=(50, 40), time=1.5)
    assert (drawing.width_mm, drawing.height_mm) == (50, 40)
    assert drawing.children[0].polylines[0].tolist() == [[0, 0], [1.5, 3.0]]
    assert scene.builds == 1
    assert drawing_of(scene).width_mm == 100 and drawing_of(scene, size="60mm").height_mm == 30
    assert drawing_of(scene, size=60).height_mm == 30


def test_the_moment_is_the_scene_s_own_unless_given():
    scene = Sketch()
    scene.moment = 7.0
    assert drawing_of(scene).children[0].polylines[0][1, 0] == 7.0
    assert drawing_of(scene, time=0.0).children[0].polylines[0][1, 0] == 0.0


@pytest.mark.parametrize("ending", [".svg", ".pdf"])
def test_the_public_function_writes_and_returns_the_path(ending, tmp_path):
    path = tmp_path / f"a{ending}"
    assert engine.export(Sketch(), path) == str(path)
    assert path.read_bytes()[:5] in (b"<?xml", b"%PDF-")


def test_a_dash_is_svg_on_standard_output(capfdbinary):
    assert export(Sketch(), "-") == "-"
    assert capfdbinary.readouterr().out.startswith(b"<?xml")


def test_a_scene_without_vectors_is_reported_with_what_to_do(tmp_path):
    with pytest.raises(SceneError, match="Drawn draws no vectors"):
        export(Drawn(), tmp_path / "a.svg")
    assert os.listdir(tmp_path) == []


def test_a_scene_that_gives_something_else_is_reported(tmp_path):
    class Wrong(Drawn):
        def drawing(self, clock, size_mm=None):
            return "<svg/>"

    with pytest.raises(SceneError, match="gave a str"):
        export(Wrong(), tmp_path / "a.svg")


def test_a_place_that_cannot_be_written_is_reported_before_anything_is_drawn(tmp_path):
    scene = Sketch()
    for path in ("a.png", tmp_path / "none" / "a.svg", tmp_path):
        with pytest.raises(FileError):
            export(scene, path)
    assert scene.builds == 0
