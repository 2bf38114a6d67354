"""Loops as GIF: a palette for every few frames, ordered dithering, exact total length."""

import io
import struct

import numpy as np
from PIL import Image

from engine.errors import FileError
from engine.output.writers.frame_writer import WholeWriter
from engine.output.writers.palette import COLOURS, draw

# Frames that share a palette, fewer when they are large. Of a 50-frame marching loop at 400 x 400, all levels in all
# colours, one palette for all gives 37 dB, for every 16 40 dB, 8 42 dB, 4 44 dB, one each 46 dB in five times the time.
TOGETHER = 8
TOGETHER_BYTES = 64 << 20
# Browsers slow delays under 2/100 s down to a tenth of a second.
MOST_FPS = 50.0
SAME = 255  # the index that means "as in the frame before"
_GREY = bytes(i // 3 for i in range(768))


def delay(k, fps):
    """Hundredths of a second frame k is shown for.

    GIF counts in hundredths: 15 frames a second alternate between 7 and 6, so that frame k starts within half a
    hundredth of k / fps and the whole lasts what it should.
    """
    return round((k + 1) * 100.0 / fps) - round(k * 100.0 / fps)


def _differ(a, b):
    """(H, W) bool; channel by channel, because `any` over an axis of three is ten times as slow."""
    return (a[..., 0] != b[..., 0]) | (a[..., 1] != b[..., 1]) | (a[..., 2] != b[..., 2])


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
    """A GIF that loops for ever; see engine.output.writers.frame_writer.WholeWriter.

    Raises FileError for more than 50 frames a second or a side over 65,535 pixels.
    """

    # Four hundredths a frame, exactly.
    default_fps = 25.0

    def _start(self):
        if self.fps > MOST_FPS:
            raise FileError(f"{self.path}: GIF shows at most {MOST_FPS:g} frames a second, not {self.fps:g}. Use .mp4.")
        if max(self.size) > 65535:
            raise FileError(f"{self.path}: GIF is at most 65535 pixels a side, not {self.size[0]}x{self.size[1]}.")
        self._held, self._before, self._written = [], None, 0
        self._stream = self.beside.path.open("wb")
        self._stream.write(b"GIF89a" + struct.pack("<HHBBB", *self.size, 0x70, 0, 0))
        self._stream.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")

    def _put(self, pixels):
        self._held.append(pixels[:, :, :3].copy())
        if len(self._held) == TOGETHER or len(self._held) * self._held[0].nbytes > TOGETHER_BYTES:
            self._flush()

    def _finish(self):
        self._flush()
        self._stream.write(b";")
        self._stream.close()

    def _drop(self):
        if getattr(self, "_stream", None):
            self._stream.close()

    def _flush(self):
        """Writes the frames held."""
        frames, self._held = self._held, []
        changed = []
        for frame in frames:
            # What is as it was is not drawn again: it cannot shimmer, and takes no entry of the palette.
            before, self._before = self._before, frame
            changed.append(np.ones(frame.shape[:2], bool) if before is None else _differ(frame, before))
        if frames:
            entries, drawn = draw(frames, changed)
            for indices, wanted in zip(drawn, changed, strict=True):
                self._frame(entries, np.where(wanted, indices, np.uint8(SAME)), wanted)

    def _frame(self, entries, indices, changed):
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        # A still frame is one pixel that stays: a frame all the same, for the count and the length.
        top, bottom = (rows[0], rows[-1] + 1) if len(rows) else (0, 1)
        left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, 1)
        # 4: leave the frame standing; 1: index SAME is transparent, as which readers would take the whole film if the
        # first frame said it. 0x87: 256 colours of its own follow.
        flags, pause = (5 if self._written else 4), delay(self._written, self.fps)
        self._stream.write(b"!\xf9\x04" + struct.pack("<BHB", flags, pause, SAME) + b"\0")
        self._stream.write(b"," + struct.pack("<HHHHB", left, top, right - left, bottom - top, 0x87))
        self._stream.write(entries.tobytes().ljust(768, b"\0") + lzw(indices[top:bottom, left:right]))
        self._written += 1


assert COLOURS <= SAME, "the index SAME must not be a colour"
