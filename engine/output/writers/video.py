"""Video by ffmpeg, to which frames are sent through a pipe."""

import errno
import re
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, NoReturn

import numpy as np

from engine.errors import FileError
from engine.formats.atomic import cannot_write
from engine.output.writers.ffmpeg import ffmpeg
from engine.output.writers.frame_writer import CLEAR, FrameWriter, not_so_deep
from engine.render.encoding import Encoding

# The output of x264 and libvpx depends on the number of threads, so it is the same on every machine.
THREADS = 4

# Pixels that a colour runs on where nothing is: the filter that halves chroma reaches so far.
REACH = 4
QUALITIES = ("small", "good", "best")
# The quality of a codec: its option, the numbers for QUALITIES, and the least and greatest that it takes.
CRF_264, CRF_265, CRF_VP9 = ((22, 16, 10), (1, 51)), ((24, 18, 12), (1, 51)), ((34, 24, 15), (1, 63))
# H.264 plays everywhere, and starts while the file loads. crf 16, since above 18 smooth shading shows blocks;
# `animation` keeps flat backgrounds flat, and aq-mode 3 does so for dark ones.
H264 = [
    "-c:v", "libx264", "-preset", "medium", "-profile:v", "high", "-tune", "animation", "-aq-mode", "3",
    "-movflags", "+faststart", "-f", "mp4",
]  # fmt: skip
# hvc1: Apple's players take no other tag. The bytes depend on the number of frames that are coded at a time.
H265 = [
    "-c:v", "libx265", "-preset", "medium", "-tag:v", "hvc1", "-movflags", "+faststart", "-f", "mp4",
    "-x265-params", "log-level=error:info=0:frame-threads=2:aq-mode=3",
]  # fmt: skip
# VP9 is free of patents. Threads over rows would make the bytes depend on timing; threads over columns do not.
VP9 = [
    "-c:v", "libvpx-vp9", "-b:v", "0", "-row-mt", "0", "-tile-columns", "2", "-deadline", "good", "-cpu-used", "4",
    "-f", "webm",
]  # fmt: skip
PRORES = ["-c:v", "prores_ks", "-profile:v", "4444", "-vendor", "apl0", "-f", "mov"]
APNG = ["-c:v", "apng", "-plays", "0", "-f", "apng"]


@dataclass(frozen=True)
class Codec:
    """How ffmpeg writes a format: its arguments, the pixels' format, and the numbers of its quality, if it has any."""

    arguments: list[str]
    pixels: str
    crf: tuple[tuple[int, int, int], tuple[int, int]] | None = None

    @property
    def encoder(self) -> str:
        """ffmpeg's name of the encoder."""
        return self.arguments[self.arguments.index("-c:v") + 1]


# By the file's ending, the bits of a colour, and whether it has alpha.
CODECS = {
    (".mp4", 8, False): Codec(H264, "yuv420p", CRF_264),
    (".mp4", 10, False): Codec(H265, "yuv420p10le", CRF_265),
    (".webm", 8, False): Codec(VP9, "yuv420p", CRF_VP9),
    (".webm", 10, False): Codec(VP9, "yuv420p10le", CRF_VP9),
    (".webm", 8, True): Codec(["-auto-alt-ref", "0", *VP9], "yuva420p", CRF_VP9),
    (".mov", 10, False): Codec(PRORES, "yuv444p10le"),
    (".mov", 10, True): Codec(["-alpha_bits", "16", *PRORES], "yuva444p10le"),
    (".apng", 8, False): Codec(APNG, "rgb24"),
    (".apng", 8, True): Codec(APNG, "rgba"),
}

# Full-chroma conversion with BT.709's matrix. The colour flags are set on the frames: given as arguments, ffmpeg drops
# two of the three, and Chromium then reads a small MP4 as BT.601 and shows it too green.
CONVERT = (
    "scale=in_range=pc:out_range=tv:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,"
    "format={pixels},setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
)
# {(depth is 8, alpha): what ffmpeg calls the frames that it is sent}
SENT = {(True, False): "rgb24", (True, True): "rgba", (False, False): "rgb48le", (False, True): "rgba64le"}


def read_quality(path: str, quality: str, codec: Codec) -> list[str]:
    """ffmpeg's arguments for a quality: one of QUALITIES, or a number as text.

    Raises FileError for anything else. A codec that has one quality takes no arguments for it.
    """
    if codec.crf is None:
        return []
    words, (least, most) = codec.crf
    if quality in QUALITIES:
        return ["-crf", str(words[QUALITIES.index(quality)])]
    if quality.isascii() and quality.isdigit() and len(quality) < 4 and least <= int(quality) <= most:
        return ["-crf", str(int(quality))]
    listed = ", ".join(QUALITIES)
    raise FileError(f"{path}: --quality {quality[:40]}: it takes {listed}, or a CRF from {least} (best) to {most}.")


