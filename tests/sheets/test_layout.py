"""A sheet's layout: exact cells, a thin even gutter, and words that meet neither cells nor each other."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.draw.words import text
from engine.sheets.layout import drawn, lay_out

NUMBERS = [str(k) for k in range(1, 41)]
NAMES = ["tanh", "relu", "leaky_relu", "a network of a very long name indeed.safetensors", "x"]

label = st.text("abcdefg 0123456789.-_", min_size=1, max_size=60)
cells = st.tuples(st.integers(1, 500), st.integers(1, 500))
LONG = "A title that is longer than what it stands over, by far and by all means"
titles = st.sampled_from(["", "Seed", LONG])


def boxes(sheet):
    """(left, top, right, bottom) of the ink of each line of words."""
    for words in sheet.labels:
        ys, xs = np.nonzero(words.mask > 0)
        if len(ys):
            yield words.x + xs.min(), words.y + ys.min(), words.x + xs.max() + 1, words.y + ys.max() + 1


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def judged(sheet):
    width, height = sheet.cell
    filled = [(x, y, x + width, y + height) for x, y in sheet.places]
    written = list(boxes(sheet))
    page = (0, 0, *sheet.size)
    for box in (*filled, *written):
        assert page[0] <= box[0] and page[1] <= box[1] and box[2] <= page[2] and box[3] <= page[3], box
    for k, box in enumerate(written):
        assert not any(meet(box, cell) for cell in filled)
        assert not any(meet(box, other) for other in written[:k])


@example((17, 72), ["0"], ["0"], "", LONG, LONG)
@settings(max_examples=60, deadline=None)
@given(
    cells, st.lists(label, min_size=1, max_size=24), st.lists(label, min_size=1, max_size=12), titles, titles, titles
)
def test_words_meet_neither_cells_nor_each_other(cell, columns, rows, title, over, beside):
    judged(lay_out(cell, (over, columns), (beside, rows), title=title))


@settings(max_examples=60, deadline=None)
@given(cells, st.lists(label, min_size=1, max_size=24), st.integers(1, 30), titles, titles)
def test_captions_meet_neither_cells_nor_each_other(cell, columns, wrap, title, over):
    judged(lay_out(cell, (over, columns), wrap=wrap, title=title))


@pytest.mark.parametrize("cell", [(400, 400), (400, 300), (40, 30), (8, 8), (1, 1)])
def test_cells_are_exact_and_the_gutter_is_thin_and_even(cell):
    sheet = lay_out(cell, ("Depth", NUMBERS[:4]), ("Seed", NUMBERS[:3]), title="Networks")
    x, y = np.array(sheet.places).reshape(3, 4, 2).transpose(2, 0, 1)
    assert (x == x[:1]).all() and (y == y[:, :1]).all()
    across, down = np.diff(x[0]) - cell[0], np.diff(y[:, 0]) - cell[1]
    assert len({*across, *down}) == 1
    assert 1 <= across[0] <= max(1, 0.02 * min(cell))


def test_labels_stand_at_the_middle_of_their_columns_and_rows():
    sheet = lay_out((100, 80), ("", ["0", "8"]), ("", ["0", "8"]))
    (x, y), tall = sheet.places[0], 80
    above, beside = sheet.labels[:2], sheet.labels[2:]
    pitch = sheet.places[1][0] - x, sheet.places[2][1] - y
    for k, words in enumerate(above):
        # To half a pixel of rounding, and one for the side bearing of a digit.
        assert abs(words.x + words.mask.shape[1] / 2 - (x + k * pitch[0] + 50)) <= 1.5
        assert words.y + words.mask.shape[0] <= y
    for k, words in enumerate(beside):
        assert abs(words.y + words.mask.shape[0] / 2 - (y + k * pitch[1] + tall / 2)) <= 0.5
        assert words.x + words.mask.shape[1] <= x


def shown(sheet):
    return len(sheet.labels)


def test_labels_turn_where_they_do_not_fit_level_and_are_thinned_out_where_not_even_that():
    level = lay_out((100, 100), ("", NUMBERS[:10]))
    assert shown(level) == 10 and all(w.mask.shape[1] <= 100 for w in level.labels)
    names = lay_out((30, 100), ("", ["leaky_relu", "softplus"]))
    assert shown(names) == 2 and all(w.mask.shape[0] > w.mask.shape[1] for w in names.labels)
    small = lay_out((4, 4), ("", NUMBERS), ("", NUMBERS))
    assert 4 <= shown(small) < 40


def test_a_wrapped_sheet_has_a_caption_over_each_cell_and_rows_of_so_many():
    sheet = lay_out((60, 40), ("Scale", NUMBERS[:10]), wrap=4)
    assert len(sheet.places) == 10 and shown(sheet) == 11
    assert [len({y for _, y in sheet.places}), len({x for x, _ in sheet.places})] == [3, 4]
    assert lay_out((60, 40), ("", NUMBERS[:3]), wrap=9).places == lay_out((60, 40), ("", NUMBERS[:3])).places


def test_what_is_too_long_keeps_its_ends():
    narrow = lay_out((60, 60), ("", NAMES), wrap=2)
    assert all(words.mask.shape[1] <= 61 for words in narrow.labels)
    first, second = "run_with_a_long_name_a", "run_with_a_long_name_b"
    a, b = lay_out((60, 60), ("", [first, second]), wrap=2).labels
    assert a.mask.shape != b.mask.shape or not np.array_equal(a.mask, b.mask)


def test_type_grows_with_the_cells_and_stays_legible():
    heights = [lay_out((n, n), ("", ["8"])).labels[0].mask.shape[0] for n in (8, 100, 400, 1600)]
    assert heights == sorted(heights) and heights[-1] >= 3 * heights[-2]
    assert heights[0] >= text.mask("8", 9.0).shape[0]


def test_digits_are_tabular():
    one, eight = lay_out((400, 400), ("", ["1111", "8888"])).labels
    assert one.mask.shape == eight.mask.shape


@pytest.mark.parametrize(
    "theme, ground", [("dark", (0x12, 0x15, 0x1E)), ("paper", (255, 255, 255)), ("black", (0, 0, 0))]
)
def test_the_page_has_the_theme_s_ground_and_words_that_can_be_read(theme, ground):
    sheet = lay_out((100, 80), ("Depth", ["1", "2"]), ("Seed", ["3"]), title="Title")
    page = drawn(sheet, theme)
    assert page.shape == (sheet.size[1], sheet.size[0], 4) and (page[..., 3] == 255).all()
    x, y = sheet.places[0]
    assert (page[y : y + 80, x : x + 100, :3] == ground).all()
    contrast = np.abs(page[..., :3].astype(int) - ground).max(axis=2)
    assert (contrast > 100).sum() > 50
    # Nothing but words.
    inked = np.zeros(contrast.shape, bool)
    for left, top, right, bottom in boxes(sheet):
        inked[top:bottom, left:right] = True
    assert not contrast[~inked].any()
