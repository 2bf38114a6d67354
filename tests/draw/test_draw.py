"""Drawables before a device: regions, maps, legends, words, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.draw import catalogue, colour
from engine.draw.colour import linear
from engine.draw.frame import THEMES, Frame
from engine.draw.lines import Lines
from engine.draw.points import Points
from engine.draw.surfaces.level_surfaces import Region
from engine.draw.words import legend, text
from engine.draw.words.legend import Legend, legend_sprites, spread
from engine.errors import SettingError, ShapeError
from engine.view.camera import Camera

numbers = st.floats(-8, 8).map(lambda x: round(x, 3))
points = st.tuples(numbers, numbers, numbers)


@given(points, points, st.sampled_from(["ball", "box"]))
def test_a_chord_is_where_the_ray_is_inside(origin, towards, kind):
    direction = np.subtract(towards, origin)
    if np.linalg.norm(direction) < 1e-2:
        return
    direction = direction / np.linalg.norm(direction)
    start, length = Region(kind, 5.0).chord(np.array(origin), direction)
    t = np.linspace(0, 40, 4001)
    p = np.array(origin) + t[:, None] * direction
    inside = np.linalg.norm(p, axis=1) <= 5 if kind == "ball" else (np.abs(p) <= 5).all(axis=1)
    # Samples are 0.01 apart; a graze shorter than that may fall between two of them.
    if length > 0.02:
        assert inside.any()
    if inside.any():
        assert abs(t[inside][0] - start) <= 0.011
        assert abs(t[inside][-1] - start - length) <= 0.011


@pytest.mark.parametrize(
    ("kind", "size"), [("cone", 1.0), ("ball", 0.0), ("ball", -1), ("box", np.nan), ("ball", (1, 2, 3))]
)
def test_a_region_that_is_none_is_refused(kind, size):
    with pytest.raises(SettingError):
        Region(kind, size)


def test_a_regions_points_fill_it_to_its_walls():
    for kind in ("ball", "box"):
        p = Region(kind, 2.0).points(11)
        far = np.linalg.norm(p, axis=1).max() if kind == "ball" else np.abs(p).max()
        assert far == pytest.approx(2.0)


@pytest.mark.parametrize("name", [n for n in catalogue.names() if n != "diverging"])
@pytest.mark.parametrize("theme", ["dark", "paper"])
def test_lightness_grows_along_a_sequential_map(name, theme):
    luminance = colour.palette(name, theme) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(luminance) > 0).all()


def test_the_diverging_map_is_lightest_at_its_centre():
    luminance = colour.palette("diverging", "dark") @ (0.2126, 0.7152, 0.0722)
    assert abs(int(luminance.argmax()) - colour.STEPS // 2) <= 1


def test_a_map_starts_and_ends_with_its_published_colours():
    assert np.allclose(colour.palette("magma", "paper")[-1], colour.colours("magma", "paper", 1.0))
    # Untrimmed ends of the diverging map: Crameri's first and last entries.
    assert np.allclose(colour.palette("diverging", "dark")[0], linear("#001261"), atol=1e-6)
    assert np.allclose(colour.palette("diverging", "dark")[-1], linear("#590007"), atol=1e-6)


def test_an_unknown_map_names_the_near_ones():
    with pytest.raises(SettingError, match="Near: viridis"):
        colour.palette("viridi")


@given(st.lists(st.floats(10, 190), max_size=40).map(sorted))
def test_legend_labels_never_overlap_and_stay_on_the_bar(ys):
    places = [p for p in spread(ys, 15, 10, 190) if p is not None]
    assert all(b - a >= 15 - 1e-9 for a, b in zip(places, places[1:], strict=False))
    assert all(10 - 1e-9 <= p <= 190 + 1e-9 for p in places)
    assert bool(places) == bool(ys)


def a_frame():
    return Frame(Camera(), (640, 480), (0, 0, 640, 480), 1, THEMES["dark"], 1.0)


@pytest.mark.parametrize("card", [False, True])
def test_a_legend_drawn_in_parts_is_the_same(card, monkeypatch):
    asked = Legend("value", "viridis", -1.0, 1.0, (-0.5, 0.25, 0.3), card=card)
    whole = legend_sprites(asked, a_frame())
    for cached in (legend._sprites, legend._title_and_bar):
        cached.cache_clear()
    monkeypatch.setattr("engine.draw.words.composite.ROWS", 7)
    for a, b in zip(whole, legend_sprites(asked, a_frame()), strict=True):
        assert a.image is not b.image
        assert np.array_equal(a.image, b.image) and (a.x, a.y) == (b.x, b.y)


def test_a_legend_writes_levels_that_lie_close_apart_with_digits_enough():
    shown = lambda marks: [words for _, words, _ in legend._marked(Legend("value", "viridis", 0.0, 1.0, marks))]
    assert shown((0.5, 0.501, 0.502)) == ["0.502", "0.501", "0.500"]
    assert shown((0.25, 0.75)) == ["0.75", "0.25"]
    # One level stands among round numbers, none of them where its own is; without levels there are numbers alone.
    assert shown((0.43,)) == ["1.0", "0.8", "0.6", "0.43", "0.2", "0"]
    assert shown(()) == ["1.0", "0.8", "0.6", "0.4", "0.2", "0"] == shown((7.0,))


def test_a_legend_marks_only_values_on_its_bar():
    few = legend_sprites(Legend("value", "viridis", 0.0, 1.0, (0.5,)), a_frame())
    more = legend_sprites(Legend("value", "viridis", 0.0, 1.0, (0.5, 7.0, -3.0)), a_frame())
    assert all(np.array_equal(a.image, b.image) for a, b in zip(few, more, strict=True))


@given(st.floats(8.0, 16.0), st.text("abcdefghijklmnopqrstuvwxyz0123456789 .,-", min_size=2, max_size=24))
def test_small_letters_are_spaced_as_large_ones(size, words):
    # The font's own widths at small sizes are whole pixels, half a pixel apart a letter.
    assert text.width(words, size) == pytest.approx(text.width(words, 400.0) * size / 400.0, abs=0.2 * len(words))


@pytest.mark.parametrize("size", [9.0, 10.5, 11.0, 12.0, 13.0, 15.0])
def test_small_letters_stand_on_whole_pixels(size):
    # Of x, z and v no row is half covered but where strokes are: the row below the line and the one above are empty.
    rows = text.mask("xzvxzv", size).max(axis=1)
    inked = np.flatnonzero(rows > 0.02)
    assert rows[inked[0]] > 0.35 and rows[inked[-1]] > 0.35


def test_digits_stand_in_columns():
    # With equal cells every three-digit number is equally wide, whatever its digits.
    widths = {text.mask(n, 15.0, tabular=True).shape[1] for n in ("111", "888", "407")}
    assert len(widths) == 1


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (0.25, "0.25"), (-2.0, "-2"), (1e-7, "1e-07"), (0.3333333, "0.33")]
)
def test_levels_are_written_briefly(value, shown):
    assert text.number(value) == shown


def test_arrays_that_do_not_fit_are_refused_with_their_sizes():
    with pytest.raises(ShapeError, match="2 segments"):
        Lines(np.zeros((2, 2, 3)), np.zeros((3, 4)))
    with pytest.raises(ShapeError, match="4 points"):
        Points(np.zeros((4, 3)), np.zeros((3, 4)))
