"""A typed buffer on the GPU."""

import numpy as np
import wgpu

from engine.errors import DeviceLimitError, ShapeError
from engine.gpu.device import device

USAGES = {
    "uniform": wgpu.BufferUsage.UNIFORM | wgpu.BufferUsage.COPY_DST,
    "storage": wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_DST | wgpu.BufferUsage.COPY_SRC,
    "indirect": wgpu.BufferUsage.STORAGE
    | wgpu.BufferUsage.INDIRECT
    | wgpu.BufferUsage.COPY_DST
    | wgpu.BufferUsage.COPY_SRC,
}


class Array:
    """count items of a dtype in GPU memory.

    dtype   a numpy dtype; float64 is refused, since WGSL has none
    count   items; at least one is held
    usage   uniform, storage or indirect

    Raises DeviceLimitError when the adapter cannot bind that much at once.
    """

    def __init__(self, dtype, count, usage="storage"):
        self.dtype = np.dtype(dtype)
        if self.dtype == np.float64:
            raise ShapeError("A GPU array of float64 was asked for; WGSL has float32. Convert first.")
        self.count = int(count)
        self.usage = usage
        size = -(-max(1, self.count) * self.dtype.itemsize // 16) * 16
        key = "max-uniform-buffer-binding-size" if usage == "uniform" else "max-storage-buffer-binding-size"
        limit = device().limits[key]
        if size > limit:
            raise DeviceLimitError(
                f"{size / 2**20:.0f} MiB in one buffer were asked for; {device().adapter} binds {limit / 2**20:.0f}. "
                "Take a smaller picture, fewer samples a pixel, or a smaller network."
            )
        self.buffer = device().handle.create_buffer(size=size, usage=USAGES[usage])

    @classmethod
    def of(cls, data, usage="storage"):
        """An Array that holds a copy of data."""
        data = np.ascontiguousarray(data)
        array = cls(data.dtype, data.size, usage)
        array.write(data)
        return array

    @property
    def nbytes(self):
        return self.count * self.dtype.itemsize

    def write(self, data, at=0):
        """Copies data into the array from item `at` on. Raises ShapeError if it does not fit."""
        data = np.ascontiguousarray(data, self.dtype)
        if at + data.size > self.count:
            raise ShapeError(f"{data.size} items from {at} on do not fit an array of {self.count}.")
        if data.size:
            raw = data.reshape(-1).view(np.uint8)
            if raw.size % 4:
                # write_buffer takes multiples of four bytes only.
                raw = np.concatenate([raw, np.zeros(-raw.size % 4, np.uint8)])
            device().queue.write_buffer(self.buffer, at * self.dtype.itemsize, raw)

    def read(self, count=None, at=0):
        """A numpy copy of `count` items from `at` on (all, unless told); waits for the GPU."""
        count = self.count - at if count is None else count
        if count == 0:
            return np.zeros(0, self.dtype)
        size = -(-count * self.dtype.itemsize // 4) * 4
        raw = device().queue.read_buffer(self.buffer, at * self.dtype.itemsize, size)
        return np.frombuffer(raw, self.dtype, count).copy()

    def resource(self):
        """What a bind group takes."""
        return {"buffer": self.buffer, "offset": 0, "size": self.buffer.size}


def grown(array, dtype, count, usage="storage"):
    """The same array if it holds `count` items of dtype, else a new one of that size; contents are not kept."""
    if array is not None and array.dtype == np.dtype(dtype) and array.count >= count:
        return array
    return Array(dtype, count, usage)
