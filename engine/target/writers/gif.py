"""Loops as GIF: one palette for as long as it serves, ordered dithering, exact total length."""

import io
import struct

import numpy as np
from PIL import Image

from engine.errors import FileError
from engine.target.writers.palette import COLOURS, exact, exact_indices, indices, palette
from engine.target.writers.whole import WholeWriter

# Frames are held until this many bytes of them give a palette: 64 frames of 400 x 400, five of 1920 x 1080.
CHUNK_BYTES = 32 << 20
# Browsers slow delays under 2/100 s down to a tenth of a second.
MOST_FPS = 50.0
# A palette is kept for the next frames while they come out no worse than this much more than those it was made from
# (root mean square, of 255).
WORSE = 1.5
SAME = 255  # the index that means "as in the frame before"
_GREY = bytes(i // 3 for i in range(768))


def delay(k, fps):
    """Hundredths of a second frame k is shown for.

    GIF counts in hundredths: 15 frames a second alternate between 7 and 6, so that frame k starts within half a
    hundredth of k / fps and the whole lasts what it should.
    """
    return round((k + 1) * 100.0 / fps) - round(k * 100.0 / fps)


def lzw(drawn):
    """(H, W) uint8 indices as GIF image data, code size and blocks."""
    # Pillow's encoder writes a file around it; only what follows the image descriptor is taken.
    image = Image.frombytes("P", drawn.shape[::-1], np.ascontiguousarray(drawn).tobytes())
    image.putpalette(_GREY)
    stream = io.BytesIO()
    image.save(stream, "GIF", optimize=False, interlace=0)
    data = stream.getvalue()
    at = 6 + 7 + 768
    while data[at] == 0x21:  # an extension: label, then blocks, each with its length, to an empty one
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    return data[at + 10 : -1]


class GifWriter(WholeWriter):
    """A GIF that loops for ever; see engine.target.contract.Writer.

    Raises FileError for more than 50 frames a second or a side over 65,535 pixels.
    """

    # Four hundredths a frame, exactly.
    default_fps = 25.0

    def _start(self):
        if self.fps > MOST_FPS:
            raise FileError(f"{self.path}: GIF shows at most {MOST_FPS:g} frames a second, not {self.fps:g}. Use .mp4.")
        if max(self.size) > 65535:
            raise FileError(f"{self.path}: GIF is at most 65535 pixels a side, not {self.size[0]}x{self.size[1]}.")
        self._held, self._written = [], 0
        self._entries = self._lossless = self._error = self._before = None
        self._stream = self.beside.path.open("wb")

    def _put(self, pixels):
        self._held.append(pixels[:, :, :3].copy())
        if sum(frame.nbytes for frame in self._held) >= CHUNK_BYTES:
            self._flush()

    def _finish(self):
        self._flush()
        self._stream.write(b";")
        self._stream.close()

    def _drop(self):
        if getattr(self, "_stream", None):
            self._stream.close()

    def _flush(self):
        frames, self._held = self._held, []
        if not frames:
            return
        for drawn in self._draw(frames):
            self._frame(drawn)

    def _draw(self, frames):
        """The frames as indices; `_entries` is their palette."""
        entries = exact(frames)
        if entries is not None:
            if self._entries is None or not np.array_equal(entries, self._entries):
                self._take(entries, 0.0)
            return exact_indices(frames, entries)
        if self._entries is not None and not self._lossless:
            drawn, error = indices(frames, self._entries)
            if error <= self._error + WORSE:
                return drawn
        entries = palette(frames)
        drawn, error = indices(frames, entries)
        self._take(entries, error)
        return drawn

    def _take(self, entries, error):
        self._entries, self._error, self._lossless = entries, error, error == 0.0
        self._before = None  # indices of another palette say nothing about what is the same
        if self._written == 0:
            head = struct.pack("<HHBBB", *self.size, 0xF7, 0, 0)
            self._stream.write(b"GIF89a" + head + self._table())
            self._stream.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
            self._first = entries

    def _table(self):
        return self._entries.tobytes().ljust(768, b"\0")

    def _frame(self, drawn):
        left = top = 0
        part = drawn
        if self._before is not None:
            changed = drawn != self._before
            rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
            # A still frame is a single pixel that stays: a frame all the same, for the count and the length.
            top, bottom = (rows[0], rows[-1] + 1) if len(rows) else (0, 1)
            left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, 1)
            part = np.where(changed, drawn, np.uint8(SAME))[top:bottom, left:right]
        own = self._entries is not self._first
        pause = delay(self._written, self.fps)
        # 0x05: leave the frame standing, and index SAME is transparent.
        self._stream.write(b"!\xf9\x04" + struct.pack("<BHB", 0x05, pause, SAME) + b"\0")
        height, width = part.shape
        self._stream.write(b"," + struct.pack("<HHHHB", left, top, width, height, 0x87 if own else 0))
        self._stream.write((self._table() if own else b"") + lzw(part))
        self._before = drawn
        self._written += 1


assert COLOURS <= SAME, "the index SAME must not be a colour"
