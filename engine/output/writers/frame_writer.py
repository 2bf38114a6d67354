"""The base class of writers: checks frames; the result appears whole or not at all; errors are one line."""

import os
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from engine.errors import FileError, ShapeError
from engine.formats.atomic import AtomicTarget, cannot_write
from engine.render.encoding import PLAIN, Encoding

DEEPER = "Take 8 or 16 for .png and .tif, 16 or 32 for .exr, 8 or 10 for .mp4 and .webm, 10 for .mov."
CLEAR = (
    "Take .png, .tif, .exr, .webm, .mov, .apng, or a path that ends in / for a folder of PNG files; or another theme."
)

# A function of a frame's index that returns {keyword: text} to store with the frame.
FrameText = Callable[[int], dict[str, str]]


class FrameWriter:
    """Writes frames to a file or a folder; a subclass defines `_start`, `_put`, `_finish` and `_drop`.

    path   of the result; an earlier file stays until `close` has written everything
    size   (width, height) of every frame in pixels
    fps    frames a second
    text   FrameText; ignored by formats without text
    encoding   of the frames' pixels, as `encoding_of` gives it
    quality    of films, see video.QUALITIES; `good` for formats that have one, which raise FileError for another

    Used in a `with` block, it is closed at the end of the block, and aborted by an error or Ctrl-C.
    """

    default_fps = 30.0
    is_folder = False
    is_single = False  # True for formats of one picture
    depths: tuple[int, ...] = (8,)  # bits of a colour that the format can hold, the usual first
    has_alpha = False  # whether it can hold what is transparent
    is_linear = False  # whether it holds the light itself

    def __init__(
        self, path: str | os.PathLike, size: tuple[int, int], fps: float, text: FrameText | None = None,
        encoding: Encoding = PLAIN, quality: str = "good",
    ):  # fmt: skip
        self.encoding, self.quality = encoding, quality
        self.size = (int(size[0]), int(size[1]))
        self.fps = float(fps)
        self.text = text
        self.count = 0
        self._is_open = False
        if min(self.size) < 1:
            raise ShapeError(f"Frames of {self.size[0]}x{self.size[1]} pixels were asked for; both must be at least 1.")
        if not 0 < self.fps < float("inf"):
            raise FileError(f"{path}: {fps} frames a second cannot be; give a number above 0.")
        self.atomic = AtomicTarget(path, folder=self.is_folder)
        self.path = self.atomic.given
        if quality != "good" and not self.has_quality:
            raise FileError(f"{self.path} has one quality. Leave --quality out, or take .mp4 or .webm.")
        self._is_open = True
        self._guard(self._start)

    @property
    def has_quality(self) -> bool:
        """Whether it can be written in other qualities than `good`."""
        return False

    @classmethod
    def encoding_of(cls, path: str, depth: int | None = None, alpha: bool = False) -> Encoding:
        """The Encoding of pictures for this format.

        depth   bits of a colour; None for the format's usual
        alpha   True for pictures that are transparent somewhere

        Raises FileError for what the format cannot hold, naming one that can.
        """
        if depth is not None and depth not in cls.depths:
            raise not_so_deep(path, cls.depths, depth)
        if alpha and not cls.has_alpha:
            raise FileError(f"{path} holds nothing transparent (theme=clear). {CLEAR}")
        return Encoding(depth or cls.depths[0], alpha, cls.is_linear)

    # Defined by each format.

    def _start(self) -> None:
        """Creates `self.atomic`, a file or a folder, unless `_put` does."""

    def _put(self, pixels: np.ndarray) -> None:
        """Writes one frame: (H, W, the encoding's channels), of its dtype, contiguous."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Writes what is left and closes `self.atomic.path`."""

    def _drop(self) -> None:
        """Closes open files, before `self.atomic.path` is deleted."""

    def frame_text(self) -> dict[str, str]:
        """{keyword: text} to store with the frame that is being written."""
        return self.text(self.count) if self.text else {}

    # Called by users of a writer.

    def add(self, pixels: Any) -> None:
        """Takes the next frame: (H, W, 4) or (H, W, 3) of the encoding's dtype, row 0 on top; alpha is dropped unless
        the encoding has it.

        Raises ShapeError for a frame of another size or type, FileError if writing fails.
        """
        if not self._is_open:
            raise FileError(f"{self.path} is closed; no frame can be added. Open a new writer.")
        pixels = np.asarray(pixels)
        width, height = self.size
        kind, least = self.encoding.dtype, self.encoding.channels
        if pixels.dtype != kind or pixels.shape not in [(height, width, n) for n in range(least, 5)]:
            self.abort()
            wanted = f"({height}, {width}, {'3 or 4' if least == 3 else 4}) {kind}"
            raise ShapeError(f"Frame {self.count} is {pixels.shape} {pixels.dtype}; {self.path} takes {wanted}.")
        if self.is_single and self.count:
            self.abort()
            raise FileError(f"{self.path} holds one picture. For many end the path in / (a folder), .gif or .mp4.")
        self._guard(self._put, np.ascontiguousarray(pixels[:, :, :least]))
        self.count += 1

    def close(self) -> None:
        """Finishes the file and puts it in its place. Raises FileError when no frame was added."""
        if not self._is_open:
            return
        if self.count == 0:
            self.abort()
            raise FileError(f"{self.path} was not written: no frame was added. Add at least one.")
        self._guard(self._finish)
        self._is_open = False
        self.atomic.commit()

    def abort(self) -> None:
        """Deletes what was written; an earlier file stays as it was. After `close` it does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._drop()
        finally:
            self.atomic.discard()

    def _guard(self, work: Callable[..., None], *args: Any) -> None:
        try:
            work(*args)
        except BaseException as error:
            self.abort()
            if isinstance(error, OSError):
                raise cannot_write(self.path, error) from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def not_so_deep(path: str, depths: Iterable[int], depth: int) -> FileError:
    """The error for a format that has no such depth."""
    return FileError(f"{path} holds {' or '.join(map(str, depths))} bits a colour, not {depth}. {DEEPER}")
