"""Picture files that are written band by band, so that no picture is in memory as a whole."""

from typing import BinaryIO

import numpy as np

from engine.output.writers.frame_writer import FrameWriter
from engine.render.encoding import PLAIN, Encoding

# Pixels of a band when a picture in memory is written.
BAND_PIXELS = 2**18


class Bands:
    """The bytes of one picture's file: a head, bands of whole rows from the top down, a tail.

    size   (width, height) in pixels
    rows   of each band; the last may have fewer
    text   {keyword: text} to store
    encoding   of the pixels

    A band's bytes depend on its own pixels alone, so bands may be compressed in any order and thread.
    """

    def __init__(
        self, size: tuple[int, int], rows: int, text: dict[str, str] | None = None, encoding: Encoding = PLAIN
    ):
        self.size, self.rows, self.text, self.encoding = size, rows, text or {}, encoding

    def head(self) -> bytes:
        """The bytes before the first band."""
        raise NotImplementedError

    def band(self, pixels: np.ndarray) -> tuple[bytes, dict[str, int]]:
        """(bytes, facts) of a band, (rows, W, channels); the tail is made from all bands' facts."""
        raise NotImplementedError

    def tail(self, facts: list[dict[str, int]]) -> tuple[bytes, list[tuple[int, bytes]]]:
        """(bytes after the last band, [(place in the file, bytes to write there)]), from each band's facts."""
        raise NotImplementedError


def written(stream: BinaryIO, form: Bands, pixels: np.ndarray) -> None:
    """Writes a picture in memory to a stream, which must be able to seek if the form has patches."""
    stream.write(form.head())
    facts = []
    for y in range(0, form.size[1], form.rows):
        data, fact = form.band(pixels[y : y + form.rows])
        stream.write(data)
        facts.append(fact)
    data, patches = form.tail(facts)
    stream.write(data)
    for place, patch in patches:
        stream.seek(place)
        stream.write(patch)


class BandsWriter(FrameWriter):
    """One picture in memory, written by a class of bands; see FrameWriter."""

    is_single = True
    bands: type[Bands]

    def _put(self, pixels: np.ndarray) -> None:
        rows = max(1, BAND_PIXELS // self.size[0])
        with self.atomic.create() as stream:
            written(stream, self.bands(self.size, rows, self.frame_text(), self.encoding), pixels)
