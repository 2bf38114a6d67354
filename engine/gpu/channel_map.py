"""The responses of a layer on the GPU: channels by rows by columns, four channels a vec4f."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing
import wgpu

from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.structs import Struct


def groups_of(channels: int) -> int:
    """How many groups of four hold so many channels."""
    return -(-channels // 4)


def packed(values: np.ndarray) -> np.ndarray:
    """(C, H, W) numbers as (groups H W, 4) float32 in a ChannelMap's order."""
    channels, places = values.shape[0], math.prod(values.shape[1:])
    full = np.zeros((4 * groups_of(channels), places), np.float32)
    full[:channels] = values.reshape(channels, places)
    return full.reshape(-1, 4, places).transpose(0, 2, 1).reshape(-1, 4)


class ChannelMap:
    """A (C, H, W) array on the GPU, whole or as a part of a larger one.

    shape   (C, H, W)
    array   an Array of float32; a new one unless given
    first   number of the vec4f in `array` at which this map begins

    vec4f number first + (g H + y) W + x has channels 4 g .. 4 g + 3 at (y, x), zeros past the last channel.
    """

    def __init__(self, shape: Sequence[int], array: Array | None = None, first: int = 0):
        self.shape = tuple(int(n) for n in shape)
        self.array = Array("f4", 4 * self.count) if array is None else array
        self.first = first

    @classmethod
    def of(cls, values: np.typing.ArrayLike) -> ChannelMap:
        """A map that holds a copy of (C, H, W) numbers."""
        new = cls(np.shape(values))
        new.write(values)
        return new

    @property
    def groups(self) -> int:
        return groups_of(self.shape[0])

    @property
    def places(self) -> int:
        return self.shape[1] * self.shape[2]

    @property
    def count(self) -> int:
        """Number of vec4f in the map."""
        return self.groups * self.places

    def part(self, channel: int, channels: int) -> ChannelMap:
        """The map of some channels from number `channel` on, in the same memory. `channel` is a multiple of four."""
        return ChannelMap((channels, *self.shape[1:]), self.array, self.first + channel // 4 * self.places)

    def write(self, values: np.typing.ArrayLike) -> None:
        """Copies (C, H, W) numbers in. Raises ShapeError for another shape."""
        values = np.asarray(values)
        if values.shape != self.shape:
            raise ShapeError(f"An array of {values.shape} was given, where (C, H, W) is {self.shape}.")
        self.array.write(packed(values), 4 * self.first)

    def read(self) -> np.ndarray:
        """(C, H, W) float32; waits for the GPU."""
        data = self.array.read(4 * self.count, 4 * self.first).reshape(self.groups, self.places, 4)
        return data.transpose(0, 2, 1).reshape(-1, *self.shape[1:])[: self.shape[0]].copy()


def map_bindings(name: str, settings: Struct, *more: str) -> tuple[Binding, ...]:
    """The bindings of a kernel over maps: the uniform `name`, `responses` and arrays `more` to read, `output`."""
    reads = (Binding(array, "read", "array<vec4f>") for array in ("responses", *more))
    return Binding(name, "uniform", settings), *reads, Binding("output", "write", "array<vec4f>")


class MapStep(Protocol):
    """An operation on maps that can be recorded: a Dispatch, or a copy."""

    def record(self, encoder: wgpu.GPUCommandEncoder) -> None: ...
