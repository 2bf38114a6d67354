"""Nodes that slide a window over maps (1, C, H, W): convolutions, pools, resizing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import ShapeError
from engine.network.graph.nodes.base import Dims, GraphNode, Weighted, Windows, size_of, whole
from engine.network.mlp import real
from engine.network.windows import Window


def _map(inputs):
    """The one shape of a map."""
    if len(inputs[0]) != 4:
        raise ShapeError(f"it works on maps (1, C, H, W), but {inputs[0]} comes")
    return inputs[0]


@dataclass(frozen=True, eq=False)
class Convolution(Weighted):
    """bias + sum of weights x inputs over a window, a correlation as in torch.nn.Conv2d.

    weights    (O, I / groups, kh, kw), float32, read-only
    bias       (O,), float32, read-only; None for zeros
    stride     (rows, columns), dilation alike
    padding    zeros at (top, left, bottom, right)
    groups     number of groups of output channels, each of which sees its own part of the input channels
    """

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    kind = "convolution"
    axes = ("O", "I / groups", "rows", "columns")

    def check(self) -> None:
        super().check()
        self.put(stride=whole("stride", self.stride, 2, 1), padding=whole("padding", self.padding, 4))
        self.put(dilation=whole("dilation", self.dilation, 2, 1), groups=whole("groups", (self.groups,), 1, 1)[0])
        if len(self.weights) % self.groups:
            raise ShapeError(f"its {len(self.weights)} output channels cannot be cut into {self.groups} groups")

    def window(self) -> Windows:
        """(rows, columns): the Windows that slide over its input."""
        rows, columns = (
            Window(self.weights.shape[2 + i], self.stride[i], self.padding[i], self.padding[2 + i], self.dilation[i])
            for i in (0, 1)
        )
        return rows, columns

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        return (self.window(),)

    def shape(self, *inputs: Dims) -> Dims:
        batch, channels, *size = _map(inputs)
        wanted = self.weights.shape[1] * self.groups
        if channels != wanted:
            groups = f" in {self.groups} groups" if self.groups > 1 else ""
            raise ShapeError(f"its weights {self.weights.shape}{groups} need {wanted} channels, but {channels} come")
        return batch, len(self.weights), *slid(self.window(), size)

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        x, groups = inputs[0], self.groups
        batch, out, rows, columns = self.shape(x.shape)
        # (kh, kw, groups, outputs of each, inputs of each), in memory too: numpy multiplies such much faster.
        weights = self.weights.astype(float).reshape(groups, out // groups, *self.weights.shape[1:])
        weights = np.ascontiguousarray(weights.transpose(3, 4, 0, 1, 2))
        y = np.zeros((batch, groups, out // groups, rows * columns))
        # A sum of matrix products, one for each element of the window.
        for i, j, seen in places(self.window(), x.shape, padded(self.window(), x, 0.0)):
            y += weights[i, j] @ seen.reshape(batch, groups, -1, rows * columns)
        return y.reshape(batch, out, rows, columns) + self.bias.astype(float)[:, None, None]

    def work(self, *inputs: Dims) -> int:
        return size_of(self.shape(*inputs)[2:]) * self.weights.size


@dataclass(frozen=True, eq=False)
class TransposedConvolution(Weighted):
    """Each input spreads its weights over a window of the output, as in torch.nn.ConvTranspose2d.

    weights    (I, O / groups, kh, kw), float32, read-only
    bias       (O,), float32, read-only; None for zeros
    stride     (rows, columns) between the windows of neighbouring inputs; dilation as in Convolution
    padding    how much of the output is cut off at (top, left, bottom, right); negative: zeros (and bias) are added
    groups     as in Convolution
    """

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    kind = "transposed convolution"
    axes = ("I", "O / groups", "rows", "columns")

    def check(self) -> None:
        self.put(groups=whole("groups", (self.groups,), 1, 1)[0])
        super().check()
        self.put(stride=whole("stride", self.stride, 2, 1), dilation=whole("dilation", self.dilation, 2, 1))
        self.put(padding=whole("padding", self.padding, 4, -(1 << 20)))
        if len(self.weights) % self.groups:
            raise ShapeError(f"its {len(self.weights)} input channels cannot be cut into {self.groups} groups")

    def outputs(self, weights: np.ndarray) -> int:
        return weights.shape[1] * self.groups

    def shape(self, *inputs: Dims) -> Dims:
        batch, channels, *size = _map(inputs)
        if channels != len(self.weights):
            raise ShapeError(f"its weights {self.weights.shape} need {len(self.weights)} channels, but {channels} come")
        found = []
        for i, n in enumerate(size):
            extent = (self.weights.shape[2 + i] - 1) * self.dilation[i] + 1
            found.append((n - 1) * self.stride[i] + extent - self.padding[i] - self.padding[2 + i])
        if min(found) < 1:
            raise ShapeError(f"its padding {self.padding} leaves nothing of its output")
        return batch, len(self.bias), *found

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        x, groups = inputs[0], self.groups
        batch, out, rows, columns = self.shape(x.shape)
        top, left, bottom, right = self.padding
        y = np.zeros((batch, out, rows + top + bottom, columns + left + right))
        weights = self.weights.astype(float).reshape(groups, -1, *self.weights.shape[1:])
        seen = x.reshape(batch, groups, -1, x.shape[2] * x.shape[3])
        (down, across), (height, width) = self.stride, x.shape[2:]
        for i in range(self.weights.shape[2]):
            for j in range(self.weights.shape[3]):
                part = weights[:, :, :, i, j].transpose(0, 2, 1) @ seen
                a, b = i * self.dilation[0], j * self.dilation[1]
                y[:, :, a : a + down * height : down, b : b + across * width : across][:, :, :height, :width] += (
                    part.reshape(batch, out, height, width)
                )
        ends = [(max(-top, 0), max(-bottom, 0)), (max(-left, 0), max(-right, 0))]
        y = np.pad(y, [(0, 0), (0, 0), *ends])
        y = y[:, :, max(top, 0) :, max(left, 0) :][:, :, :rows, :columns]
        return y + self.bias.astype(float)[:, None, None]

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        made = []
        for i, (size, dilation, up) in enumerate(zip(self.weights.shape[2:], self.dilation, self.stride, strict=True)):
            # With a stride of 1 it is a convolution whose window is turned round.
            before = self.padding[i] if up > 1 else (size - 1) * dilation - self.padding[i]
            made.append(Window(size, 1, before, 0, dilation, up=up))
        return ((made[0], made[1]),)

    def work(self, *inputs: Dims) -> int:
        return size_of(inputs[0][2:]) * self.weights.size


@dataclass(frozen=True, eq=False)
class Pool(GraphNode):
    """A window of which one number is made; fields of MaxPool and AveragePool.

    size, stride    (rows, columns); dilation alike
    padding         (top, left, bottom, right)
    ceil            True: the number of places is rounded up, see Window
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    ceil: bool = False
    dilation: tuple[int, int] = (1, 1)

    def check(self) -> None:
        self.put(size=whole("size", self.size, 2, 1), stride=whole("stride", self.stride, 2, 1))
        self.put(padding=whole("padding", self.padding, 4), dilation=whole("dilation", self.dilation, 2, 1))
        extents = [window.extent for window in self.window()]
        if any(p >= extents[i % 2] for i, p in enumerate(self.padding)):
            # This guarantees that every place sees at least one number of its input.
            raise ShapeError(f"its padding {self.padding} must be less than its window {self.size}")

    def window(self) -> Windows:
        """(rows, columns): the Windows that slide over its input."""
        rows, columns = (
            Window(self.size[i], self.stride[i], self.padding[i], self.padding[2 + i], self.dilation[i], self.ceil)
            for i in (0, 1)
        )
        return rows, columns

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        return (self.window(),)

    def shape(self, *inputs: Dims) -> Dims:
        batch, channels, *size = _map(inputs)
        return batch, channels, *slid(self.window(), size)


