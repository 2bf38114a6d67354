"""Which weight stands in which cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.network.random import random_mlp
from engine.ui.widgets.matrix_layout import classic_colour, nudged, pages, radius, visible


def cells(net):
    return [page.cell(r, c) for page in pages(net) for r in range(len(page.rows)) for c in range(len(page.columns))]


def weights(net):
    return {
        (number, row, column)
        for number, layer in enumerate(net.layers)
        for row in range(len(layer.bias))
        for column in [*range(layer.weights.shape[1]), -1]
    }


@pytest.mark.parametrize("sizes", [(3, 8, 1), (3, 4, 5, 2), (3, 1), (2, 3), (3, 8, 2), (7, 2, 1)])
def test_every_weight_has_exactly_one_cell(sizes):
    net = random_mlp(sizes, seed=2)
    found = [c for c in cells(net) if c is not None]
    assert len(found) == len(set(found))
    assert set(found) == weights(net)


def test_the_classic_network_is_the_original_s_one_table():
    (page,) = pages(random_mlp((3, 8, 1), seed=2, output_bias=False))
    assert page.rows == tuple(f"h{i}" for i in range(1, 9))
    assert page.columns == ("x", "y", "z", "1", "output")
    assert page.cell(2, 1) == (0, 2, 1)
    assert page.cell(2, 3) == (0, 2, -1)
    assert page.cell(2, 4) == (1, 0, 2)


def test_an_output_bias_has_a_row_of_its_own():
    (page,) = pages(random_mlp((3, 8, 1), seed=2))
    assert page.rows[-1] == "1"
    assert page.cell(8, 4) == (1, 0, -1)
    assert page.cell(8, 0) is None


def test_deeper_networks_have_a_page_a_layer_with_the_former_layer_s_rows_as_columns():
    made = pages(random_mlp((3, 4, 5, 2), seed=2))
    assert [p.title for p in made] == ["1", "2", "out"]
    assert made[1].columns == (*made[0].rows, "1")
    assert made[2].rows == ("out1", "out2")


@given(value=st.floats(-3, 3), change=st.floats(-3, 3))
def test_a_nudge_goes_no_farther_outside_than_it_was(value, change):
    new = nudged(value, change)
    assert abs(new) <= max(1.0, abs(value))
    assert nudged(value, change, free=True) == value + change


@given(value=st.floats(-1, 1), change=st.floats(-3, 3))
def test_a_nudge_within_the_range_is_the_original_s_clamp(value, change):
    assert nudged(value, change) == min(max(value + change, -1.0), 1.0)


@given(offset=st.floats(0, 5000), view=st.floats(1, 400), cell=st.floats(4, 40), count=st.integers(0, 1024))
def test_visible_cells_are_those_that_overlap_the_view(offset, view, cell, count):
    seen = visible(offset, view, cell, count)
    for i in range(count):
        overlaps = i * cell < offset + view - 1e-6 and (i + 1) * cell > offset + 1e-6
        if overlaps:
            assert i in seen
    # Never more than fill the view and one cut at each end.
    assert len(seen) <= view / cell + 2


def test_a_circle_s_area_is_the_weight_s_size():
    assert radius(0.5, 20) ** 2 / radius(1.0, 20) ** 2 == pytest.approx(0.5)
    assert radius(7.0, 20) == radius(1.0, 20) < 10
    assert radius(0.0, 20) > 0


@pytest.mark.parametrize(
    ("value", "rgb"), [(1, (150, 50, 50)), (0, (100, 50, 100)), (-1, (50, 50, 150)), (9, (150, 50, 50))]
)
def test_the_original_s_colours(value, rgb):
    # rgb(50 + v, 50, 150 - v) with v = 50 (w + 1).
    text = classic_colour(value)
    assert tuple(int(text[i : i + 2], 16) for i in (1, 3, 5)) == rgb
