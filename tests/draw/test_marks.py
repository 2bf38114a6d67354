"""Words and cards over a picture: where they stand, what they leave out, what they show."""

from collections import Counter

import numpy as np
import pytest
from PIL import ImageDraw

from engine.draw.colour import srgb
from engine.draw.fields.box_axes import BoxAxes
from engine.draw.fields.plot import Plot
from engine.draw.frame import THEMES, Frame
from engine.draw.words import text
from engine.draw.words.callout import Callout
from engine.draw.words.composite import Composite
from engine.draw.words.inset import FRAMED, Inset, InsetImage
from engine.draw.words.key import Key, KeyRow
from engine.draw.words.label import Label
from engine.draw.words.labels import Labels
from engine.draw.words.legend import Legend, legend_sprites
from engine.draw.words.ranking import Rank, Ranking
from engine.errors import SettingError, ShapeError
from engine.network.random import random_mlp
from engine.view.camera import Camera

# Straight at a square of side 2, a pixel 1/100 of it.
STRAIGHT = Camera(eye=(0, 0, 5), target=(0, 0, 0), fov=0.0, height=2.0)
SIZE = (720, 720)


def frame(size=SIZE, camera=STRAIGHT, theme="dark"):
    return Frame(camera=camera, size=size, tile=(0, 0, *size), grid=1, theme=THEMES[theme], scale=min(size) / 720)


def sprites(node, **more):
    seen = frame(**more)
    node.overlay(seen, node.transform)
    return seen.sprites


def over(sprite, x, y):
    """The sprite's colour and opacity at a pixel of the picture; nothing outside."""
    row, column = int(y) - sprite.y, int(x) - sprite.x
    height, width = sprite.image.shape[:2]
    return sprite.image[row, column] if 0 <= row < height and 0 <= column < width else np.zeros(4, np.uint8)


def pixel(x, y):
    return (x + 1) / 2 * 720, (1 - y) / 2 * 720


# Labels.


def test_of_labels_that_touch_the_nearer_is_drawn():
    words, places = ["far", "near", "aside"], np.array([(0, 0, -1.0), (0.01, 0, 1.0), (0, -0.5, 0.0)])
    found = sprites(Labels(words, places))
    alone = [sprites(Labels([w], [p]))[0] for w, p in zip(words, places, strict=True)]
    assert {(s.x, s.y) for s in found} == {(alone[1].x, alone[1].y), (alone[2].x, alone[2].y)}


def test_a_label_hangs_by_the_middle_of_its_upper_edge():
    (sprite,) = sprites(Labels(["block"], [(0.3, 0.2, 0.0)]))
    x, y = pixel(0.3, 0.2)
    halo = 2  # pixels around it
    assert sprite.x + sprite.image.shape[1] / 2 == pytest.approx(x, abs=1.0) and sprite.y + halo == round(y)


def test_a_label_has_a_halo_of_the_background():
    for theme in ("dark", "paper"):
        (sprite,) = sprites(Labels(["block"], [(0.0, 0.0, 0.0)]), theme=theme)
        foreground, background = (255 * srgb(c) for c in (THEMES[theme].foreground, THEMES[theme].background))
        alpha = sprite.image[..., 3:].astype(float)
        colours = sprite.image[..., :3] / np.maximum(alpha, 1) * 255
        strong, weak = (alpha > 248)[..., 0], ((alpha > 60) & (alpha < 190))[..., 0]
        assert abs(colours[strong] - foreground).max() < 32 and strong.sum() > 8
        # Most of the halo is background alone; at the letters' edges some foreground is mixed in.
        assert np.median(abs(colours[weak] - background)) < 8


def test_labels_without_words_or_opacity_and_those_behind_the_eye_are_not_drawn():
    camera = Camera(eye=(0, 0, 5), target=(0, 0, 0))
    places = [(0, 0, 0), (0, 0.5, 0), (0, 0, 9.0)]
    assert not sprites(Labels(["", "hidden", "behind"], places, opacity=[1.0, 0.0, 1.0]), camera=camera)


