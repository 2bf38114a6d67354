"""Video through ffmpeg, as imageio-ffmpeg's wheel carries it: frames go in by a pipe, a file comes out."""

import re
import subprocess
import tempfile
from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy as np

from engine.errors import FileError
from engine.output.writers.frame_writer import WholeWriter

NO_FFMPEG = "No ffmpeg was found to write video with. Run `pip install imageio-ffmpeg`, or write .gif or .png frames."

# x264 and libvpx give the same bytes for the same number of threads only: not the machine's, this one.
THREADS = 4


def executable():
    """The path of ffmpeg. Raises FileError with what to install when there is none."""
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError, OSError):
        raise FileError(NO_FFMPEG) from None


def even(pixels):
    """Frames as 4:2:0 video takes them: an odd last column or row is shown twice."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return pixels


class VideoWriter(WholeWriter):
    """A video of constant frame rate in 4:2:0, BT.709; see engine.output.writers.frame_writer.WholeWriter.

    A format adds `container` and `codec`, ffmpeg's arguments.

    Odd sizes grow by one row or column, a copy of the last, because 4:2:0 halves both.
    """

    container = ""
    codec: tuple = ()

    def _start(self):
        self._ffmpeg: Any = None  # subprocess.Popen
        self._said: Any = None  # a binary file
        width, height = (n + n % 2 for n in self.size)
        rate = Fraction(self.fps).limit_denominator(1001)
        # Full-chroma conversion with BT.709's matrix. The flags are set on the frames: as arguments ffmpeg drops two of
        # the three, and Chromium then takes a small MP4 for old television and shows it too green.
        convert = (
            "scale=in_range=pc:out_range=tv:out_color_matrix=bt709:flags=bicubic"
            "+accurate_rnd+full_chroma_int+full_chroma_inp,format=yuv420p,"
            "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
        )
        command = [
            executable(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}", "-framerate", str(rate),
            "-i", "pipe:0", "-an", "-map_metadata", "-1", "-vf", convert,
            *self.codec, "-threads", str(THREADS), "-fps_mode", "cfr", "-r", str(rate),
            # No version, date or random number in the file: the same frames give the same bytes.
            "-fflags", "+bitexact", "-flags:v", "+bitexact",
            "-f", self.container, str(self.beside.path),
        ]  # fmt: skip
        # What ffmpeg says goes to a file: a pipe nobody reads would stop it when full.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed when the video is
        # Its own session, so that Ctrl-C reaches us alone and we decide what happens to it.
        self._ffmpeg = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._said, start_new_session=True
        )

    def _put(self, pixels):
        try:
            self._ffmpeg.stdin.write(np.ascontiguousarray(even(pixels[:, :, :3])).data)
        except BrokenPipeError:
            raise self._failed() from None

    def _finish(self):
        with suppress(BrokenPipeError):  # it ended early; its exit code tells
            self._ffmpeg.stdin.close()
        if self._ffmpeg.wait() != 0:
            raise self._failed()
        self._said.close()

    def _failed(self):
        self._ffmpeg.wait()
        self._said.seek(0)
        said = self._said.read(4000).decode(errors="replace").strip()
        if "No space left" in said:
            return FileError(f"{self.path} cannot be written: the disk is full; make room or choose another disk.")
        # The first line names the cause; those after it are what follows from it.
        first = said.splitlines()[0] if said else f"it ended with {self._ffmpeg.returncode}"
        reason = re.sub(r"^\[[^]]*\]\s*", "", first)
        return FileError(f"{self.path} cannot be written: ffmpeg said: {reason[:200]}")

    def _drop(self):
        if self._ffmpeg is not None:
            self._ffmpeg.kill()
            self._ffmpeg.wait()
            with suppress(OSError):  # what was still in the pipe is not wanted any more
                self._ffmpeg.stdin.close()
        if self._said is not None:
            self._said.close()
