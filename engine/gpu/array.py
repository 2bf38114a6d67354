"""A typed buffer on the GPU."""

from __future__ import annotations

import numpy as np
import numpy.typing
import wgpu

from engine.errors import DeviceLimitError, ShapeError
from engine.gpu.device import device, maker
from engine.gpu.native.apart import apart

STORAGE = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_DST | wgpu.BufferUsage.COPY_SRC
USAGES = {
    "uniform": wgpu.BufferUsage.UNIFORM | wgpu.BufferUsage.COPY_DST,
    "storage": STORAGE,
    "indirect": STORAGE | wgpu.BufferUsage.INDIRECT,
}


class Array:
    """A number of items of one dtype in GPU memory.

    dtype   a numpy dtype; not float64, which WGSL does not have
    count   how many items; memory is allocated for at least one
    usage   uniform, storage or indirect
    label   for the GPU's errors and frame debuggers; the module that makes it unless given

    Raises ShapeError for float64, DeviceLimitError when the adapter cannot bind that much at once.
    """

    def __init__(self, dtype: np.typing.DTypeLike, count: int, usage: str = "storage", *, label: str | None = None):
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
        # The bytes last written to a uniform struct. The GPU never writes a uniform, so equal bytes are not sent again.
        self._sent: bytes | None = None
        label = label or f"{maker()}: {self.count} x {self.dtype.itemsize} bytes, {usage}"
        self.buffer = device().handle.create_buffer(label=label, size=size, usage=USAGES[usage])

    @classmethod
    def of(cls, data: np.ndarray, usage: str = "storage", *, label: str | None = None) -> Array:
        """An Array that holds a copy of data."""
        data = np.ascontiguousarray(data)
        array = cls(data.dtype, data.size, usage, label=label)
        array.write(data)
        return array

    @property
    def nbytes(self) -> int:
        return self.count * self.dtype.itemsize

    def write(self, data: np.typing.ArrayLike, at: int = 0) -> None:
        """Copies data into the array from item `at` on. Raises ShapeError if it does not fit."""
        data = np.ascontiguousarray(data, self.dtype)
        if at + data.size > self.count:
            raise ShapeError(f"{data.size} items from {at} on do not fit an array of {self.count}.")
        if data.size:
            raw = data.reshape(-1).view(np.uint8)
            if self.usage == "uniform" and self.dtype.names:
                sent = raw.tobytes()
                if sent == self._sent:
                    return
                self._sent = sent if data.size == self.count else None
            if raw.size % 4:
                # write_buffer takes multiples of four bytes only.
                raw = np.concatenate([raw, np.zeros(-raw.size % 4, np.uint8)])
            device().write(self.buffer, at * self.dtype.itemsize, raw)

    def read(self, count: int | None = None, at: int = 0) -> np.ndarray:
        """A numpy copy of `count` items from `at` on (all, unless given); waits for the GPU."""
        count = self.count - at if count is None else count
        if count == 0:
            return np.zeros(0, self.dtype)
        size = -(-count * self.dtype.itemsize // 4) * 4
        queue, start = device().queue, at * self.dtype.itemsize
        raw = apart(lambda: queue.read_buffer(self.buffer, start, size), drops=True)
        return np.frombuffer(raw, self.dtype, count).copy()

    def resource(self) -> dict:
        """The entry for a bind group: the whole buffer."""
        return {"buffer": self.buffer, "offset": 0, "size": self.buffer.size}


def grown(array: Array | None, dtype: np.typing.DTypeLike, count: int, usage: str = "storage") -> Array:
    """The same array if it has room for `count` items of dtype, else a new one of that size, without its contents."""
    if array is not None and array.dtype == np.dtype(dtype) and array.count >= count:
        return array
    return Array(dtype, count, usage)
