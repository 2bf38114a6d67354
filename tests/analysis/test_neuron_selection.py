import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.neuron_selection import read_units, write_units
from engine.errors import SettingError


def chosen(text, sizes=(3, 4)):
    return [list(np.flatnonzero(layer) + 1) for layer in read_units(text, sizes)]


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("all", [[1, 2, 3], [1, 2, 3, 4]]),
        ("none", [[], []]),
        ("", [[], []]),
        ("2", [[], [1, 2, 3, 4]]),
        ("1.2, 2.4", [[2], [4]]),
        ("2.2-3", [[], [2, 3]]),
        ("all, -2.1", [[1, 2, 3], [2, 3, 4]]),
        ("1,-1.3", [[1, 2], []]),
        ("9, 1.7, 2.3-99", [[], [3, 4]]),
    ],
)
def test_layers_and_neurons_are_written_from_one(text, wanted):
    assert chosen(text) == wanted


@pytest.mark.parametrize("text", ["first", "1.", "1.x", "0", "1.0", "1.2-", "1.2.3", "²"])
def test_other_texts_are_refused_with_what_is_taken(text):
    with pytest.raises(SettingError, match="a layer as 2"):
        read_units(text, (3, 4))


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=9), min_size=1, max_size=4))
def test_what_is_written_is_read_again(shown):
    found = read_units(write_units(shown), [len(layer) for layer in shown])
    assert [list(layer) for layer in found] == shown