class VideoWriter(FrameWriter):
    """A film of constant frame rate, BT.709 unless it is RGB; see FrameWriter.

    With 4:2:0 odd sizes grow by one row or column, a copy of the last, because it halves both.
    """

    @classmethod
    def encoding_of(cls, path: str, depth: int | None = None, alpha: bool = False) -> Encoding:
        suffix = Path(path).suffix.lower()
        depths = list(dict.fromkeys(d for ending, d, _ in CODECS if ending == suffix))
        asked = depth or depths[0]
        if asked in depths and (suffix, asked, alpha) not in CODECS:
            raise FileError(f"{path} holds nothing transparent (theme=clear){_but(suffix, depth)}. {CLEAR}")
        if asked not in depths:
            raise not_so_deep(path, depths, asked)
        return Encoding(asked, alpha)

    @property
    def _codec(self) -> Codec:
        return CODECS[Path(self.path).suffix.lower(), self.encoding.depth, self.encoding.alpha]

    @property
    def has_quality(self) -> bool:
        return self._codec.crf is not None

    def _start(self) -> None:
        self._ffmpeg: subprocess.Popen[bytes] | None = None
        self._messages: IO[bytes] | None = None
        self.atomic.create().close()  # ffmpeg writes over it
        codec = self._codec
        self._step = 2 if "420" in codec.pixels else 1
        width, height = (n + n % self._step for n in self.size)
        is_rgb, pixels = codec.pixels.startswith("rgb"), SENT[self.encoding.depth == 8, self.encoding.alpha]
        convert = f"format={codec.pixels}" if is_rgb else CONVERT.format(pixels=codec.pixels)
        quality = read_quality(self.path, self.quality, codec)
        rate = str(Fraction(self.fps).limit_denominator(1001))
        command = [
            ffmpeg(codec.encoder).path, "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
            "-f", "rawvideo", "-pix_fmt", pixels, "-video_size", f"{width}x{height}", "-framerate", rate,
            "-i", "pipe:0", "-an", "-map_metadata", "-1", "-vf", convert,
            "-threads", str(THREADS), "-fps_mode", "cfr", "-r", rate,
            # No version, date or random number is written, so that the same frames give the same bytes.
            "-fflags", "+bitexact", "-flags:v", "+bitexact",
            *quality, *codec.arguments, str(self.atomic.path),
        ]  # fmt: skip
        # ffmpeg's messages go to a file, since an unread pipe would block it when full.
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  closed when the video is
        # A session of its own, so that Ctrl-C reaches this process alone.
        self._ffmpeg = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._messages, start_new_session=True
        )

    def _put(self, pixels: np.ndarray) -> None:
        width, height = self.size
        if self.encoding.alpha:
            pixels = bled(pixels)
        if width % self._step or height % self._step:
            pixels = np.pad(pixels, ((0, height % self._step), (0, width % self._step), (0, 0)), mode="edge")
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


def bled(pixels: np.ndarray) -> np.ndarray:
    """RGBA in which the colours run on where it is transparent, for REACH pixels, so that no codec blurs black in.

    pixels   (H, W, 4); its alpha, and colours where alpha is above 0, stay
    """
    result = np.pad(pixels, ((1, 1), (1, 1), (0, 0)))
    known = result[..., 3] > 0
    for _ in range(REACH):
        new = np.zeros_like(known)
        new[1:-1, 1:-1] = known[:-2, 1:-1] | known[2:, 1:-1] | known[1:-1, :-2] | known[1:-1, 2:]
        # Only places at an edge are computed: they are few.
        y, x = np.nonzero(new & ~known)
        near = (np.add(y, [[-1], [0], [0], [1]]), np.add(x, [[0], [-1], [1], [0]]))
        count = known[near]
        mean = (result[near][..., :3] * count[..., None]).sum(axis=0, dtype=float) / count.sum(axis=0)[:, None]
        result[y, x, :3] = np.round(mean)
        known[y, x] = True
    return np.ascontiguousarray(result[1:-1, 1:-1])


def _but(suffix: str, depth: int | None) -> str:
    """What is said of a format that holds alpha in other depths."""
    others = [d for ending, d, alpha in CODECS if ending == suffix and alpha and d != depth]
    return f" in {depth} bits, but in {others[0]}" if others else ""
