"""Nodes in which many elements of an input meet: products, softmax, normalisations, reductions along axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import NetworkError, ShapeError
from engine.network.graph.nodes.base import Dims, GraphNode, SeesAll, Weighted, Windows, axis_of, broadcast, size_of
from engine.network.mlp import real


@dataclass(frozen=True, eq=False)
class Dense(Weighted, SeesAll):
    """weights x + bias along the last axis of x.

    weights   (O, I), float32, read-only
    bias      (O,), float32, read-only; None for zeros
    """

    kind = "dense"
    axes = ("O", "I")

    def shape(self, *inputs: Dims) -> Dims:
        if not inputs[0] or inputs[0][-1] != self.weights.shape[1]:
            raise ShapeError(f"its weights {self.weights.shape} need (..., {self.weights.shape[1]}), not {inputs[0]}")
        return (*inputs[0][:-1], len(self.weights))

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0] @ self.weights.T.astype(float) + self.bias

    def work(self, *inputs: Dims) -> int:
        return size_of(inputs[0][:-1]) * self.weights.size


class MatMul(SeesAll):
    """The matrix product of two inputs, batched and broadcast over all axes but the last two, as numpy.matmul."""

    kind = "matrix product"
    least = most = 2

    def shape(self, *inputs: Dims) -> Dims:
        a, b = inputs
        if not a or not b or a[-1] != b[-2:][0]:
            raise ShapeError(f"it multiplies {a} and {b}, which do not fit each other")
        return (*broadcast(a[:-2], b[:-2]), *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return np.matmul(*inputs)

    def work(self, *inputs: Dims) -> int:
        return size_of(self.shape(*inputs)) * inputs[0][-1]


@dataclass(frozen=True, eq=False)
class Softmax(SeesAll):
    """exp(x) / sum of exp(x) along an axis; log: its logarithm."""

    axis: int = 1
    log: bool = False
    kind = "softmax"

    def shape(self, *inputs: Dims) -> Dims:
        axis_of(self.axis, len(inputs[0]))
        return inputs[0]

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        z = inputs[0] - inputs[0].max(axis=self.axis, keepdims=True)
        total = np.exp(z).sum(axis=self.axis, keepdims=True)
        return z - np.log(total) if self.log else np.exp(z) / total


@dataclass(frozen=True, eq=False)
class Normalise(SeesAll):
    """gain (x - mean) / sqrt(variance + epsilon) + bias, with mean and variance over some elements of x.

    axes      over which mean and variance are taken: layer norm (Ba et al. 2016); with `groups`, of x seen as
              (N, groups, all the rest) over the last axis: group norm (Wu and He 2018), instance norm
    gain      float32, broadcast to x; bias alike
    epsilon   added to the variance
    groups    0: none
    centred   False: the mean is not subtracted, the variance is the mean square (Zhang and Sennrich 2019, RMSNorm)
    """

    gain: np.ndarray
    bias: np.ndarray
    axes: tuple[int, ...] = ()
    epsilon: float = 1e-5
    groups: int = 0
    centred: bool = True
    kind = "normalise"

    def check(self) -> None:
        for key in ("gain", "bias"):
            array = np.asarray(real(getattr(self, key)), np.float32)
            if not np.isfinite(array).all():
                raise NetworkError(f"its {key} is not finite")
            self.put(**{key: array})

    def shape(self, *inputs: Dims) -> Dims:
        rank = len(inputs[0])
        for axis in self.axes:
            axis_of(axis, rank)
        if self.groups and (rank < 2 or inputs[0][1] % self.groups):
            raise ShapeError(f"it has {self.groups} groups, into which {inputs[0]} cannot be cut")
        for key in ("gain", "bias"):
            array = getattr(self, key)
            if broadcast(inputs[0], array.shape) != inputs[0]:
                raise ShapeError(f"its {key} is {array.shape}, which does not fit {inputs[0]}")
        return inputs[0]

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        seen = x.reshape(x.shape[0], self.groups, -1) if self.groups else x
        axes = (2,) if self.groups else tuple(self.axes)
        if self.centred:
            seen = seen - seen.mean(axis=axes, keepdims=True)
        scaled = seen / np.sqrt((seen * seen).mean(axis=axes, keepdims=True) + self.epsilon)
        return scaled.reshape(x.shape) * self.gain + self.bias

    def work(self, *inputs: Dims) -> int:
        return 2 * size_of(inputs[0])

    @property
    def weights_of(self) -> tuple[np.ndarray, ...]:
        return self.gain, self.bias


REDUCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "mean": np.mean, "sum": np.sum, "max": np.max, "min": np.min, "product": np.prod,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Reduce(SeesAll):
    """The mean, sum, maximum, minimum or product (REDUCTIONS) along axes; keep: they stay, with length 1."""

    function: str
    axes: tuple[int, ...]
    keep: bool = True
    kind = "reduce"

    def check(self) -> None:
        if self.function not in REDUCTIONS:
            raise NetworkError(f"it computes `{self.function}`; known are {', '.join(REDUCTIONS)}")

    def shape(self, *inputs: Dims) -> Dims:
        axes = {axis_of(axis, len(inputs[0])) for axis in self.axes}
        kept = [1 if i in axes else n for i, n in enumerate(inputs[0])]
        return tuple(n for i, n in enumerate(kept) if self.keep or i not in axes)

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return np.asarray(REDUCTIONS[self.function](inputs[0], axis=tuple(self.axes), keepdims=self.keep))

    def work(self, *inputs: Dims) -> int:
        return 0

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        spatial = {axis_of(a, len(inputs[0])) for a in self.axes} & {2, 3}
        return GraphNode.windows(self, *inputs) if len(inputs[0]) == 4 and not spatial else (None,)
