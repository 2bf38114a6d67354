"""GIF films that loop: a palette for every few frames, ordered dithering, an exact total length."""

import struct
from typing import BinaryIO

import numpy as np
from PIL import GifImagePlugin, Image

from engine.errors import FileError
from engine.output.writers.frame_writer import FrameWriter
from engine.output.writers.palette import COLOURS, draw, exact

# Frames that share a palette; fewer if they are large. For a 50-frame loop of marching at 400 x 400: one palette for
# all frames gives 37 dB, one for every 16 frames 40 dB, for 8 42 dB, for 4 44 dB, for 1 46 dB in five times the time.
TOGETHER = 8
TOGETHER_BYTES = 64 << 20
# Browsers slow delays under 2/100 s down to a tenth of a second.
MOST_FPS = 50.0
# Of 255: a change that is not drawn where colours are dithered, whose error is about as much.
UNSEEN = 3
SAME = 255  # the index that means "as in the frame before"


def delay(k: int, fps: float) -> int:
    """Hundredths of a second frame k is shown for.

    GIF counts in hundredths: at 15 frames a second the delays alternate between 7 and 6, so that frame k starts within
    half a hundredth of k / fps, and the film has the right length.
    """
    return round((k + 1) * 100.0 / fps) - round(k * 100.0 / fps)


def _changes(frames: list[np.ndarray], before: np.ndarray | None, least: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """(the colours that are shown after the frames, (H, W) bools of the pixels that each draws).

    Others are not drawn again, so that they do not shimmer and need no palette entry: they are within `least`, in each
    channel, of what is shown since they were drawn last.
    """
    changed = []
    for frame in frames:
        if before is None:
            before, wanted = frame, np.ones(frame.shape[:2], bool)
        else:
            # Channel by channel, because `any` over an axis of three is ten times as slow.
            pairs = [(frame[..., k], before[..., k]) for k in range(3)]
            red, green, blue = (np.maximum(a, b) - np.minimum(a, b) > least for a, b in pairs)
            wanted = red | green | blue
            before = np.where(wanted[..., None], frame, before) if least else frame
        changed.append(wanted)
    assert before is not None
    return before, changed


class GifWriter(FrameWriter):
    """A GIF that loops for ever; see FrameWriter.

    Raises FileError for more than 50 frames a second or a side over 65,535 pixels.
    """

    # Exactly four hundredths of a second a frame.
    default_fps = 25.0

    def _start(self) -> None:
        if self.fps > MOST_FPS:
            raise FileError(f"{self.path}: GIF shows at most {MOST_FPS:g} frames a second, not {self.fps:g}. Use .mp4.")
        if max(self.size) > 65535:
            raise FileError(f"{self.path}: GIF is at most 65535 pixels a side, not {self.size[0]}x{self.size[1]}.")
        self._pending: list[np.ndarray] = []
        self._before: np.ndarray | None = None
        self._written = 0
        self._stream: BinaryIO = self.atomic.create()
        self._stream.write(b"GIF89a" + struct.pack("<HHBBB", *self.size, 0x70, 0, 0))
        self._stream.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")

    def _put(self, pixels: np.ndarray) -> None:
        self._pending.append(pixels.copy())
        if len(self._pending) == TOGETHER or len(self._pending) * self._pending[0].nbytes > TOGETHER_BYTES:
            self._flush()

    def _finish(self) -> None:
        self._flush()
        self._stream.write(b";")
        self._stream.close()

    def _drop(self) -> None:
        if hasattr(self, "_stream"):
            self._stream.close()

    def _flush(self) -> None:
        """Writes the frames that wait for their palette."""
        frames, self._pending = self._pending, []
        if frames:
            before, changed = _changes(frames, self._before, 0)
            if (found := exact(frames, changed)) is None:
                before, changed = _changes(frames, self._before, UNSEEN)
                found = exact(frames, changed) or draw(frames, changed)
            self._before, (entries, drawn) = before, found
            for indices, wanted in zip(drawn, changed, strict=True):
                self._frame(entries, np.where(wanted, indices, np.uint8(SAME)), wanted)

    def _frame(self, entries: np.ndarray, indices: np.ndarray, changed: np.ndarray) -> None:
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        # A frame without changes is written as one unchanged pixel, to keep the count and the length.
        top, bottom = (rows[0], rows[-1] + 1) if len(rows) else (0, 1)
        left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, 1)
        image = Image.fromarray(indices[top:bottom, left:right])
        image.putpalette(entries.tobytes().ljust(768, b"\0"))
        # disposal 1: the frame stays. The first frame must not declare index SAME transparent, or readers would treat
        # the whole film as transparent.
        later: dict[str, int] = {"transparency": SAME} if self._written else {}
        pause = 10 * delay(self._written, self.fps)
        frame = GifImagePlugin.getdata(
            image, (int(left), int(top)), include_color_table=True, disposal=1, duration=pause, **later
        )
        self._stream.writelines(frame)
        self._written += 1


assert COLOURS <= SAME, "the index SAME must not be a colour"
