"""Frames as PNG files in a folder: frame_0000.png, frame_0001.png ..."""

import re

from engine.errors import FileError
from engine.output.writers.frame_writer import WholeWriter
from engine.output.writers.png import encode

FRAME = re.compile(r"frame_\d{4,}\.png")


def is_ours(folder):
    """True for a folder that holds nothing but frames written here, so that it may be replaced."""
    for file in folder.iterdir():
        if not (FRAME.fullmatch(file.name) and file.is_file()):
            return False
        with file.open("rb") as stream:
            # The text comes right after the header, so its first bytes tell who wrote a frame.
            if b"Software\0neuroscene" not in stream.read(200):
                return False
    return True


class PngFolderWriter(WholeWriter):
    """A folder of PNG files; see engine.output.writers.frame_writer.WholeWriter.

    Raises FileError for a folder that is there and holds anything but such frames: it would be lost.
    """

    folder = True

    def _start(self):
        target = self.beside.target
        if target.is_dir() and not is_ours(target):
            raise FileError(f"{self.path} has other files in it. Choose a new folder, or empty it first.")
        self.beside.path.mkdir()

    def _put(self, pixels):
        with (self.beside.path / f"frame_{self.count:04d}.png").open("wb") as stream:
            encode(stream, pixels, self.text(self.count) if self.text else None)
