"""The kernels of convolutional networks against their float64 twins; checks as in engine.doctor.networks."""

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from engine.doctor.compare import Row
from engine.gpu.channel_map import ChannelMap
from engine.gpu.layout.stored import evaluate
from engine.network.activations import ACTIVATIONS, Activation
from engine.network.convnet import ConvNet
from engine.network.graph import nodes

SAME = (1, 1, 1, 1)
SPELLED = {"sine": "sine(3)", "leaky_relu": "leaky_relu(0.2)", "clipped_relu": "clipped_relu(1)"}


def _image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, *shape)).astype(np.float32)


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


def _nodes(kernel: ModuleType, twin: ModuleType, cases: Iterable[tuple], *, maps: bool = True) -> Iterator[Row]:
    """Rows of cases (what, node, its inputs); maps: whether the kernel takes them as maps."""
    for what, node, *arrays in cases:
        error = abs(evaluate(kernel.steps, node, *arrays, maps=maps) - twin.value(node, *arrays))
        # Numbers that are only moved, and the largest of some, are exact.
        yield what, error, np.maximum(twin.bounds(node, *arrays), 1e-30)


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
        for variant in kernel.variants(node, ChannelMap(shape), ChannelMap(exact.shape[1:])):
            yield f"{what} by {variant}", abs(evaluate(kernel.steps, node, x, variant=variant) - exact), bound


