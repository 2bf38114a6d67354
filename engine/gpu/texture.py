"""A texture on the GPU: a picture that passes draw to and read from."""

from __future__ import annotations

import numpy as np
import wgpu

from engine.errors import DeviceLimitError
from engine.gpu.array import Array
from engine.gpu.device import device, maker
from engine.gpu.native.apart import apart

# format -> (numpy base, channels)
FORMATS = {
    "rgba8unorm": ("u1", 4),
    "rgba8unorm-srgb": ("u1", 4),
    "bgra8unorm": ("u1", 4),
    "bgra8unorm-srgb": ("u1", 4),
    "rgba16float": ("f2", 4),
    "rgba32float": ("f4", 4),
    "r8unorm": ("u1", 1),
    "r32float": ("f4", 1),
    "r32uint": ("u4", 1),
    "rg32uint": ("u4", 2),
    "depth32float": ("f4", 1),
}


class Texture:
    """A two-dimensional texture.

    size     (width, height) in pixels
    format   one of FORMATS
    usage    names of wgpu.TextureUsage flags joined by `|`, `RENDER_ATTACHMENT|TEXTURE_BINDING` unless given
    samples  per pixel; with 1, copying in and out is allowed as well
    label    for the GPU's errors and frame debuggers; the module that makes it unless given

    Raises DeviceLimitError when it is larger than the adapter's largest texture.
    """

    def __init__(
        self,
        size: tuple[int, int],
        format: str,
        usage: str = "RENDER_ATTACHMENT|TEXTURE_BINDING",
        *,
        samples: int = 1,
        label: str | None = None,
    ):
        self.size = (int(size[0]), int(size[1]))
        self.format = format
        limit = device().limits["max-texture-dimension-2d"]
        if max(self.size) > limit:
            raise DeviceLimitError(f"A texture of {self.size} was asked for; {device().adapter} takes {limit} a side.")
        names = [*usage.split("|"), *(("COPY_SRC", "COPY_DST") if samples == 1 else ())]
        flags = sum({getattr(wgpu.TextureUsage, name) for name in names})
        label = label or f"{maker()}: {self.size[0]}x{self.size[1]} {format}"
        self.handle = device().handle.create_texture(
            label=label, size=(*self.size, 1), format=format, usage=flags, sample_count=samples
        )
        self.view = self.handle.create_view(label=label)

    @classmethod
    def of(cls, pixels: np.ndarray, format: str = "rgba8unorm", usage: str = "TEXTURE_BINDING") -> Texture:
        """A texture holding (H, W, channels) or (H, W) pixels of the format's type."""
        height, width = pixels.shape[:2]
        texture = cls((width, height), format, usage)
        texture.write(pixels)
        return texture

    def write(self, pixels: np.ndarray, row: int | None = None) -> None:
        """Copies (H, W, channels) pixels in; where a row is given, fewer rows from there on, which may be shorter."""
        base, channels = FORMATS[self.format]
        pixels = np.ascontiguousarray(pixels, base)
        height, width = (len(pixels), pixels.shape[1]) if row is not None else (len(pixels), self.size[0])
        device().write_texture(
            {"texture": self.handle, "origin": (0, row or 0, 0)},
            pixels.reshape(-1).view(np.uint8),
            {"bytes_per_row": width * channels * pixels.itemsize, "rows_per_image": height},
            (width, height, 1),
        )

    def read(self) -> np.ndarray:
        """(H, W, channels) numpy copy, or (H, W) for one channel; waits for the GPU."""
        copy, encoder = ReadBack(self), device().encoder("read back")
        copy.record(encoder)
        device().submit(encoder)
        return copy.pixels()

    def resource(self) -> wgpu.GPUTextureView:
        """The entry for a bind group: the view."""
        return self.view


class Sampler:
    """Reads textures between their texels, linearly; at their edges it repeats the last."""

    def __init__(self) -> None:
        self.handle = device().handle.create_sampler(label=maker(), mag_filter="linear", min_filter="linear")

    def resource(self) -> wgpu.GPUSampler:
        """The entry for a bind group: the sampler."""
        return self.handle


class ReadBack:
    """A copy of a texture to the processor, and of an array beside it, if one is given.

    It is recorded after the draws and fetched when its pixels are needed. Work that is submitted between `record` and
    `pixels` runs while `pixels` waits for the copy.

    values   after `pixels`, a numpy copy of the array
    """

    def __init__(self, texture: Texture, array: Array | None = None):
        self._texture, self._array = texture, array
        self.values = np.zeros(0)
        base, channels = FORMATS[texture.format]
        self._row = texture.size[0] * channels * np.dtype(base).itemsize
        # Rows of a copy begin at multiples of 256 bytes (WebGPU specification, section 11.2.3).
        self._stride = -(-self._row // 256) * 256
        self._end = self._stride * texture.size[1]
        self._buffer = device().handle.create_buffer(
            label="read back",
            size=self._end + (array.buffer.size if array else 0),
            usage=wgpu.BufferUsage.COPY_DST | wgpu.BufferUsage.MAP_READ,
        )

    def record(self, encoder: wgpu.GPUCommandEncoder) -> None:
        """Adds the copy to an encoder, after what draws to the texture."""
        width, height = self._texture.size
        encoder.copy_texture_to_buffer(
            {"texture": self._texture.handle},
            {"buffer": self._buffer, "bytes_per_row": self._stride, "rows_per_image": height},
            (width, height, 1),
        )
        if self._array is not None:
            array = self._array.buffer
            encoder.copy_buffer_to_buffer(array, 0, self._buffer, self._end, array.size)

    def pixels(self) -> np.ndarray:
        """(H, W, channels) numpy copy, or (H, W) for one channel; waits for the GPU. Can be called only once."""
        base, channels = FORMATS[self._texture.format]
        width, height = self._texture.size
        apart(lambda: self._buffer.map_sync(wgpu.MapMode.READ))
        try:
            mapped = np.frombuffer(self._buffer.read_mapped(copy=False), np.uint8)
            raw = mapped[: self._end].reshape(height, self._stride)
            # Copied, since the mapped memory is released below.
            data = raw[:, : self._row].copy().view(base)
            if self._array is not None:
                self.values = mapped[self._end :][: self._array.nbytes].copy().view(self._array.dtype)
        finally:
            self._buffer.unmap()
            self._buffer.destroy()
        return data.reshape((height, width) if channels == 1 else (height, width, channels))
