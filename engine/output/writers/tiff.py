"""TIFF (revision 6.0; BigTIFF where it may pass 4 GB): RGB(A) in strips, packed by deflate, at 300 dots an inch."""

import struct
import zlib
from typing import Any

import numpy as np

from engine.output.writers.bands import Bands, BandsWriter
from engine.render.encoding import PLAIN, Encoding

# The largest file with 32-bit offsets, less room for the tags.
CLASSIC_BYTES = 2**32 - 2**26
DOTS_AN_INCH = 300
# As for PNG: see png_bands.
LEVEL, STRATEGY = 1, zlib.Z_RLE
# Type -> bytes and struct's letter: ASCII, SHORT, LONG, RATIONAL, LONG8.
ASCII, SHORT, LONG, RATIONAL, LONG8 = 2, 3, 4, 5, 16
LETTERS = {SHORT: "H", LONG: "I", RATIONAL: "I", LONG8: "Q"}


class TiffBands(Bands):
    """Eight or sixteen bits, a strip a band; see Bands. The text is the ImageDescription."""

    def __init__(
        self, size: tuple[int, int], rows: int, text: dict[str, str] | None = None, encoding: Encoding = PLAIN
    ):
        super().__init__(size, rows, text, encoding)
        width, height = size
        # Deflate stores incompressible data with 5 more bytes in 16 KiB.
        self.is_big = width * height * encoding.pixel_bytes * (1 + 1 / 1024) + 2**20 > CLASSIC_BYTES

    def head(self) -> bytes:
        # The place of the tags is unknown here; `tail` returns a patch for it.
        return b"II+\0\x08\0\0\0" + bytes(8) if self.is_big else b"II*\0" + bytes(4)

    def band(self, pixels: np.ndarray) -> tuple[bytes, dict[str, int]]:
        # Horizontal differencing: predictor 2.
        differences = pixels.astype(pixels.dtype.newbyteorder("<"))
        differences[:, 1:] -= pixels[:, :-1]
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 15, 9, STRATEGY)
        data = packer.compress(np.ascontiguousarray(differences).data) + packer.flush()
        # Strips must begin at even places.
        return data + bytes(len(data) % 2), {"packed": len(data)}

    def tail(self, facts: list[dict[str, int]]) -> tuple[bytes, list[tuple[int, bytes]]]:
        width, height = self.size
        counts = [one["packed"] for one in facts]
        places, end = [], len(self.head())
        for count in counts:
            places.append(end)
            end += count + count % 2
        wide = LONG8 if self.is_big else LONG
        # With its key before it: tifffile takes JSON that has "shape" for its own.
        words = "\n".join(f"{key}: {value}" for key, value in self.text.items())
        tags: list[tuple[int, int, Any]] = [
            (256, LONG, [width]),
            (257, LONG, [height]),
            (258, SHORT, [self.encoding.depth] * self.encoding.channels),
            (259, SHORT, [8]),  # deflate
            (262, SHORT, [2]),  # RGB
            *([(270, ASCII, words.encode("ascii", "backslashreplace") + b"\0")] if words else []),
            (273, wide, places),
            (277, SHORT, [self.encoding.channels]),
            (278, LONG, [self.rows]),
            (279, wide, counts),
            (282, RATIONAL, [DOTS_AN_INCH, 1]),
            (283, RATIONAL, [DOTS_AN_INCH, 1]),
            (284, SHORT, [1]),  # red, green and blue together
            (296, SHORT, [2]),  # inches
            (305, ASCII, b"neuroscene\0"),
            (317, SHORT, [2]),  # horizontal differencing
            *([(338, SHORT, [2])] if self.encoding.alpha else []),  # alpha by which the colours are not multiplied
        ]
        return self._directory(tags, end)

    def _directory(self, tags: list[tuple[int, int, Any]], place: int) -> tuple[bytes, list[tuple[int, bytes]]]:
        """(bytes, patches) of the tags, to be written at a place in the file; long values precede the directory."""
        offset, number = ("Q", "Q") if self.is_big else ("I", "H")
        room = struct.calcsize(offset)
        values, entries = b"", []
        for tag, kind, content in tags:
            data = content if kind == ASCII else struct.pack(f"<{len(content)}{LETTERS[kind]}", *content)
            count = len(content) // 2 if kind == RATIONAL else len(content)
            entry = struct.pack(f"<HH{offset}", tag, kind, count)
            if len(data) <= room:
                entries.append(entry + data.ljust(room, b"\0"))
            else:
                entries.append(entry + struct.pack("<" + offset, place + len(values)))
                values += data + bytes(len(data) % 2)
        directory = struct.pack("<" + number, len(entries)) + b"".join(entries) + bytes(room)
        where = struct.pack("<" + offset, place + len(values))
        return values + directory, [(8 if self.is_big else 4, where)]


class TiffWriter(BandsWriter):
    """One picture; see FrameWriter."""

    bands = TiffBands
    depths, has_alpha = (8, 16), True
