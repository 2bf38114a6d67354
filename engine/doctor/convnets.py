"""The kernels of convolutional networks against their float64 twins; checks as in engine.doctor.networks."""

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from engine.doctor.compare import Row
from engine.gpu.channel_map import ChannelMap, evaluate
from engine.network import nodes
from engine.network.activations import ANYWHERE, Activation
from engine.network.convnet import ConvNet

SAME = (1, 1, 1, 1)
SPELLED = {"sine": "sine(3)", "leaky_relu": "leaky_relu(0.2)", "clipped_relu": "clipped_relu(1)"}


def _image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _convolution(
    before: str, outputs: int, inputs: int, window: tuple[int, int] = (1, 1), *, name: str = "c", **more: Any
) -> nodes.Convolution:
    """A convolution whose outputs are about as large as its inputs."""
    rng = np.random.default_rng(outputs)
    weights = rng.normal(size=(outputs, inputs, *window)) / np.sqrt(inputs * window[0] * window[1])
    return nodes.Convolution(name, (before,), weights, rng.normal(size=outputs), **more)


def _dense(before: str, outputs: int, inputs: int) -> nodes.Dense:
    rng = np.random.default_rng(outputs)
    return nodes.Dense("fc", (before,), rng.normal(size=(outputs, inputs)) / np.sqrt(inputs), rng.normal(size=outputs))


def _nodes(kernel: ModuleType, twin: ModuleType, cases: Iterable[tuple]) -> Iterator[Row]:
    """Rows of cases (what, node, its inputs)."""
    for what, node, *maps in cases:
        error = abs(evaluate(kernel.steps, node, *maps) - twin.value(node, *maps))
        # Numbers that are only moved, and the largest of some, are exact.
        yield what, error, np.maximum(twin.bounds(node, *maps), 1e-30)


def check_convolve(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Windows of all kinds by each variant that this adapter has."""
    for what, node, shape in (
        ("1x1, 33 from 37 channels", _convolution("i", 33, 37), (37, 9, 10)),
        ("3x3, 70 from 18", _convolution("i", 70, 18, (3, 3), padding=SAME), (18, 17, 13)),
        ("7x7, 24 from 3", _convolution("i", 24, 3, (7, 7), stride=(2, 2)), (3, 33, 41)),
        ("3x2 dilated, 6 from 5", _convolution("i", 6, 5, (3, 2), dilation=(2, 3), padding=SAME), (5, 9, 8)),
        ("3x3 in 5 groups, 15 from 10", _convolution("i", 15, 2, (3, 3), groups=5), (10, 7, 6)),
        ("3x3 of each of 37", _convolution("i", 37, 1, (3, 3), groups=37), (37, 9, 8)),
    ):
        x = _image(*shape)
        exact, bound = twin.value(node, x), twin.bounds(node, x)
        for variant in kernel.variants(node, ChannelMap(shape), ChannelMap(node.shape(shape))):
            yield f"{what} by {variant}", abs(evaluate(kernel.steps, node, x, variant=variant) - exact), bound


def check_pool(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Largest numbers and means, places counted up and down, with padding counted and without; a whole map."""
    window, x = (("i",), (3, 3), (2, 2), (1, 0, 1, 1)), _image(6, 14, 13)
    return _nodes(kernel, twin, [
        ("largest", nodes.MaxPool("p", *window), x),
        ("largest, counted up", nodes.MaxPool("p", *window, ceil=True), x),
        ("mean", nodes.AveragePool("p", *window, ceil=True), x),
        ("mean with padding", nodes.AveragePool("p", *window, include_padding=True), x),
        ("mean of the whole", nodes.GlobalAveragePool("p", ("i",)), x),
    ])  # fmt: skip


def check_dense(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """A few outputs of many inputs, and many of few."""
    sizes = ((10, 1030), (1000, 70))
    return _nodes(kernel, twin, [(f"{m} from {n}", _dense("i", m, n), _image(n, 1, 1)) for m, n in sizes])


def check_elementwise(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Every activation, a sum, a product, and channels scaled by a vector."""
    a, b = _image(6, 9, 11), _image(6, 9, 11, seed=1)
    each = [Activation.parse(SPELLED.get(n, n), ANYWHERE) for n, rule in ANYWHERE.items() if rule.elementwise]
    return _nodes(kernel, twin, [
        *((str(activation), nodes.Elementwise("act", ("i",), activation), a) for activation in each),
        ("sum", nodes.Add("sum", ("a", "b")), a, b),
        ("product", nodes.Multiply("product", ("a", "b")), a, b),
        ("scaled", nodes.Multiply("scaled", ("a", "b")), a, _image(6, 1, 1)),
    ])  # fmt: skip


def check_reshape(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Maps joined at channels that are no multiple of four, and made a vector."""
    maps = [_image(n, 4, 5, seed=n) for n in (5, 6, 8)]
    return _nodes(kernel, twin, [
        ("5, 6 and 8 channels joined", nodes.Concat("join", ("a", "b", "c")), *maps),
        ("7 channels as one vector", nodes.Flatten("flat", ("a",)), _image(7, 4, 5)),
    ])  # fmt: skip


def check_softmax(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Many channels at one place, and some at many."""
    node, shapes = nodes.Softmax("softmax", ("i",)), ((1000, 1, 1), (6, 9, 11))
    return _nodes(kernel, twin, [(f"{c} channels at {h * w} places", node, 5 * _image(c, h, w)) for c, h, w in shapes])


def check_forward(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """A small network with what SqueezeNet, residual networks and EfficientNet are made of, step by step."""
    net = _network()
    run = kernel.Forward(net)
    found = run.run(_image(*net.input_shape))
    for name, exact, bound in twin.steps(net, found, run.shared):
        yield f"{name} of the inputs it found", abs(found[name] - exact), np.maximum(bound, 1e-30)


def _network() -> ConvNet:
    relu = Activation("relu")
    return ConvNet(
        [
            nodes.Input("image", (), (3, 31, 29)),
            _convolution("image", 18, 3, (7, 7), name="conv", stride=(2, 2)),
            nodes.Elementwise("conv relu", ("conv",), relu),
            nodes.MaxPool("pool", ("conv relu",), (3, 3), (2, 2), ceil=True),
            _convolution("pool", 8, 18, name="narrow"),
            nodes.Elementwise("narrow relu", ("narrow",), relu),
            _convolution("narrow relu", 12, 8, name="wide 1x1"),
            _convolution("narrow relu", 7, 8, (3, 3), name="wide 3x3", padding=SAME),
            nodes.Concat("joined", ("wide 1x1", "wide 3x3")),
            nodes.Elementwise("joined relu", ("joined",), relu),
            _convolution("joined relu", 19, 1, (3, 3), name="each", padding=SAME, groups=19),
            nodes.Add("sum", ("each", "joined relu")),
            nodes.GlobalAveragePool("squeezed", ("sum",)),
            _convolution("squeezed", 19, 19, name="excited"),
            nodes.Elementwise("gate", ("excited",), Activation("sigmoid")),
            nodes.Multiply("gated", ("sum", "gate")),
            nodes.GlobalAveragePool("mean", ("gated",)),
            nodes.Flatten("flat", ("mean",)),
            _dense("flat", 10, 19),
            nodes.Softmax("shares", ("fc",)),
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
