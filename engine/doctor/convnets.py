"""The kernels of convolutional networks against their float64 twins."""

import numpy as np

from engine.doctor.compare import compare
from engine.gpu.channel_map import ChannelMap
from engine.kernels import convolve, dense, elementwise, forward, pool, reshape, softmax
from engine.network.activations import ANYWHERE, Activation
from engine.network.convnet import ConvNet
from engine.network.nodes import (
    Add,
    AveragePool,
    Concat,
    Convolution,
    Dense,
    Elementwise,
    Flatten,
    GlobalAveragePool,
    Input,
    MaxPool,
    Multiply,
    Softmax,
)
from engine.reference import convolve as convolve_twin
from engine.reference import dense as dense_twin
from engine.reference import elementwise as elementwise_twin
from engine.reference import forward as forward_twin
from engine.reference import pool as pool_twin
from engine.reference import reshape as reshape_twin
from engine.reference import softmax as softmax_twin


def _image(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _convolution(name, before, outputs, inputs, window=(1, 1), **more):
    """Weights that keep responses about as large as they are."""
    rng = np.random.default_rng(outputs)
    weights = rng.normal(size=(outputs, inputs, *window)) / np.sqrt(inputs * window[0] * window[1])
    return Convolution(name, (before,), weights, rng.normal(size=outputs), **more)


def _dense(name, before, outputs, inputs):
    rng = np.random.default_rng(outputs)
    return Dense(name, (before,), rng.normal(size=(outputs, inputs)) / np.sqrt(inputs), rng.normal(size=outputs))


def check_convolve():
    """Windows of all kinds by each way that this adapter has."""
    same = (1, 1, 1, 1)
    for what, node, shape in (
        ("1x1, 33 from 37 channels", _convolution("c", "i", 33, 37), (37, 9, 10)),
        ("3x3, 70 from 18", _convolution("c", "i", 70, 18, (3, 3), padding=same), (18, 17, 13)),
        ("7x7, 24 from 3", _convolution("c", "i", 24, 3, (7, 7), stride=(2, 2)), (3, 33, 41)),
        ("3x2 dilated, 6 from 5", _convolution("c", "i", 6, 5, (3, 2), dilation=(2, 3), padding=same), (5, 9, 8)),
        ("3x3 in 5 groups, 15 from 10", _convolution("c", "i", 15, 2, (3, 3), groups=5), (10, 7, 6)),
        ("3x3 of each of 37", _convolution("c", "i", 37, 1, (3, 3), groups=37), (37, 9, 8)),
    ):
        x, places = _image(*shape), ChannelMap(node.shape(shape))
        exact, bound = convolve_twin.value(node, x), convolve_twin.bounds(node, x)
        for variant in convolve.variants(node, ChannelMap(shape), places):
            yield compare(
                "convolve", f"{what} by {variant}", abs(convolve.evaluate(node, x, variant=variant) - exact), bound
            )


def check_pool():
    """Largest numbers and means, places counted up and down, with padding counted and without; a whole map."""
    window, x = ((3, 3), (2, 2), (1, 0, 1, 1)), _image(6, 14, 13)
    for what, node in (
        ("largest", MaxPool("p", ("i",), *window)),
        ("largest, counted up", MaxPool("p", ("i",), *window, ceil=True)),
        ("mean", AveragePool("p", ("i",), *window, ceil=True)),
        ("mean with padding", AveragePool("p", ("i",), *window, include_padding=True)),
        ("mean of the whole", GlobalAveragePool("p", ("i",))),
    ):
        exact, bound = pool_twin.value(node, x), pool_twin.bounds(node, x)
        # The largest of some numbers is one of them.
        yield compare("pool", what, abs(pool.evaluate(node, x) - exact), np.maximum(bound, 1e-30))


def check_dense():
    """A few outputs of many inputs, and many of few."""
    for outputs, inputs in ((10, 1030), (1000, 70)):
        node, x = _dense("fc", "i", outputs, inputs), _image(inputs, 1, 1)
        error = abs(dense.evaluate(node, x) - dense_twin.value(node, x))
        yield compare("dense", f"{outputs} from {inputs}", error, dense_twin.bounds(node, x))


def check_elementwise():
    """Every activation, a sum, a product, and channels scaled by a vector."""
    spelled = {"sine": "sine(3)", "leaky_relu": "leaky_relu(0.2)", "clipped_relu": "clipped_relu(1)"}
    a, b = _image(6, 9, 11), _image(6, 9, 11, seed=1)
    for name, rule in ANYWHERE.items():
        if rule.elementwise:
            node = Elementwise("act", ("i",), spelled.get(name, name))
            error = abs(elementwise.evaluate(node, a) - elementwise_twin.value(node, a))
            yield compare("elementwise", str(node.activation), error, elementwise_twin.bounds(node, a))
    for what, kind, other in (("sum", Add, b), ("product", Multiply, b), ("scaled", Multiply, _image(6, 1, 1))):
        both = kind(what, ("a", "b"))
        error = abs(elementwise.evaluate(both, a, other) - elementwise_twin.value(both, a, other))
        yield compare("elementwise", what, error, elementwise_twin.bounds(both, a, other))


def check_reshape():
    """Maps joined at channels that are no multiple of four, and made a vector."""
    for what, node, maps in (
        ("5, 6 and 8 channels joined", Concat("join", ("a", "b", "c")), [_image(n, 4, 5, seed=n) for n in (5, 6, 8)]),
        ("7 channels as one vector", Flatten("flat", ("a",)), [_image(7, 4, 5)]),
    ):
        # Numbers are moved, not computed.
        yield compare("reshape", what, abs(reshape.evaluate(node, *maps) - reshape_twin.value(node, *maps)), 1e-30)


def check_softmax():
    """Many channels at one place, and some at many."""
    for shape in ((1000, 1, 1), (6, 9, 11)):
        x = 5 * _image(*shape)
        what = f"{shape[0]} channels at {shape[1] * shape[2]} places"
        yield compare("softmax", what, abs(softmax.evaluate(x) - softmax_twin.value(x)), softmax_twin.bounds(x))


def check_forward():
    """A small network with what SqueezeNet, residual networks and EfficientNet are made of, step by step."""
    net, pad = _network(), "of the inputs it found"
    x = _image(*net.input_shape)
    run = forward.Forward(net)
    found = run.run(x)
    for name, exact, bound in forward_twin.steps(net, found, run.shared):
        yield compare("forward", f"{name} {pad}", abs(found[name] - exact), np.maximum(bound, 1e-30))


def _network():
    same, relu = (1, 1, 1, 1), Activation("relu")
    return ConvNet(
        [
            Input("image", (), (3, 31, 29)),
            _convolution("conv", "image", 18, 3, (7, 7), stride=(2, 2)),
            Elementwise("conv relu", ("conv",), relu),
            MaxPool("pool", ("conv relu",), (3, 3), (2, 2), ceil=True),
            _convolution("narrow", "pool", 8, 18),
            Elementwise("narrow relu", ("narrow",), relu),
            _convolution("wide 1x1", "narrow relu", 12, 8),
            _convolution("wide 3x3", "narrow relu", 7, 8, (3, 3), padding=same),
            Concat("joined", ("wide 1x1", "wide 3x3")),
            Elementwise("joined relu", ("joined",), relu),
            _convolution("each", "joined relu", 19, 1, (3, 3), padding=same, groups=19),
            Add("sum", ("each", "joined relu")),
            GlobalAveragePool("squeezed", ("sum",)),
            _convolution("excited", "squeezed", 19, 19),
            Elementwise("gate", ("excited",), Activation("sigmoid")),
            Multiply("gated", ("sum", "gate")),
            GlobalAveragePool("mean", ("gated",)),
            Flatten("flat", ("mean",)),
            _dense("scores", "flat", 10, 19),
            Softmax("shares", ("scores",)),
        ],
        preprocess=False,
    )


CHECKS = {
    "convolve": check_convolve,
    "pool": check_pool,
    "dense": check_dense,
    "elementwise": check_elementwise,
    "reshape": check_reshape,
    "softmax": check_softmax,
    "forward": check_forward,
}
