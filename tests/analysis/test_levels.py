"""A long skip passes maps of lower resolution by; residual sums, gates and pools to one number do not."""

import numpy as np
import pytest

from engine.analysis.stages import stages
from engine.analysis.vision.levels import Skip, joined, levels, long_skips, u_blocks
from engine.network.convnet import ConvNet
from engine.network.graph import nodes


def conv(name, source, out=4, into=4, stride=1):
    return nodes.Convolution(name, (source,), np.ones((out, into, 1, 1)), stride=(stride, stride))


def relu(name, source):
    return nodes.Elementwise(name, (source,), "relu")


def pool(name, source):
    return nodes.MaxPool(name, (source,), (2, 2), (2, 2))


def up(name, source, into=4, out=4):
    return nodes.TransposedConvolution(name, (source,), np.ones((into, out, 2, 2)), stride=(2, 2))


def larger(name, source, size):
    return nodes.Resize(name, (source,), np.ones((2 * size, size)), np.ones((2 * size, size)))


START = [nodes.Input("x", (), (1, 3, 16, 16)), conv("a", "x", 4, 3), relu("ra", "a")]
UNET = [
    *START, pool("p1", "ra"), conv("b", "p1"), relu("rb", "b"), pool("p2", "rb"), conv("c", "p2"), relu("rc", "c"),
    up("u1", "rc"), nodes.Concat("j1", ("rb", "u1")), conv("d", "j1", 4, 8), relu("rd", "d"),
    up("u2", "rd"), nodes.Concat("j2", ("ra", "u2")), conv("e", "j2", 4, 8), relu("re", "e"), conv("out", "re", 2),
]  # fmt: skip
# A pyramid: a skip through a convolution of its own, to a sum; maps made smaller by strides.
PYRAMID = [
    *START, conv("b", "ra", stride=2), relu("rb", "b"), conv("c", "rb", stride=2), relu("rc", "c"),
    conv("side", "rb"), larger("u1", "rc", 4), nodes.Add("j1", ("side", "u1")), conv("out", "j1", 2),
]  # fmt: skip
RESIDUAL = [*START, conv("b", "ra", stride=2), conv("c", "b"), conv("d", "ra", stride=2), nodes.Add("s", ("c", "d"))]
GATED = [
    *START, nodes.Reduce("m", ("ra",), "mean", (2, 3)), conv("g", "m"), nodes.Elementwise("gate", ("g",), "sigmoid"),
    nodes.Multiply("scaled", ("ra", "gate")), nodes.Add("s", ("scaled", "ra")),
]  # fmt: skip
POOLED = [
    *START, nodes.Reduce("m", ("ra",), "mean", (2, 3)), nodes.Expand("wide", ("m",), (1, 4, 16, 16)),
    nodes.Concat("j", ("ra", "wide")),
]  # fmt: skip
FOUND = {
    "a U-Net": (UNET, {Skip("rb", "j1"), Skip("ra", "j2")}), "a pyramid": (PYRAMID, {Skip("rb", "j1")}),
    "a residual block": (RESIDUAL, set()), "a gate": (GATED, set()), "a pooled map": (POOLED, set()),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "wanted"), FOUND.values(), ids=FOUND)
def test_a_skip_is_long_where_it_passes_lower_resolutions_by(parts, wanted):
    assert set(long_skips(ConvNet(parts))) == wanted


def test_a_u_net_is_its_resolutions_down_and_up_and_its_skips_join_them():
    net = ConvNet(UNET)
    names = u_blocks(net)
    assert names == ("ra", "rb", "rc", "rd", "re", "out") and levels(net, names) == (0, 1, 2, 1, 0, 0)
    assert joined(net, names) == ((0, 4), (1, 3))
    # A block that a person leaves out does not take its skip with it: it begins at the block before.
    assert joined(net, ("ra", "rc", "rd", "out")) == ((0, 2), (0, 3))


def test_of_few_resolutions_the_stages_are_shown_too_and_without_skips_they_alone():
    net = ConvNet(PYRAMID)
    assert set(u_blocks(net)) == {"rb", "rc", "j1", "out", *stages(net)}
    for parts in (RESIDUAL, GATED):
        assert u_blocks(ConvNet(parts)) == ()
