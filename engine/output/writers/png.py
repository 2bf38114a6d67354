"""PNG files with text chunks, written by imageio: one picture, or a folder with one a frame."""

import re
from pathlib import Path
from typing import BinaryIO

import imageio.v3 as imageio
import numpy as np

from engine.errors import FileError
from engine.output.writers.bands import BAND_PIXELS, written
from engine.output.writers.frame_writer import FrameWriter
from engine.output.writers.png_bands import PngBands, png_info
from engine.render.encoding import PLAIN, Encoding

# zlib's level. A dithered 800 x 600 picture on two cores: level 1 33 ms, 510 kB; 2 36 ms, 491 kB; 4 54 ms, 436 kB;
# 6 159 ms, 429 kB; 9 1020 ms, 408 kB. A low level, since people wait for film frames and pictures.
LEVEL = 2
# The name of a frame's file in a folder.
FRAME = re.compile(r"frame_\d{4,}\.png")


def encode(
    stream: BinaryIO, pixels: np.ndarray, text: dict[str, str] | None = None, encoding: Encoding = PLAIN
) -> None:
    """Writes (H, W, 3) or (H, W, 4) of an encoding's dtype as PNG, with {keyword: text} as `png_info` stores it."""
    if encoding != PLAIN:
        rows = max(1, BAND_PIXELS // pixels.shape[1])
        written(stream, PngBands(pixels.shape[1::-1], rows, text, encoding), pixels[:, :, : encoding.channels])
        return
    # Pictures are opaque, and writing only three channels saves a quarter of the work.
    rgb = np.ascontiguousarray(pixels[:, :, :3])
    imageio.imwrite(stream, rgb, plugin="pillow", extension=".png", compress_level=LEVEL, pnginfo=png_info(text or {}))


class PngWriter(FrameWriter):
    """A PNG file of one frame; see FrameWriter."""

    is_single = True
    depths, has_alpha = (8, 16), True

    def _put(self, pixels: np.ndarray) -> None:
        with self.atomic.create() as stream:
            encode(stream, pixels, self.frame_text(), self.encoding)


class PngFolderWriter(FrameWriter):
    """A folder of PNG files: frame_0000.png, frame_0001.png ...; see FrameWriter.

    Raises FileError for an existing folder with any other files, since they would be lost.
    """

    is_folder = True
    depths, has_alpha = (8, 16), True

    def _start(self) -> None:
        target = self.atomic.target
        if target.is_dir() and not _is_ours(target):
            raise FileError(f"{self.path} has other files in it. Choose a new folder, or empty it first.")
        self.atomic.create_folder()

    def _put(self, pixels: np.ndarray) -> None:
        with (self.atomic.path / f"frame_{self.count:04d}.png").open("xb") as stream:
            encode(stream, pixels, self.frame_text(), self.encoding)


def _is_ours(folder: Path) -> bool:
    """True for a folder that holds nothing but frames written here, so that it may be replaced."""
    for file in folder.iterdir():
        if not (FRAME.fullmatch(file.name) and file.is_file()):
            return False
        with file.open("rb") as stream:
            # The text chunk follows the header, so the first bytes tell which program wrote a frame.
            if b"Software\0neuroscene" not in stream.read(200):
                return False
    return True