@dataclass(frozen=True, eq=False)
class MaxPool(Pool):
    """The largest number in each window; padding counts as minus infinity."""

    kind = "max pool"

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        y = np.full(self.shape(inputs[0].shape), -np.inf)
        for _, _, seen in places(self.window(), inputs[0].shape, padded(self.window(), inputs[0], -np.inf)):
            np.maximum(y, seen, out=y)
        return y


@dataclass(frozen=True, eq=False)
class AveragePool(Pool):
    """The mean of each window.

    include_padding   True: padding counts as zeros (Window.shares); False: it is left out of the mean (Window.seen)
    """

    include_padding: bool = False
    kind = "average pool"

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        x, window = inputs[0], self.window()
        y = np.zeros(self.shape(x.shape))
        for _, _, seen in places(window, x.shape, padded(window, x, 0.0)):
            y += seen
        return y / np.outer(*self.divisors(x.shape))

    def divisors(self, dims: Dims) -> tuple[np.ndarray, np.ndarray]:
        """(rows, columns): by the product of their numbers the sum at each place is divided."""
        down, right = (
            window.shares(length) if self.include_padding else window.seen(length)
            for window, length in zip(self.window(), dims[2:], strict=True)
        )
        return down, right


@dataclass(frozen=True, eq=False)
class Resize(GraphNode):
    """A map of another size: each new row is a weighted sum of old rows, and columns alike.

    rows      (new height, old height) float32; mostly zeros. columns alike
    mode      how it was made, for people: nearest, linear, cubic, area
    """

    rows: np.ndarray
    columns: np.ndarray
    mode: str = "linear"
    kind = "resize"

    def check(self) -> None:
        self.put(rows=np.asarray(real(self.rows), np.float32), columns=np.asarray(real(self.columns), np.float32))

    def shape(self, *inputs: Dims) -> Dims:
        batch, channels, *size = _map(inputs)
        if (self.rows.shape[1], self.columns.shape[1]) != tuple(size):
            raise ShapeError(f"it resizes {(self.rows.shape[1], self.columns.shape[1])}, but {tuple(size)} comes")
        return batch, channels, len(self.rows), len(self.columns)

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return self.rows.astype(float) @ inputs[0] @ self.columns.T.astype(float)

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        return (None,)

    def work(self, *inputs: Dims) -> int:
        taps = np.count_nonzero(self.rows) * np.count_nonzero(self.columns)
        return inputs[0][1] * int(taps)


