"""Video by ffmpeg, to which frames are sent through a pipe."""

import errno
import re
import subprocess
import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, NoReturn

import numpy as np

from engine.errors import FileError
from engine.formats.atomic import cannot_write
from engine.output.writers.ffmpeg import ffmpeg
from engine.output.writers.frame_writer import FrameWriter

# The output of x264 and libvpx depends on the number of threads, so it is the same on every machine.
THREADS = 4

# ffmpeg's arguments by the ending of the file.
CODECS = {
    # H.264 plays everywhere, and starts while the file loads. crf 16, since above 18 smooth shading shows blocks;
    # `animation` keeps flat backgrounds flat, and aq-mode 3 does so for dark ones.
    ".mp4": [
        "-c:v", "libx264", "-preset", "medium", "-profile:v", "high", "-crf", "16", "-tune", "animation",
        "-aq-mode", "3", "-movflags", "+faststart", "-f", "mp4",
    ],
    # VP9 is free of patents. Threads over rows would make the bytes depend on timing; threads over columns do not.
    ".webm": [
        "-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p", "-crf", "24", "-b:v", "0", "-row-mt", "0", "-tile-columns", "2",
        "-deadline", "good", "-cpu-used", "4", "-f", "webm",
    ],
}  # fmt: skip

# Full-chroma conversion with BT.709's matrix. The colour flags are set on the frames: given as arguments, ffmpeg drops
# two of the three, and Chromium then reads a small MP4 as BT.601 and shows it too green.
CONVERT = (
    "scale=in_range=pc:out_range=tv:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,"
    "format=yuv420p,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
)


class VideoWriter(FrameWriter):
    """An MP4 or a WebM of constant frame rate in 4:2:0, BT.709; see FrameWriter.

    Odd sizes grow by one row or column, a copy of the last, because 4:2:0 halves both.
    """

    def _start(self) -> None:
        self._ffmpeg: subprocess.Popen[bytes] | None = None
        self._messages: IO[bytes] | None = None
        self.atomic.create().close()  # ffmpeg writes over it
        width, height = (n + n % 2 for n in self.size)
        rate = str(Fraction(self.fps).limit_denominator(1001))
        codec = CODECS[Path(self.path).suffix.lower()]
        command = [
            ffmpeg(codec[1]).path, "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}", "-framerate", rate,
            "-i", "pipe:0", "-an", "-map_metadata", "-1", "-vf", CONVERT,
            "-threads", str(THREADS), "-fps_mode", "cfr", "-r", rate,
            # No version, date or random number is written, so that the same frames give the same bytes.
            "-fflags", "+bitexact", "-flags:v", "+bitexact",
            *codec, str(self.atomic.path),
        ]  # fmt: skip
        # ffmpeg's messages go to a file, since an unread pipe would block it when full.
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  closed when the video is
        # A session of its own, so that Ctrl-C reaches this process alone.
        self._ffmpeg = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._messages, start_new_session=True
        )

    def _put(self, pixels: np.ndarray) -> None:
        width, height = self.size
        if width % 2 or height % 2:
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        try:
            self._stdin().write(pixels.data)
        except BrokenPipeError:
            self._raise_failure()

    def _finish(self) -> None:
        with suppress(BrokenPipeError):  # ffmpeg ended early; its exit code is checked next
            self._stdin().close()
        assert self._ffmpeg and self._messages
        if self._ffmpeg.wait() != 0:
            self._raise_failure()
        self._messages.close()

    def _stdin(self) -> IO[bytes]:
        assert self._ffmpeg and self._ffmpeg.stdin
        return self._ffmpeg.stdin

    def _raise_failure(self) -> NoReturn:
        assert self._ffmpeg and self._messages
        self._ffmpeg.wait()
        self._messages.seek(0)
        messages = self._messages.read(4000).decode(errors="replace").strip()
        if "No space left" in messages:
            raise cannot_write(self.path, OSError(errno.ENOSPC, "no space left"))
        # The first line names the cause, the others its consequences.
        first = messages.splitlines()[0] if messages else f"it ended with {self._ffmpeg.returncode}"
        reason = re.sub(r"^\[[^]]*\]\s*", "", first)
        raise FileError(f"{self.path} cannot be written: ffmpeg said: {reason[:200]}")

    def _drop(self) -> None:
        if self._ffmpeg is not None:
            self._ffmpeg.kill()
            self._ffmpeg.wait()
            with suppress(OSError):  # data left in the pipe is not needed
                self._stdin().close()
        if self._messages is not None:
            self._messages.close()
