"""Layers of random weights, and a small U-Net."""

import numpy as np

from engine.network.graph import nodes


def rng(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape) / np.sqrt(np.prod(shape[1:]))


def conv(name, source, out, into, size=1, **more):
    return nodes.Convolution(name, (source,), rng(out, into, size, size), padding=(size // 2,) * 4, **more)


UNET = [
    nodes.Input("x", (), (1, 3, 16, 16)), conv("a", "x", 4, 3, 3), nodes.Elementwise("ra", ("a",), "relu"),
    nodes.MaxPool("p", ("ra",), (2, 2), (2, 2)), conv("b", "p", 6, 4, 3), nodes.Elementwise("rb", ("b",), "relu"),
    nodes.TransposedConvolution("up", ("rb",), rng(6, 4, 2, 2), stride=(2, 2)), nodes.Concat("join", ("ra", "up")),
    conv("c", "join", 5, 8, 3), nodes.Elementwise("rc", ("c",), "relu"), conv("out", "rc", 2, 5),
]  # fmt: skip
