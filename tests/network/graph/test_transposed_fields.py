"""What a neuron behind a transposed convolution sees: no pixel outside of its field changes it."""

import numpy as np
import pytest

from engine.network.convnet import ConvNet
from engine.network.graph import nodes

RNG = np.random.default_rng(0)


def _net(size, stride, padding, dilation, down):
    weights = [abs(RNG.normal(size=(1, 1, *k))) + 0.1 for k in ((3, 3), size)]
    before = nodes.Convolution("down", ("x",), weights[0], None, (down, down), (1, 1, 1, 1))
    up = nodes.TransposedConvolution("up", ("down",), weights[1], None, stride, padding, dilation)
    return ConvNet([nodes.Input("x", (), (1, 1, 12, 12)), before, up])


FORMS = [
    ((2, 2), (2, 2), (0, 0, 0, 0), (1, 1), 2),
    ((3, 4), (2, 2), (1, 1, 0, 1), (1, 1), 2),
    ((3, 3), (1, 1), (1, 0, 1, 0), (1, 2), 1),
    ((4, 3), (2, 1), (1, 1, 1, 1), (1, 1), 2),
    ((3, 3), (3, 3), (0, 0, 0, 0), (1, 1), 2),
]


@pytest.mark.parametrize("form", FORMS)
def test_the_field_holds_all_that_a_neuron_sees(form):
    net = _net(*form)
    image, (_, height, width) = RNG.normal(size=(1, 1, 12, 12)), net.shapes["up"]
    exact = net.graph(image)[0, 0]
    sees = np.zeros((height, width, 12, 12), bool)
    for row in range(12):
        for column in range(12):
            other = image.copy()
            other[0, 0, row, column] += 1.0
            sees[:, :, row, column] = net.graph(other)[0, 0] != exact
    (size, stride, start) = net.receptive("up")
    for row in range(height):
        for column in range(width):
            rows, columns = np.nonzero(sees[row, column])
            top, left, bottom, right = net.field("up", row, column)
            if len(rows):
                assert top <= rows.min() and rows.max() < bottom and left <= columns.min() and columns.max() < right
            for axis, seen, place in ((0, rows, row), (1, columns, column)):
                first = start[axis] + stride[axis] * place
                assert not len(seen) or (first <= seen.min() and seen.max() < first + size[axis])


def test_doubling_after_halving_sees_a_few_pixels():
    net = _net(*FORMS[0])
    assert net.receptive("up") == ((4, 4), (1, 1), (-2, -2))
