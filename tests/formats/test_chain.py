"""Folding: whatever the steps, the network computes them one after another.

Tolerance: weights are rounded to float32 after folding, 6e-8 each; five layers of sums of up to 40 in size grow that
to 1e-5 of the largest value at worst.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NetworkError, ShapeError
from engine.formats.chain import Affine, Apply, Linear, Width, fold
from engine.network.activations import Activation

SMOOTH = ["tanh", "sigmoid", "relu", "gaussian", "sine(2)", "softplus"]


def run(steps, x):
    """The steps, one after another, in float64."""
    for step in steps:
        if isinstance(step, Linear):
            x = x @ step.weights.T.astype(float) + (0 if step.bias is None else step.bias)
        elif isinstance(step, Affine):
            x = x * step.scale + step.shift
        elif isinstance(step, Apply):
            x = step.activation.value(x)
    return x


@st.composite
def chains(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    width = start = draw(st.integers(1, 4))
    steps = []
    for kind in draw(st.lists(st.sampled_from(["linear", "scalar", "vector", "apply", "width"]), max_size=7)):
        if kind == "linear":
            out = draw(st.integers(1, 4))
            bias = rng.normal(size=out).astype("f4") if draw(st.booleans()) else None
            steps.append(Linear(rng.normal(size=(out, width)).astype("f4") * np.float32(0.7), bias))
            width = out
        elif kind == "apply":
            steps.append(Apply(Activation.parse(draw(st.sampled_from(SMOOTH)))))
        elif kind == "width":
            steps.append(Width(width))
        else:
            size = () if kind == "scalar" else (width,)
            steps.append(Affine(rng.uniform(-1.2, 1.2, size), rng.normal(size=size)))
    weights = rng.normal(size=(2, width)).astype("f4")
    return start, [*steps, Linear(weights, None), *draw(st.sampled_from([[], [Affine(np.float64(2), np.ones(2))]]))]


@settings(max_examples=150, deadline=None)
@given(chains())
def test_a_folded_chain_computes_its_steps(chain):
    inputs, steps = chain
    net = fold(steps, "chain")
    points = np.random.default_rng(0).uniform(-1, 1, (30, inputs))
    truth = run(steps, points)
    assert net.inputs == inputs
    assert np.abs(net(points) - truth).max() <= 1e-5 * max(1.0, np.abs(truth).max())


def test_a_scale_is_taken_by_a_layer_and_makes_none():
    w = np.float32([[1, 2], [3, 4]])
    net = fold(
        [
            Affine(2.0, 1.0),
            Linear(w, None),
            Affine(np.float64([4, 8]), 0.0),
            Apply(Activation("tanh")),
            Linear(w, None),
        ],
        "x",
    )
    assert net.shape.sizes == (2, 2, 2)
    assert np.array_equal(net.layers[0].weights, [[8, 16], [48, 64]])  # by hand: powers of two do not round
    assert np.array_equal(net.layers[0].bias, [4 * 3, 8 * 7])


def test_weights_that_nothing_is_folded_into_are_kept_to_the_bit():
    w = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    net = fold([Affine(np.float64(1), np.float64(0)), Linear(w, w[:, 0]), Affine(np.float64(1), np.float64(0))], "x")
    assert net.layers[0].weights.tobytes() == w.tobytes() and net.layers[0].bias.tobytes() == w[:, 0].tobytes()


W = np.ones((2, 3), "f4")


@pytest.mark.parametrize(
    ("steps", "kind", "says"),
    [
        ([Linear(W, None, "one"), Linear(W, None, "two")], ShapeError, r"two of x is \(2, 3\).*2 values arrive"),
        ([Linear(W, np.ones(3))], ShapeError, "bias"),
        ([Linear(W, None), Affine(np.ones(3), 0.0, "scale")], ShapeError, "scale of x is 3 wide, but 2"),
        ([Width(4), Linear(W, None)], ShapeError, "4 values arrive"),
        ([Linear(W, None), Width(4, "reshape")], ShapeError, "reshape of x is 4 wide"),
        ([Apply(Activation("tanh"))], NetworkError, "no linear layer"),
        ([], NetworkError, "no linear layer"),
        ([Linear(W, None), *[Apply(Activation("tanh"))] * 1001], NetworkError, "layers; at most 1000"),
        ([Affine(np.ones(5000), 0.0), Linear(W, None)], ShapeError, "5000 values arrive"),
        ([Affine(np.full(10**6, 2.0), 0.0)], NetworkError, "weights; at most"),
    ],
)
def test_steps_that_make_no_network_are_refused(steps, kind, says):
    with pytest.raises(kind, match=says):
        fold(steps, "x")