@dataclass(frozen=True, eq=False)
class LocalNormalise(GraphNode):
    """x / (bias + alpha / size sum)^beta, of the squares in `size` neighbouring channels (Krizhevsky et al. 2012)."""

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    bias: float = 1.0
    kind = "local normalise"

    def check(self) -> None:
        self.put(size=whole("size", (self.size,), 1, 1)[0])

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        before = (self.size - 1) // 2
        ends = [(0, 0)] * x.ndim
        ends[1] = (before, self.size - 1 - before)
        squares = np.pad(x * x, ends)
        total = sum(squares[:, k : k + x.shape[1]] for k in range(self.size))
        return x / (self.bias + self.alpha / self.size * total) ** self.beta


def slid(windows: Windows, size: Sequence[int]) -> tuple[int, int]:
    """(rows, columns) of the places of windows on a map of this size."""
    rows, columns = (window.count(length) for window, length in zip(windows, size, strict=True))
    return rows, columns


def places(windows: Windows, dims: Dims, padded: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """For each element of a window: (row, column, the (N, C, rows, columns) values that all windows have there).

    padded   the map with its padding, extended as far as the last windows reach
    """
    rows, columns = slid(windows, dims[2:])
    down, right = windows
    for i in range(down.size):
        for j in range(right.size):
            top, left = i * down.dilation, j * right.dilation
            yield i, j, padded[..., top :: down.stride, left :: right.stride][..., :rows, :columns]


def padded(windows: Windows, x: np.ndarray, filling: float) -> np.ndarray:
    """A map with its padding, extended where a window of an output size rounded up reaches past it."""
    pads = [(0, 0), (0, 0)]
    for window, length in zip(windows, x.shape[2:], strict=True):
        reach = (window.count(length) - 1) * window.stride + window.extent
        pads.append((window.before, max(window.after, reach - window.before - length)))
    return np.pad(x, pads, constant_values=filling)
