"""What all writers share: frames are checked, the file is made beside its place, errors end in one line."""

import numpy as np

from engine.errors import FileError, ShapeError
from engine.formats.atomic import Beside, cannot_write


class WholeWriter:
    """A writer whose result appears whole or not at all; a format adds `_start`, `_put`, `_finish` and `_drop`.

    The arguments are those of engine.output.writers.frame_writer.WholeWriter.
    """

    default_fps = 30.0
    folder = False

    def __init__(self, path, size, fps, text=None):
        self.size = (int(size[0]), int(size[1]))
        self.fps = float(fps)
        self.text = text
        self.count = 0
        self._open = False
        if min(self.size) < 1:
            raise ShapeError(f"Frames of {self.size[0]}x{self.size[1]} pixels were asked for; both must be at least 1.")
        if not 0 < self.fps < float("inf"):
            raise FileError(f"{path}: {fps} frames a second cannot be; give a number above 0.")
        self.beside = Beside(path, folder=self.folder)
        self.path = self.beside.given
        self._open = True
        self._guard(self._start)

    # What a format writes.

    def _start(self):
        """Opens `self.beside.path`."""

    def _put(self, pixels):
        """Writes one frame: (H, W, 3) or (H, W, 4) uint8 of the right size."""
        raise NotImplementedError

    def _finish(self):
        """Writes what is left and closes `self.beside.path`."""

    def _drop(self):
        """Lets go of what is open; `self.beside.path` is about to go."""

    # What everyone calls.

    def add(self, pixels):
        """Takes the next frame: (H, W, 4) or (H, W, 3) uint8, row 0 on top; alpha is dropped.

        Raises ShapeError for a frame of another size or type, FileError when it cannot be written.
        """
        if not self._open:
            raise FileError(f"{self.path} is closed; no frame can be added. Open a new writer.")
        pixels = np.asarray(pixels)
        width, height = self.size
        if pixels.dtype != np.uint8 or pixels.shape not in ((height, width, 3), (height, width, 4)):
            self.abort()
            wanted = f"({height}, {width}, 3 or 4) uint8"
            raise ShapeError(f"Frame {self.count} is {pixels.shape} {pixels.dtype}; {self.path} takes {wanted}.")
        self._guard(self._put, pixels)
        self.count += 1

    def close(self):
        """Finishes the file and puts it in its place. Raises FileError when no frame was added."""
        if not self._open:
            return
        if self.count == 0:
            self.abort()
            raise FileError(f"{self.path} was not written: no frame was added. Add at least one.")
        self._guard(self._finish)
        self._open = False
        self.beside.commit()

    def abort(self):
        """Leaves nothing behind; an earlier file stays as it was. After `close` it does nothing."""
        if not self._open:
            return
        self._open = False
        try:
            self._drop()
        finally:
            self.beside.discard()

    def _guard(self, work, *args):
        try:
            work(*args)
        except OSError as error:
            self.abort()
            raise cannot_write(self.path, error) from None
        except BaseException:
            self.abort()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.close()
        else:
            self.abort()
