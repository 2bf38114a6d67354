"""Pictures as files that grow band by band, so that no picture is in memory as a whole."""

import numpy as np

from engine.output.writers.frame_writer import FrameWriter

# Pixels of a band when a picture is written at once.
BAND_PIXELS = 2**18


class Bands:
    """The bytes of one picture's file: a head, bands of whole rows from the top down, a tail.

    size   (width, height) in pixels
    rows   of each band; the last may have fewer
    text   {keyword: text} to store

    Every band is packed from its own pixels alone: in any order, in any thread, on any day.
    """

    def __init__(self, size: tuple[int, int], rows: int, text: dict[str, str] | None = None):
        self.size, self.rows, self.text = size, rows, text or {}

    def head(self) -> bytes:
        """What comes before the first band."""
        raise NotImplementedError

    def band(self, pixels: np.ndarray) -> tuple[bytes, dict[str, int]]:
        """(bytes, facts) of (rows, W, 3) uint8; the facts are what the tail is made from."""
        raise NotImplementedError

    def tail(self, facts: list[dict[str, int]]) -> tuple[bytes, list[tuple[int, bytes]]]:
        """(bytes after the last band, [(place, bytes) to be put over what was written]), from each band's facts."""
        raise NotImplementedError


class BandsWriter(FrameWriter):
    """One picture in memory, written by a class of bands; see FrameWriter."""

    is_single = True
    bands: type[Bands]

    def _put(self, pixels: np.ndarray) -> None:
        rows = max(1, BAND_PIXELS // self.size[0])
        form, facts = self.bands(self.size, rows, self.frame_text()), []
        with self.atomic.path.open("wb") as stream:
            stream.write(form.head())
            for y in range(0, self.size[1], rows):
                data, fact = form.band(pixels[y : y + rows])
                stream.write(data)
                facts.append(fact)
            data, patches = form.tail(facts)
            stream.write(data)
            for place, patch in patches:
                stream.seek(place)
                stream.write(patch)