# Callouts.


def test_a_callout_rings_its_place_and_leads_to_its_words():
    node = Callout(("fire4", "row 3")).move(0.0, 0.0, 0.0)
    strokes, card = sprites(node)
    x, y = pixel(0, 0)
    # On the ring, in its middle, and beside it.
    assert over(strokes, x + 6, y)[3] > 128 and over(strokes, x, y)[3] == 0 and over(strokes, x - 12, y)[3] == 0
    # The line goes up to the right, to the card's left side.
    assert over(strokes, x + 17, y - 15)[3] > 100
    assert card.x == round(x + 34) and card.y < y - 30 < card.y + card.image.shape[0]


def test_a_callouts_words_stand_above_what_they_must_not_cover():
    node = Callout(("fire4", "row 3")).move(0.2, -0.4, 0.0)
    node.around = [(0.7, 0.3, 0.0)]
    _, card = sprites(node)
    assert card.y + card.image.shape[0] <= pixel(0.7, 0.3)[1] + 1 and card.x == round(pixel(0.2, 0)[0] + 34)


@pytest.mark.parametrize("place", [(0.97, 0.9), (-0.97, -0.9), (0.97, -0.97), (-0.97, 0.97)])
def test_a_callouts_words_stay_in_the_picture(place):
    _, card = sprites(Callout(("a name of some length",)).move(*place, 0.0))
    height, width = card.image.shape[:2]
    assert card.x >= 0 and card.x + width <= 720 and card.y >= 0 and card.y + height <= 720


def test_without_words_a_callout_is_a_ring_and_outside_of_the_picture_nothing():
    assert len(sprites(Callout().move(0, 0, 0))) == 1
    assert not sprites(Callout(("word",)).move(3.0, 0, 0))
    assert not sprites(Callout(("word",)).move(0, 0, 9.0), camera=Camera(eye=(0, 0, 5), target=(0, 0, 0)))


# Insets.


def test_an_inset_stands_in_the_lower_right_corner_and_without_a_title_nowhere():
    (card,) = sprites(Inset("title", [("name", "value")]))
    height, width = card.image.shape[:2]
    assert (720 - card.x - width, 720 - card.y - height) == (16, 16)
    assert not sprites(Inset())


def test_an_insets_image_is_whole_its_pixels_even_squares():
    image = np.random.default_rng(1).integers(0, 256, (4, 8, 3), dtype=np.uint8)
    (card,) = sprites(Inset("t", (), [InsetImage(image)]))
    # 128 pixels wide, so each pixel is a square of 16.
    wanted = image.repeat(16, axis=0).repeat(16, axis=1)
    pixels = card.image[..., :3].astype(int)
    found = [
        abs(pixels[y : y + 64, x : x + 128] - wanted).max()
        for y in range(pixels.shape[0] - 63)
        for x in range(pixels.shape[1] - 127)
    ]
    assert min(found) <= 1


def test_a_box_of_an_insets_image_is_framed_and_a_crumb_is_framed_from_outside():
    grey = np.full((64, 64), 128, np.uint8)

    def framed(box):
        (card,) = sprites(Inset("t", (), [InsetImage(grey, "", box)]))
        pink = (abs(card.image[..., :3] - 255 * srgb(FRAMED)) < 8).all(axis=2)
        rows, columns = np.flatnonzero(pink.any(axis=1)), np.flatnonzero(pink.any(axis=0))
        return np.array([rows[-1] - rows[0], columns[-1] - columns[0]])

    # Two pixels a pixel of the image, and a stroke around.
    assert abs(framed((10, 20, 30, 60)) - (40, 80)).max() <= 3
    assert framed((10, 20, 11, 21)).min() >= 4


@pytest.mark.parametrize("pixels", [np.zeros((2, 2)), np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8)])
def test_what_is_no_image_is_refused(pixels):
    with pytest.raises(ShapeError, match="uint8"):
        InsetImage(pixels)


# Legends.