def check_pool(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Largest numbers and means, places counted up and down, with padding counted and without; a whole map."""
    window, x = (("i",), (3, 3), (2, 2), (1, 0, 1, 1)), _image(6, 14, 13)
    return _nodes(kernel, twin, [
        ("largest", nodes.MaxPool("p", *window), x),
        ("largest, counted up", nodes.MaxPool("p", *window, ceil=True), x),
        ("mean", nodes.AveragePool("p", *window, ceil=True), x),
        ("mean with padding", nodes.AveragePool("p", *window, include_padding=True), x),
        ("mean of the whole", nodes.Reduce("p", ("i",), "mean", (2, 3)), x),
    ])  # fmt: skip


def check_dense(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """A few outputs of many inputs, and many of few."""
    sizes = ((10, 1030), (1000, 70))
    return _nodes(kernel, twin, [(f"{m} from {n}", _dense("i", m, n), _image(n)) for m, n in sizes])


def check_elementwise(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Every activation that has a value everywhere, a sum, a product, and channels scaled by a vector."""
    a, b = _image(6, 9, 11), _image(6, 9, 11, seed=1)
    each = [Activation.parse(SPELLED.get(n, n)) for n, rule in ACTIVATIONS.items() if rule.elementwise]
    each = [activation for activation in each if not activation.unbounded]
    return _nodes(kernel, twin, [
        *((str(activation), nodes.Elementwise("act", ("i",), activation), a) for activation in each),
        ("sum", nodes.Add("sum", ("a", "b")), a, b),
        ("product", nodes.Multiply("product", ("a", "b")), a, b),
        ("scaled", nodes.Multiply("scaled", ("a", "b")), a, _image(6, 1, 1)),
    ])  # fmt: skip


def check_transposed(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Windows that fit together, overlap and leave gaps; channels in groups."""
    rng = np.random.default_rng(3)
    even, uneven = rng.normal(size=(5, 6, 2, 2)), rng.normal(size=(4, 3, 4, 3))
    cut: dict[str, Any] = {"padding": (1, 1, 0, -1), "groups": 2}
    return _nodes(kernel, twin, [
        ("2x2 by 2", nodes.TransposedConvolution("t", ("i",), even, stride=(2, 2)), _image(5, 4, 6)),
        ("4x3 by 2x3 in 2 groups", nodes.TransposedConvolution("t", ("i",), uneven, rng.normal(size=6), (2, 3), **cut),
         _image(4, 5, 3)),
    ])  # fmt: skip


def check_resize(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Rows and columns as sums of two and of three neighbours."""
    rows, columns = np.zeros((9, 4)), np.zeros((3, 7))
    for weights, count in ((rows, 2), (columns, 3)):
        for i, row in enumerate(weights):
            first = i * (len(row) - count) // max(len(weights) - 1, 1)
            row[first : first + count] = np.arange(1, count + 1) / 7
    return _nodes(kernel, twin, [("to 9 x 3", nodes.Resize("r", ("i",), rows, columns), _image(6, 4, 7))])


def check_softmax(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Many channels at one place, and some at many; along other axes, and logarithms."""
    node, shapes = nodes.Softmax("softmax", ("i",)), ((1000, 1, 1), (6, 9, 11))
    for c, h, w in shapes:
        yield from _nodes(kernel, twin, [(f"{c} channels at {h * w} places", node, 5 * _image(c, h, w))])
    for axis, log in ((2, False), (3, True)):
        node, x = nodes.Softmax("softmax", ("i",), axis, log), 5 * _image(3, 70, 40)
        error = abs(evaluate(kernel.along_steps, node, x, maps=False) - twin.value(node, x))
        yield f"along axis {axis}{', logarithm' * log}", error, twin.bounds(node, x)


def check_broadcast(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Every function of two arrays, of which one is repeated; of one with constants; of three."""
    a, b = _image(6, 9, 11), _image(1, 9, 1, seed=1)
    binary = (nodes.Add, nodes.Subtract, nodes.Multiply, nodes.Divide, nodes.Maximum, nodes.Minimum)
    return _nodes(kernel, twin, [
        *((kind.kind, kind("n", ("a", "b")), a, b) for kind in binary),
        ("power", nodes.Power("n", ("a", "b")), abs(a), b),
        ("less", nodes.Compare("n", ("a", "b"), "<"), a, b),
        ("where", nodes.Where("n", ("a", "b", "c")), (a > 0).astype(np.float32), b, a),
        ("affine", nodes.Affine("n", ("a",), _image(6, 1, 1)[0], np.full(1, 0.1)), a),
        ("prelu", nodes.Prelu("n", ("a",), _image(6, 1, 1)[0]), a),
        ("whole numbers", nodes.Cast("n", ("a",), "int"), 5 * a),
        ("gelu", nodes.Elementwise("n", ("a",), Activation("gelu")), a),
    ], maps=False)  # fmt: skip


def check_move(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Axes in another order, cut, joined, repeated, picked and padded."""
    x = _image(6, 9, 11)
    return _nodes(kernel, twin, [
        ("transposed", nodes.Transpose("m", ("a",), (0, 3, 1, 2)), x),
        ("cut", nodes.Slice("m", ("a",), (0, 5, 0, 1), (1, 3, 9, 5), (1, -2, 1, 2)), x),
        ("joined", nodes.Concat("m", ("a", "b"), 2), x, _image(6, 4, 11)),
        ("repeated", nodes.Expand("m", ("a",), (2, 6, 9, 11)), x),
        ("picked", nodes.Gather("m", ("a",), np.array([[3, 0], [-1, 2]]), 1), x),
        ("padded", nodes.Pad("m", ("a",), (0, 0, 2, -1), (0, 1, 0, 3), mode="edge"), x),
    ], maps=False)  # fmt: skip


def check_matmul(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Several matrices, and one with several, by each variant."""
    node = nodes.MatMul("m", ("a", "b"))
    for what, a, b in (
        ("3 of 37 x 70 by 70 x 33", _image(3, 37, 70), _image(3, 70, 33, seed=1)),
        ("4 of 5 x 6 by one", _image(4, 5, 6), _image(6, 7)[0]),
    ):
        for variant in kernel.VARIANTS:
            found = evaluate(kernel.steps, node, a, b, maps=False, variant=variant)
            yield f"{what} by {variant}", abs(found - twin.value(node, a, b)), twin.bounds(node, a, b)


def check_normalise(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Layer, group, instance and root mean square norms; neighbouring channels of a map."""
    gain, bias = np.random.default_rng(2).normal(size=(2, 6, 1, 1))
    yield from _nodes(kernel, twin, [
        ("layer norm", nodes.Normalise("n", ("a",), np.ones(70), np.zeros(70), (-1,)), _image(9, 70)),
        ("group norm", nodes.Normalise("n", ("a",), gain, bias, groups=2), _image(6, 31, 29)),
        ("instance norm", nodes.Normalise("n", ("a",), gain, bias, (2, 3)), _image(6, 9, 11)),
        ("root mean square", nodes.Normalise("n", ("a",), np.ones(7), np.zeros(7), (-1,), centred=False), _image(9, 7)),
    ], maps=False)  # fmt: skip
    node, x = nodes.LocalNormalise("n", ("a",), 5, 0.1), _image(6, 9, 11)
    yield (
        "neighbouring channels",
        abs(evaluate(kernel.local_steps, node, x) - twin.value(node, x)),
        twin.bounds(node, x),
    )


def check_reduce(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Every function along some axes, few numbers and many."""
    x = _image(6, 31, 29)
    functions = ("mean", "sum", "max", "min", "product")
    return _nodes(kernel, twin, [
        *((name, nodes.Reduce("r", ("a",), name, (1,), False), x) for name in functions),
        ("mean of all", nodes.Reduce("r", ("a",), "mean", (1, 2, 3)), x),
    ], maps=False)  # fmt: skip


def check_forward(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Small networks with what SqueezeNet, EfficientNet and transformers are made of, step by step."""
    for net in (_network(), _transformer()):
        run = kernel.Forward(net)
        found = run.run(np.random.default_rng(0).normal(size=net.input_shape).astype(np.float32))
        for name, exact, bound in twin.steps(net, found, run.shared):
            yield f"{name} of the inputs it found", abs(found[name] - exact), np.maximum(bound, 1e-30)


def _transformer() -> ConvNet:
    rng = np.random.default_rng(6)

    def dense(name, before, outputs, inputs):
        return nodes.Dense(
            name, (before,), rng.normal(size=(outputs, inputs)) / np.sqrt(inputs), rng.normal(size=outputs)
        )

    return ConvNet(
        [
            nodes.Input("picture", (), (1, 3, 8, 8)),
            _convolution("picture", 12, 3, (2, 2), name="patches", stride=(2, 2)),
            nodes.Reshape("rows", ("patches",), (1, 12, 16)),
            nodes.Transpose("tokens", ("rows",), (0, 2, 1)),
            nodes.Normalise("norm", ("tokens",), rng.normal(size=12), rng.normal(size=12), (-1,)),
            dense("queries", "norm", 36, 12),
            nodes.Reshape("split", ("queries",), (1, 16, 3, 2, 6)),
            nodes.Transpose("heads", ("split",), (2, 0, 3, 1, 4)),
            *(nodes.Gather(name, ("heads",), np.array(i)) for i, name in enumerate("qkv")),
            nodes.Transpose("k turned", ("k",), (0, 1, 3, 2)),
            nodes.MatMul("products", ("q", "k turned")),
            nodes.Softmax("attention", ("products",), -1),
            nodes.MatMul("seen", ("attention", "v")),
            nodes.Transpose("seen turned", ("seen",), (0, 2, 1, 3)),
            nodes.Reshape("seen joined", ("seen turned",), (1, 16, 12)),
            dense("mixed", "seen joined", 12, 12),
            nodes.Add("sum of tokens", ("tokens", "mixed")),
            nodes.Reduce("mean of tokens", ("sum of tokens",), "mean", (1,), False),
            dense("scores", "mean of tokens", 5, 12),
        ],
        preprocess=False,
    )


def _network() -> ConvNet:
    relu = Activation("relu")
    return ConvNet(
        [
            nodes.Input("image", (), (1, 3, 31, 29)),
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
            nodes.Reduce("squeezed", ("sum",), "mean", (2, 3)),
            _convolution("squeezed", 19, 19, name="excited"),
            nodes.Elementwise("gate", ("excited",), Activation("sigmoid")),
            nodes.Multiply("gated", ("sum", "gate")),
            nodes.Reduce("mean", ("gated",), "mean", (2, 3)),
            nodes.Reshape("flat", ("mean",), (1, 19)),
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
    "transposed": check_transposed,
    "resize": check_resize,
    "softmax": check_softmax,
    "broadcast": check_broadcast,
    "move": check_move,
    "matmul": check_matmul,
    "normalise": check_normalise,
    "reduce": check_reduce,
    "forward": check_forward,
}
