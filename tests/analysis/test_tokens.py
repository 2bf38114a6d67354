"""Tokens are followed to the patches of the picture that they are of, through whatever moves them."""

import numpy as np
import pytest
from graphs.transformers import HEADS, reduced, vit, weights, windowed

from engine.analysis.vision.tokens import ADDED, TokenGrid, attentions, places, tokens
from engine.network.convnet import ConvNet
from engine.network.graph import nodes
from engine.reference.forward import value as responses

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("added", [0, 1, 2])
def test_tokens_stand_on_their_patches_after_those_that_the_network_adds(added):
    grids, found = tokens(ConvNet(vit(added)))
    assert grids["sum"] == TokenGrid(2, 3, added) and grids["tokens"] == TokenGrid(2, 3)
    (only,) = found
    assert only.node == "looks" and only.grid == (2, 3) and only.added == added
    grid = grids["sum"]
    assert [grid.row(grid.number(k)) for k in range(6 + added)] == list(range(6 + added))
    assert [grid.number(k) for k in range(added)] == [ADDED - k for k in range(added)] and grid.number(added) == 0


def test_a_token_looks_at_what_the_softmax_weighs():
    net = ConvNet(vit(1))
    values = responses(net, RNG.normal(size=net.input_shape))
    (only,) = tokens(net)[1]
    looks = values["looks"]  # (heads, queries, keys)
    for number, row in ((ADDED, 0), (0, 1), (5, 6)):
        patches, others = only.looks(looks, number)
        assert patches.reshape(HEADS, 6) == pytest.approx(looks[:, row, 1:]) and others == pytest.approx(
            looks[:, row, :1]
        )
    with pytest.raises(KeyError):
        only.looks(looks, 6)


def test_small_patches_look_at_larger_ones():
    net = ConvNet(reduced())
    (only,) = tokens(net)[1]
    looks = responses(net, RNG.normal(size=net.input_shape))["looks"]  # (keys, queries, 1)
    assert only.grid == (2, 2) and only.query_grid == (4, 4)
    assert only.looks(looks, 7)[0].ravel() == pytest.approx(looks[:, 7, 0])


def test_a_patch_is_followed_by_what_its_pixels_change():
    # Without attention between, a token changes with the pixels of its patch alone.
    net = ConvNet(vit(1))
    grid = tokens(net)[0]["placed"]
    x = RNG.normal(size=net.input_shape)
    before = responses(net, x)["placed"]
    for number in range(6):
        changed = x.copy()
        row, column = divmod(number, grid.columns)
        changed[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 1.0
        moved = abs(responses(net, changed)["placed"] - before).max(axis=(0, 2)) > 1e-9
        assert list(np.flatnonzero(moved)) == [grid.row(number)]


@pytest.mark.parametrize("shift", [0, 1])
def test_windows_look_within_themselves_wherever_they_lie(shift):
    net = ConvNet(windowed(shift))
    found = places(net)
    (only,) = attentions(net, found)
    numbers = np.roll(np.arange(16).reshape(4, 4), -shift, axis=0)
    wanted = numbers.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    assert np.array_equal(only.queries, wanted) and np.array_equal(only.keys, wanted) and only.grid == (4, 4)
    values = responses(net, RNG.normal(size=net.input_shape))["looks"]
    patches, others = only.looks(values, int(wanted[2, 1]))
    assert set(np.flatnonzero(patches.sum(axis=0))) == set(wanted[2]) and patches.sum() == pytest.approx(1.0)
    assert others.size == 0


def test_merged_patches_are_larger_ones():
    merged = places(ConvNet(windowed(0)))["merged"]
    assert merged.grid == (2, 2) and np.array_equal(merged.numbers.ravel(), np.arange(4))


def test_what_is_no_attention_is_not_taken_for_one():
    made = [
        nodes.Input("x", (), (1, 3, 4, 4)), nodes.Convolution("c", ("x",), weights(5, 3, 1, 1)),
        nodes.Reshape("r", ("c",), (1, 5, 16)), nodes.Transpose("t", ("r",), (0, 2, 1)),
        nodes.Dense("d", ("t",), weights(16, 5)), nodes.Softmax("of weights", ("d",), -1),
        nodes.MatMul("mixed", ("of weights", "t")), nodes.Dense("e", ("mixed",), weights(4, 5)),
        nodes.Softmax("p", ("e",), -1),
    ]  # fmt: skip
    grids, found = tokens(ConvNet(made))
    assert found == () and grids["e"] == TokenGrid(4, 4)
    assert tokens(ConvNet(made[:2])) == ({}, ())