def test_a_legends_marks_may_have_words_which_stay_with_their_marks():
    def drawn(marks, words):
        return legend_sprites(Legend("t", "viridis", 0.0, 2.0, marks, words), frame())[-1].image

    assert np.array_equal(drawn((0.0, 2.0), ("low", "high")), drawn((2.0, 0.0), ("high", "low")))
    assert not np.array_equal(drawn((0.0, 2.0), ("low", "high")), drawn((0.0, 2.0), ("high", "low")))
    assert np.array_equal(drawn((0.0, 2.0), ()), drawn((0.0, 2.0), ("", "")))


def test_of_a_legend_whose_marks_move_only_the_marks_are_drawn_again():
    first, second = (legend_sprites(Legend("t", "viridis", 0.0, 2.0, marks), frame()) for marks in ((0.5,), (0.6,)))
    title, bar, marks = (a.image is b.image for a, b in zip(first, second, strict=True))
    assert title and bar and not marks
    assert legend_sprites(Legend("t", "viridis", 0.0, 2.0, (0.6,)), frame())[-1].image is second[-1].image


@pytest.mark.parametrize("card", [False, True])
@pytest.mark.parametrize("size", [(720, 720), (90, 60)])
def test_the_parts_of_a_legend_do_not_overlap_but_where_a_mark_is_opaque(card, size):
    covered = np.zeros((720, 720), int)
    *still, marks = legend_sprites(Legend("a title", "viridis", 0.0, 2.0, (0.0, 0.1, 2.0), card=card), frame(size))
    for sprite in still:
        height, width = sprite.image.shape[:2]
        covered[sprite.y :, sprite.x :][:height, :width] += sprite.image[..., 3] > 0
    assert covered.max() == 1
    height, width = marks.image.shape[:2]
    below = covered[marks.y :, marks.x :][:height, :width]
    assert set(np.unique(marks.image[..., 3][below > 0])) <= {0, 255}


# Nothing that stays is drawn again.


def test_of_words_and_cards_that_do_not_change_nothing_is_rasterised_again(monkeypatch):
    nodes = [
        Label("a"), Labels(["b", "c"], [(0, 0, 0), (0, 0.5, 0)]), Callout(("d", "e")), Inset("f", [("g", "h")]),
        Key([KeyRow("i", (1, 0, 0))]), Ranking([Rank("j", 0.5)]), BoxAxes(), Plot(random_mlp([1, 4, 1])),
    ]  # fmt: skip
    counts = Counter()
    for owner, name in ((ImageDraw, "Draw"), (Composite, "image")):
        real = getattr(owner, name)

        def counted(*args, name=name, real=real):
            counts[name] += 1
            return real(*args)

        monkeypatch.setattr(owner, name, counted)

    def shown(node):
        # From farther away, so that numbers outside of a box are within the picture.
        seen = {"camera": STRAIGHT.with_(height=4.0)}
        found = (
            sprites(node, **seen) if not node.children else [*sprites(node, **seen), *sprites(node.children[0], **seen)]
        )
        return [(s.image.tobytes(), s.x, s.y) for s in found]

    # A size that no other test has, so that nothing is there yet.
    monkeypatch.setitem(text.SIZES, "small", 12.125)
    first = [shown(node) for node in nodes]
    assert all(first) and counts["Draw"] >= 10 and counts["image"] >= 8
    # A callout's line ends where the camera has it, and a curve's name where the curve does: those are drawn each time.
    counts.clear()
    assert [shown(node) for node in nodes] == first
    assert counts == {"image": 1}


# What cannot be.


def test_a_size_of_words_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(SettingError, match=r"There is no size of words `large`.*small"):
        sprites(Labels(["block"], [(0.0, 0.0, 0.0)], size="large"))


def test_a_legend_has_a_word_for_each_mark_or_none():
    with pytest.raises(ShapeError, match="2 marks and 1 words"):
        Legend("value", "viridis", 0.0, 1.0, (0.0, 1.0), ("low",))
