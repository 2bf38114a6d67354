"""Undo and redo of weights, without a screen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.network.random import random_mlp
from engine.ui.control.weight_history import WeightHistory, weight

NET = random_mlp((3, 4, 2), seed=5)
edits = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(-1, 2), st.floats(-3, 3, width=32)),
    min_size=1,
    max_size=12,
)


@given(edits=edits)
def test_undoing_everything_gives_the_network_back_to_the_bit(edits):
    history = WeightHistory(NET)
    for edit in edits:
        history.edit(*edit)
    while history.can_undo:
        history.undo()
    assert history.net.equals(NET) and not history.is_changed


@given(edits=edits)
def test_redoing_what_was_undone_gives_the_edited_network_back(edits):
    history = WeightHistory(NET)
    for edit in edits:
        history.edit(*edit)
    edited = history.net
    while history.can_undo:
        history.undo()
    while history.can_redo:
        history.redo()
    assert history.net.equals(edited)


def test_an_edit_changes_one_weight_and_no_other():
    history = WeightHistory(NET)
    history.edit(0, 2, 1, 0.625)
    changed = [
        np.argwhere(a != b).tolist()
        for x, y in zip(NET.layers, history.net.layers, strict=True)
        for a, b in ((x.weights, y.weights), (x.bias, y.bias))
    ]
    assert changed == [[[2, 1]], [], [], []]
    assert weight(history.net, 0, 2, 1) == 0.625


def test_the_last_column_is_the_bias():
    history = WeightHistory(NET)
    history.edit(1, 0, -1, 0.5)
    assert history.net.layers[1].bias[0] == 0.5


def test_one_drag_is_one_step():
    history = WeightHistory(NET)
    for value in (0.1, 0.2, 0.3):
        history.edit(0, 0, 0, value, stroke=7)
    history.undo()
    assert history.net.equals(NET)


def test_two_drags_are_two_steps():
    history = WeightHistory(NET)
    history.edit(0, 0, 0, 0.1, stroke=7)
    history.edit(0, 0, 0, 0.2, stroke=8)
    history.undo()
    assert weight(history.net, 0, 0, 0) == np.float32(0.1)


def test_one_stroke_over_two_weights_is_two_steps():
    history = WeightHistory(NET)
    history.edit(0, 0, 0, 0.1, stroke=7)
    history.edit(0, 0, 1, 0.2, stroke=7)
    history.undo()
    assert weight(history.net, 0, 0, 0) == np.float32(0.1)


def test_a_new_edit_forgets_what_was_undone():
    history = WeightHistory(NET)
    history.edit(0, 0, 0, 0.1)
    history.undo()
    history.edit(0, 0, 0, 0.2)
    assert not history.can_redo


def test_an_edit_to_the_same_value_is_no_step():
    history = WeightHistory(NET)
    history.edit(0, 0, 0, weight(NET, 0, 0, 0))
    assert not history.can_undo


def test_reset_goes_to_the_network_as_it_came_and_can_be_undone():
    history = WeightHistory(NET)
    edited = history.edit(0, 0, 0, 0.1)
    assert history.reset() is NET
    assert history.undo().equals(edited)


def test_a_network_from_elsewhere_begins_a_new_history():
    history = WeightHistory(NET)
    history.edit(0, 0, 0, 0.1)
    other = random_mlp((3, 4, 2), seed=6)
    assert history.follow(other)
    assert history.base is other and not history.can_undo


def test_the_network_it_gave_away_itself_does_not():
    history = WeightHistory(NET)
    edited = history.edit(0, 0, 0, 0.1)
    assert not history.follow(edited)
    assert history.can_undo
