"""Nodes that only move numbers: reshape, transpose, cut, join, repeat, pick, pad."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.errors import NetworkError, ShapeError
from engine.network.graph.nodes.base import Dims, GraphNode, SeesAll, Windows, axis_of, broadcast, size_of, whole


@dataclass(frozen=True, eq=False)
class Reshape(SeesAll):
    """The same numbers in the same order (the last axis fastest) in another shape; dims: that shape, all known."""

    dims: Dims
    kind = "reshape"

    def check(self) -> None:
        self.put(dims=whole("shape", self.dims))

    def shape(self, *inputs: Dims) -> Dims:
        if size_of(inputs[0]) != size_of(self.dims):
            raise ShapeError(f"it makes {self.dims} of {inputs[0]}, which has {size_of(inputs[0])} numbers")
        return self.dims

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0].reshape(self.dims)

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        same = len(inputs[0]) == len(self.dims) and inputs[0][2:] == self.dims[2:]
        return GraphNode.windows(self, *inputs) if same else (None,)


@dataclass(frozen=True, eq=False)
class Transpose(SeesAll):
    """Axes in another order: axis i of the output is axis axes[i] of the input."""

    axes: tuple[int, ...]
    kind = "transpose"

    def check(self) -> None:
        self.put(axes=whole("axes", self.axes))
        if sorted(self.axes) != list(range(len(self.axes))):
            raise ShapeError(f"its axes are {self.axes}; each of {len(self.axes)} must be there once")

    def shape(self, *inputs: Dims) -> Dims:
        if len(inputs[0]) != len(self.axes):
            raise ShapeError(f"it orders {len(self.axes)} axes, but {inputs[0]} comes")
        return tuple(inputs[0][axis] for axis in self.axes)

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0].transpose(self.axes)

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        return GraphNode.windows(self, *inputs) if self.axes[2:] == (2, 3) else (None,)


@dataclass(frozen=True, eq=False)
class Slice(SeesAll):
    """Every step-th element from start on, `counts` of them, along each axis.

    starts, counts, steps   one for each axis; a step may be negative
    """

    starts: tuple[int, ...]
    counts: tuple[int, ...]
    steps: tuple[int, ...]
    kind = "slice"

    def check(self) -> None:
        self.put(starts=whole("starts", self.starts), counts=whole("counts", self.counts))
        self.put(steps=whole("steps", self.steps, None, -(1 << 31)))

    def shape(self, *inputs: Dims) -> Dims:
        if not len(inputs[0]) == len(self.starts) == len(self.counts) == len(self.steps):
            raise ShapeError(f"it slices {len(self.starts)} axes, but {inputs[0]} comes")
        for n, start, count, step in zip(inputs[0], self.starts, self.counts, self.steps, strict=True):
            if count and not (0 <= start < n and 0 <= start + (count - 1) * step < n):
                raise ShapeError(f"it takes {count} from {start} on by {step} of {n}")
        return self.counts

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0][np.ix_(*self.places())]

    def places(self) -> list[np.ndarray]:
        """For each axis the places that are taken."""
        return [a + s * np.arange(n) for a, n, s in zip(self.starts, self.counts, self.steps, strict=True)]


@dataclass(frozen=True, eq=False)
class Concat(GraphNode):
    """Its inputs one after another along an axis."""

    axis: int = 1
    kind = "concat"
    most = math.inf

    def shape(self, *inputs: Dims) -> Dims:
        axis = axis_of(self.axis, len(inputs[0]))
        for other in inputs[1:]:
            if len(other) != len(inputs[0]) or any(
                a != b for i, (a, b) in enumerate(zip(inputs[0], other, strict=True)) if i != axis
            ):
                raise ShapeError(f"it joins {inputs[0]} and {other}; they must be equal but for axis {axis}")
        return tuple(sum(x[i] for x in inputs) if i == axis else n for i, n in enumerate(inputs[0]))

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return np.concatenate(inputs, axis=self.axis)

    def windows(self, *inputs: Dims) -> tuple[Windows | None, ...]:
        plain = axis_of(self.axis, len(inputs[0])) < 2
        return GraphNode.windows(self, *inputs) if plain else (None,) * len(inputs)


@dataclass(frozen=True, eq=False)
class Expand(SeesAll):
    """Repeated along axes of length 1, and along new ones in front, until it has the shape `dims`."""

    dims: Dims
    kind = "expand"

    def check(self) -> None:
        self.put(dims=whole("shape", self.dims))

    def shape(self, *inputs: Dims) -> Dims:
        return broadcast(inputs[0], self.dims)

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return np.broadcast_to(inputs[0], self.shape(inputs[0].shape))


@dataclass(frozen=True, eq=False)
class Gather(SeesAll):
    """The elements at places `indices` along an axis, whose axes take that one's place, as numpy.take."""

    indices: np.ndarray
    axis: int = 0
    kind = "gather"

    def check(self) -> None:
        indices = np.asarray(self.indices)
        if indices.dtype.kind not in "iu":
            raise NetworkError(f"its indices are {indices.dtype}; whole numbers are accepted")
        self.put(indices=indices.astype(np.int64))

    def shape(self, *inputs: Dims) -> Dims:
        axis = axis_of(self.axis, len(inputs[0]))
        n = inputs[0][axis]
        if self.indices.size and not (-n <= self.indices.min() and self.indices.max() < n):
            raise ShapeError(f"it takes places up to {abs(self.indices).max()} of {n}")
        return (*inputs[0][:axis], *self.indices.shape, *inputs[0][axis + 1 :])

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        return np.take(inputs[0], self.indices, axis=self.axis)


