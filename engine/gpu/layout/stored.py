"""An array of any shape on the GPU, in numpy's order or in that of a ChannelMap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from engine.gpu.array import Array
from engine.gpu.channel_map import ChannelMap, MapStep, groups_of
from engine.gpu.device import device
from engine.network.graph.views import unviewed, view_of, viewed


@dataclass(frozen=True, eq=False)
class Stored:
    """An array of float32 on the GPU.

    dims    its shape
    array   where it lies, in numpy's order (the last axis fastest) from number `first` on
    map     its ChannelMap where it lies as one; else None
    last    of a map: whether its channels are the last axis, as for `view_of`
    """

    dims: tuple[int, ...]
    array: Array
    first: int = 0
    map: ChannelMap | None = None
    last: bool = True

    @classmethod
    def new(cls, dims: Sequence[int]) -> Stored:
        """Memory for an array in numpy's order; filled up to whole vec4f by zeros."""
        return cls(tuple(dims), Array("f4", 4 * groups_of(prod(dims))))

    @classmethod
    def of(cls, values: np.typing.ArrayLike) -> Stored:
        """A copy of an array in numpy's order; truth values become 0 and 1."""
        values = np.asarray(values, np.float32)
        new = cls.new(values.shape)
        new.array.write(values.reshape(-1))
        return new

    @classmethod
    def mapped(cls, dims: Sequence[int], map: ChannelMap, last: bool) -> Stored:
        """The array of this shape that lies as a ChannelMap; of two axes the last is always the channels."""
        return cls(tuple(dims), map.array, 4 * map.first, map, last or len(dims) <= 2)

    @property
    def count(self) -> int:
        return prod(self.dims)

    def seen(self, dims: Sequence[int]) -> Stored:
        """The same numbers, in numpy's order, in another shape."""
        assert self.map is None
        return Stored(tuple(dims), self.array, self.first)

    @property
    def axis(self) -> int:
        """Of a map: the axis of its channels, the last of them if there are several."""
        return len(self.dims) - (1 if self.last else 3 if len(self.dims) > 3 else 2)

    @property
    def separable(self) -> bool:
        """Whether `offsets` says where elements lie: not of a map whose channels are several long axes."""
        return self.map is None or self.last or prod(self.dims[: self.axis]) == 1

    def offsets(self) -> list[np.ndarray]:
        """For each axis the offset of each place along it; an element lies at `first` + the sum of its offsets."""
        if self.map is None:
            steps = np.cumprod([1, *self.dims[:0:-1]])[::-1]
            return [n * np.arange(d) for n, d in zip(steps, self.dims, strict=True)] if self.dims else []
        channels, rows, columns = self.map.shape
        along = np.arange(channels)
        channel = 4 * (along // 4) * rows * columns + along % 4
        axis = self.axis
        places = [n for i, n in enumerate(self.dims) if i != axis]
        steps = 4 * np.cumprod([1, *places[:0:-1]])[::-1]
        found = [n * np.arange(d) for n, d in zip(steps, places, strict=False)]
        return [*found[:axis], channel, *found[axis:]] if self.dims else []

    def read(self) -> np.ndarray:
        """A numpy copy, of shape `dims`; waits for the GPU."""
        if self.map is not None:
            return unviewed(self.map.read(), self.dims, self.last)
        return self.array.read(self.count, self.first).reshape(self.dims)


def evaluate(
    steps: Callable[..., Iterable[MapStep]],
    node: Any,
    *values: np.typing.ArrayLike,
    maps: bool = True,
    last: bool | None = None,
    **options: Any,
) -> np.ndarray:
    """A node's output for given inputs, computed by the steps of a kernel; waits for the GPU.

    steps     steps(node, sources, output, **options) of a module of engine.kernels
    node      of engine.network.graph.nodes
    values    the node's inputs, of the shapes that it takes
    maps      whether the kernel takes ChannelMaps, else Stored arrays in numpy's order; last: as for `view_of`
    returns   float32, of the node's shape
    """
    arrays = [np.asarray(v) for v in values]
    dims = node.shape(*(a.shape for a in arrays))
    sources: list[Any] = [ChannelMap.of(viewed(a, last)) if maps else Stored.of(a) for a in arrays]
    output: Any = ChannelMap(view_of(dims, last)) if maps else Stored.new(dims)
    with device().recording() as encoder:
        for step in steps(node, sources, output, **options):
            step.record(encoder)
    return unviewed(output.read(), dims, last) if maps else output.read()
