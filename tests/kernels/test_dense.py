"""The kernel `dense` against its float64 twin."""

import numpy as np
import pytest

from engine.errors import NetworkError
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.gpu.kernel import Dispatch
from engine.gpu.layout.stored import evaluate
from engine.kernels import dense
from engine.network.activations import Activation
from engine.network.graph.nodes import Dense
from engine.reference import dense as twin
from tests.network.every_activation import SOME


def layer(outputs, inputs, seed=0):
    rng = np.random.default_rng(seed)
    return Dense("fc", ("image",), rng.normal(size=(outputs, inputs)) / np.sqrt(inputs), rng.normal(size=outputs))


def vector(count, seed=1):
    return np.random.default_rng(seed).normal(size=(1, count)).astype(np.float32)


# One number; neither a multiple of four; fewer inputs than there are shares, and more than one
# iteration of them all; more outputs than a workgroup takes; more inputs than a row of an image.
@pytest.mark.parametrize(
    "outputs, inputs", [(1, 1), (3, 10), (10, 1030), (37, 65), (1000, 512), (33, 4097), (5, 40001)]
)
def test_every_size_is_the_twins(outputs, inputs):
    node, x = layer(outputs, inputs), vector(inputs)
    for variant in ("rows", "shares"):
        found = evaluate(dense.steps, node, x, variant=variant)
        _is_the_twins(found, node, x)


def _is_the_twins(found, node, x):
    outputs = len(node.bias)
    assert found.shape == (1, outputs) and found.dtype == np.float32
    assert (abs(found - twin.value(node, x)) <= twin.bounds(node, x)).all()


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_every_activation_is_the_twins(activation):
    node, x = layer(6, 9), vector(9)
    found = evaluate(dense.steps, node, x, activation=activation)
    assert (
        abs(found - twin.value(node, x, activation=activation)) <= twin.bounds(node, x, activation=activation)
    ).all()


def test_the_last_group_of_four_is_filled_with_zeros():
    node, source, kept = layer(6, 3), ChannelMap((3, 1, 1)), ChannelMap((6, 1, 1))
    source.write(vector(3).reshape(3, 1, 1))
    with device().recording() as encoder:
        for step in dense.steps(node, [source], kept, Activation("sigmoid")):
            step.record(encoder)
    assert (kept.array.read()[:6] > 0).all() and (kept.array.read()[6:] == 0).all()


@pytest.mark.parametrize("variant, outputs, count", [("shares", 98, 4), ("rows", 4100, 3)])
def test_weights_of_more_than_one_binding_lie_in_several(monkeypatch, variant, outputs, count):
    # 8 groups of outputs of 20 inputs are 2688 bytes: four arrays for 25 groups. An image takes 2048 outputs.
    monkeypatch.setitem(device().limits, "max-storage-buffer-binding-size", 3000 if variant == "shares" else 1 << 27)
    monkeypatch.setitem(device().limits, "max-texture-dimension-2d", 2049)
    rng = np.random.default_rng(2)
    node = Dense("fc", ("image",), rng.integers(-9, 10, (outputs, 20)), rng.integers(-9, 10, outputs))
    x = rng.integers(-9, 10, (1, 20)).astype(np.float32)
    source, kept = ChannelMap((20, 1, 1)), ChannelMap((outputs, 1, 1))
    assert sum(isinstance(s, Dispatch) for s in dense.steps(node, [source], kept, variant=variant)) == count
    # Whole numbers below 2^24: no order of summing rounds.
    assert np.array_equal(evaluate(dense.steps, node, x, variant=variant), twin.value(node, x))


def test_more_inputs_than_a_loop_takes_are_refused(monkeypatch):
    monkeypatch.setattr(dense, "MOST_INPUTS", 8)
    with pytest.raises(NetworkError, match="`fc` takes 9 numbers; at most 8"):
        evaluate(dense.steps, layer(2, 9), vector(9))