PADDINGS = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}


@dataclass(frozen=True, eq=False)
class Pad(SeesAll):
    """More elements before and after each axis.

    before, after   how many, one number for each axis; negative ones cut off
    filling         the new numbers, in mode `constant`; `reflect`, `edge` and `wrap` are numpy.pad's
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    filling: float = 0.0
    mode: str = "constant"
    kind = "pad"

    def check(self) -> None:
        self.put(before=whole("padding", self.before, None, -(1 << 31)))
        self.put(after=whole("padding", self.after, None, -(1 << 31)))
        if self.mode not in PADDINGS:
            raise NetworkError(f"its mode is {self.mode}; {', '.join(PADDINGS)} are accepted")

    def shape(self, *inputs: Dims) -> Dims:
        if not len(inputs[0]) == len(self.before) == len(self.after):
            raise ShapeError(f"it pads {len(self.before)} axes, but {inputs[0]} comes")
        found = tuple(n + a + b for n, a, b in zip(inputs[0], self.before, self.after, strict=True))
        if min(found, default=0) < 0:
            raise ShapeError(f"it cuts more off {inputs[0]} than there is")
        most = {"reflect": -1, "wrap": 0}.get(self.mode)
        ends = zip(inputs[0], self.before, self.after, strict=True)
        if most is not None and any(max(a, b) > n + most for n, a, b in ends):
            raise ShapeError(f"it pads {inputs[0]} by {self.before} and {self.after} in mode {self.mode}")
        return found

    def value(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, a, b in zip(x.shape, self.before, self.after, strict=True))
        ends = [(max(a, 0), max(b, 0)) for a, b in zip(self.before, self.after, strict=True)]
        if self.mode == "constant":
            return np.pad(x, ends, constant_values=self.filling)[self._kept(x.shape, ends)]
        return np.pad(x[cut], ends, mode=self.mode)  # type: ignore[call-overload]  # its mode is any text

    def _kept(self, dims, ends):
        return tuple(
            slice(max(-a, 0), n + p + q - max(-b, 0))
            for n, a, b, (p, q) in zip(dims, self.before, self.after, ends, strict=True)
        )
