"""The kernel `normalise` against its float64 twin."""

import numpy as np
import pytest

from engine.errors import NetworkError
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.gpu.layout.stored import Stored, evaluate
from engine.kernels import normalise
from engine.network.graph.nodes import LocalNormalise, Normalise
from engine.network.graph.views import viewed
from engine.reference import normalise as twin

RNG = np.random.default_rng(4)


def norm(*gain, **more):
    return Normalise("norm", ("a",), RNG.normal(size=gain), RNG.normal(size=gain), **more)


def image(*shape):
    return (3 * np.random.default_rng(1).normal(size=shape) + 1).astype(np.float32)


# Few numbers, and as many as 8 and 64 invocations share; groups of channels that are fours, one, and neither.
CASES = {
    "layer norm": (norm(12, axes=(-1,)), (1, 9, 12)),
    "layer norm of many": (norm(700, axes=(-1,)), (2, 5, 700)),
    "layer norm of channels": (norm(6, 1, 1, axes=(1,)), (1, 6, 9, 7)),
    "of several axes": (norm(5, 6, axes=(-2, -1)), (3, 5, 6)),
    "group norm": (norm(8, 1, 1, groups=2), (1, 8, 33, 31)),
    "group norm of uneven channels": (norm(6, 1, 1, groups=2), (1, 6, 5, 4)),
    "instance norm": (norm(6, 1, 1, axes=(2, 3)), (1, 6, 5, 4)),
    "root mean square": (norm(12, axes=(-1,), centred=False, epsilon=1e-3), (1, 9, 12)),
    "one gain": (norm(1, axes=(-1,)), (4, 7)),
}


@pytest.mark.parametrize("name", CASES)
def test_every_norm_is_the_twins_in_every_layout(name):
    node, shape = CASES[name]
    x = image(*shape)
    exact, bound = twin.value(node, x), twin.bounds(node, x)
    sources = [Stored.of(x)]
    for last in (False, True):
        held = Stored.mapped(shape, ChannelMap.of(viewed(x, last)), last)
        sources += [held] if held.separable and normalise.along_of(node, held) else []
    assert len(sources) > 1 or name in ("group norm of uneven channels", "of several axes")
    for source in sources:
        output = Stored.new(shape)
        if source.map is not None:
            output = Stored.mapped(shape, ChannelMap(source.map.shape), source.last)
        with device().recording() as encoder:
            for step in normalise.steps(node, [source], output):
                step.record(encoder)
        assert (abs(output.read() - exact) <= bound).all()


@pytest.mark.parametrize("size", [1, 2, 5, 40])
def test_neighbouring_channels_are_the_twins(size):
    node, x = LocalNormalise("norm", ("a",), size, 0.3, 0.75, 1.5), image(1, 11, 4, 5)
    found = evaluate(normalise.local_steps, node, x)
    assert (abs(found - twin.value(node, x)) <= twin.bounds(node, x)).all()


def test_more_numbers_than_loops_take_are_refused():
    node = norm(1, axes=(-1,))
    with pytest.raises(NetworkError, match="1500000 numbers are to be taken together; at most"):
        evaluate(normalise.steps, node, np.zeros((1, 1500000)), maps=False)
