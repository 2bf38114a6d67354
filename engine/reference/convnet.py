"""Every node's output in a convolutional network, in float64: the twin of the kernels that run one."""

from collections.abc import Callable, Iterator, Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import ShapeError
from engine.network import nodes
from engine.network.activations import Activation
from engine.network.convnet import ConvNet


def forward(net: ConvNet, image: ArrayLike) -> dict[str, np.ndarray]:
    """The responses of all nodes to an image. Raises ShapeError for an image of another shape.

    image    (C, H, W), as `net.preprocess` gives it
    returns  {node name: (C, H, W) float64}
    """
    x = np.asarray(image, float)
    if x.shape != net.input_shape:
        raise ShapeError(f"An image is {x.shape}, but {net} needs {net.input_shape}.")
    found = {net.nodes[0].name: x}
    for node in net.nodes[1:]:
        found[node.name] = value(node, *(found[key] for key in node.inputs))
    return found


def value(node: nodes.GraphNode, *maps: ArrayLike, activation: Activation | None = None) -> np.ndarray:
    """One node's output for its inputs, (C, H, W) each, then an activation if one is given; float64."""
    z = VALUES[type(node)](node, *(np.asarray(x, float) for x in maps))
    return z if activation is None else activation.value(z)


def places(windows: nodes.Windows, shape: Sequence[int], padded: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """For each element of a window: (row, column, the (C, rows, columns) values that all windows have there).

    padded   the map with its padding, extended as far as the last windows reach
    """
    rows, columns = (window.count(length) for window, length in zip(windows, shape[1:], strict=True))
    down, right = windows
    for i in range(down.size):
        for j in range(right.size):
            top, left = i * down.dilation, j * right.dilation
            yield (
                i,
                j,
                padded[:, top :: down.stride, left :: right.stride][:, :rows, :columns],
            )


def padded(windows: nodes.Windows, x: np.ndarray, filling: float) -> np.ndarray:
    """A map with its padding, extended where a window of an output size rounded up reaches past it."""
    pads = [(0, 0)]
    for window, length in zip(windows, x.shape[1:], strict=True):
        reach = (window.count(length) - 1) * window.stride + window.extent
        pads.append((window.before, max(window.after, reach - window.before - length)))
    return np.pad(x, pads, constant_values=filling)


def _convolution(node, x):
    windows, groups = node.windows(), node.groups
    out, rows, columns = node.shape(x.shape)
    # (kh, kw, groups, outputs of each, inputs of each), in this order in memory too: numpy multiplies such much faster.
    weights = node.weights.astype(float).reshape(groups, out // groups, *node.weights.shape[1:])
    weights = np.ascontiguousarray(weights.transpose(3, 4, 0, 1, 2))
    y = np.zeros((groups, out // groups, rows * columns))
    # A sum of matrix products, one for each element of the window.
    for i, j, seen in places(windows, x.shape, padded(windows, x, 0.0)):
        y += weights[i, j] @ seen.reshape(groups, -1, rows * columns)
    return y.reshape(out, rows, columns) + node.bias.astype(float)[:, None, None]


def _max_pool(node, x):
    windows = node.windows()
    y = np.full(node.shape(x.shape), -np.inf)
    for _, _, seen in places(windows, x.shape, padded(windows, x, -np.inf)):
        np.maximum(y, seen, out=y)
    return y


def _average_pool(node, x):
    windows = node.windows()
    y = np.zeros(node.shape(x.shape))
    for _, _, seen in places(windows, x.shape, padded(windows, x, 0.0)):
        y += seen
    down, right = (
        window.shares(length) if node.include_padding else window.seen(length)
        for window, length in zip(windows, x.shape[1:], strict=True)
    )
    return y / np.outer(down, right)


def _softmax(node, x):
    e = np.exp(x - x.max(axis=0))
    return e / e.sum(axis=0)


VALUES: dict[type[nodes.GraphNode], Callable[..., np.ndarray]] = {
    nodes.Convolution: _convolution,
    nodes.Elementwise: lambda node, x: node.activation.value(x),
    nodes.MaxPool: _max_pool,
    nodes.AveragePool: _average_pool,
    nodes.GlobalAveragePool: lambda node, x: x.mean(axis=(1, 2), keepdims=True),
    nodes.Concat: lambda node, *maps: np.concatenate(maps),
    nodes.Add: lambda node, a, b: a + b,
    nodes.Multiply: lambda node, a, b: a * b,
    nodes.Flatten: lambda node, x: x.reshape(prod(x.shape), 1, 1),
    nodes.Dense: lambda node, x: (node.weights.astype(float) @ x[:, 0, 0] + node.bias)[:, None, None],
    nodes.Softmax: _softmax,
}
