"""Buttons of units in numbers: places, and what a press leaves shown."""

import itertools

import pytest

from engine.ui.widgets.unit_layout import alone, every, laid, numbered, put, toggled

WIDTH = 284.0


@pytest.mark.parametrize("counts", [(16, 16, 16), (1,), (3, 7), (64,) * 6, (128,) * 4, (16, 16, 16, 1), (300, 2)])
def test_buttons_lie_inside_and_apart(counts):
    layout = laid(counts, WIDTH)
    assert set(layout.cells) == {(k, u) for k, n in enumerate(counts) for u in range(n)}
    boxes = list(layout.cells.values())
    for x, y, width, height in boxes:
        assert x >= 0.0 and x + width <= WIDTH + 1e-9 and y > 0.0 and y + height <= layout.height + 1e-9
        assert width >= 15.0 and height >= 15.0
    for a, b in itertools.combinations(boxes[:200], 2):
        assert a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]


def test_three_layers_of_sixteen_are_three_columns_and_many_are_a_grid():
    assert laid((16, 16, 16), WIDTH).columns
    assert len({x for x, *_ in laid((16, 16, 16), WIDTH).cells.values()}) == 3
    grid = laid((64, 64), WIDTH)
    assert not grid.columns and len({x for x, *_ in grid.cells.values()}) == 16


SHOWN = ((True, True, False), (False, True))


def test_a_press_changes_one_unit():
    assert toggled(SHOWN, (0, 2)) == ((True, True, True), (False, True))
    assert toggled(toggled(SHOWN, (1, 0)), (1, 0)) == SHOWN


def test_a_drag_puts_several_alike():
    assert put(SHOWN, [(0, 0), (1, 1), (1, 0)], False) == ((False, True, False), (False, False))


def test_a_unit_alone_hides_all_others_and_again_shows_all():
    single = alone(SHOWN, (1, 0))
    assert single == ((False, False, False), (True, False))
    assert alone(single, (1, 0)) == ((True, True, True), (True, True))
    assert alone(single, (1, 1)) == ((False, False, False), (False, True))


def test_all_or_a_layer_is_shown_or_hidden():
    assert every(SHOWN, False) == ((False,) * 3, (False,) * 2)
    assert every(SHOWN, True, 1) == (SHOWN[0], (True, True))


def test_cells_keep_their_places_under_the_numbers_of_the_units_that_are_listed():
    plain, found = laid((2, 3), WIDTH), numbered(laid((2, 3), WIDTH), [(1, 4), (0, 1, 2)])
    assert list(found.cells) == [(0, 1), (0, 4), (1, 0), (1, 1), (1, 2)]
    assert list(found.cells.values()) == list(plain.cells.values())
