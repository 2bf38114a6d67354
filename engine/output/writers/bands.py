"""Pictures as files that grow band by band: what a format has to tell so that none is ever held whole."""

from typing import Any, Protocol


class Bands(Protocol):
    """The bytes of one picture's file: a head, bands of whole rows from the top down, a tail.

    Made as `Bands(size, rows, text=None)`:
    size   (width, height) in pixels
    rows   of each band; the last may have fewer
    text   {keyword: text} to store

    Every band is packed by itself, from its own pixels alone: in any order, in any thread, on any day.
    """

    def head(self) -> bytes:
        """What stands before the first band."""

    def band(self, pixels: Any) -> tuple[bytes, dict]:
        """(bytes, facts) of (rows, W, 3) uint8; the facts are whole numbers that the tail is made of."""

    def tail(self, facts: list[dict]) -> tuple[bytes, list[tuple[int, bytes]]]:
        """(bytes after the last band, [(place, bytes) to be put over what was written]), from each band's facts."""
