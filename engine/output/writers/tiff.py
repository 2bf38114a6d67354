"""TIFF (revision 6.0; BigTIFF where it may pass 4 GB): RGB in strips, packed by deflate, at 300 dots an inch."""

import struct
import zlib

import numpy as np

from engine.errors import FileError
from engine.output.writers.frame_writer import WholeWriter

# What 32-bit offsets reach, less room for the tags.
CLASSIC_BYTES = 2**32 - 2**26
DOTS_AN_INCH = 300
# Pixels of a strip when a picture is written at once.
STRIP_PIXELS = 2**18
# As for PNG: see png_bands.
LEVEL, STRATEGY = 1, zlib.Z_RLE
# Type -> bytes and struct's letter: ASCII, SHORT, LONG, RATIONAL, LONG8.
ASCII, SHORT, LONG, RATIONAL, LONG8 = 2, 3, 4, 5, 16
LETTERS = {SHORT: "H", LONG: "I", RATIONAL: "I", LONG8: "Q"}


class TiffBands:
    """Eight-bit RGB, a strip a band; see engine.output.writers.bands.Bands. The text is the ImageDescription."""

    def __init__(self, size, rows, text=None):
        self.size, self.rows, self.text = size, rows, text or {}
        width, height = size
        # Deflate stores what it cannot pack with 5 bytes more in 16 KiB.
        self.is_big = width * height * 3 * (1 + 1 / 1024) + 2**20 > CLASSIC_BYTES

    def head(self):
        # The place of the tags is filled in when it is known.
        return b"II+\0\x08\0\0\0" + bytes(8) if self.is_big else b"II*\0" + bytes(4)

    def band(self, pixels):
        # Horizontal differencing: predictor 2.
        differences = pixels.copy()
        differences[:, 1:] -= pixels[:, :-1]
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 15, 9, STRATEGY)
        data = packer.compress(np.ascontiguousarray(differences).data) + packer.flush()
        # Strips begin at even places.
        return data + bytes(len(data) % 2), {"packed": len(data)}

    def tail(self, facts):
        width, height = self.size
        counts = [one["packed"] for one in facts]
        places, end = [], len(self.head())
        for count in counts:
            places.append(end)
            end += count + count % 2
        wide = LONG8 if self.is_big else LONG
        words = "\n".join(self.text.values())
        tags = [
            (256, LONG, [width]),
            (257, LONG, [height]),
            (258, SHORT, [8, 8, 8]),
            (259, SHORT, [8]),  # deflate
            (262, SHORT, [2]),  # RGB
            *([(270, ASCII, words.encode("ascii", "backslashreplace") + b"\0")] if words else []),
            (273, wide, places),
            (277, SHORT, [3]),
            (278, LONG, [self.rows]),
            (279, wide, counts),
            (282, RATIONAL, [DOTS_AN_INCH, 1]),
            (283, RATIONAL, [DOTS_AN_INCH, 1]),
            (284, SHORT, [1]),  # red, green and blue together
            (296, SHORT, [2]),  # inches
            (305, ASCII, b"neuroscene\0"),
            (317, SHORT, [2]),  # horizontal differencing
        ]
        return self._directory(tags, end)

    def _directory(self, tags, place):
        """(bytes, patches) of the tags, which begin at a place in the file; long values before the directory."""
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


class TiffWriter(WholeWriter):
    """One picture; see engine.output.writers.frame_writer.WholeWriter."""

    def _put(self, pixels):
        if self.count:
            raise FileError(f"{self.path} holds one picture. For many end the path in / (a folder), .gif or .mp4.")
        width, height = self.size
        rows = max(1, STRIP_PIXELS // width)
        bands = TiffBands(self.size, rows, self.text(0) if self.text else None)
        with self.beside.path.open("wb") as stream:
            stream.write(bands.head())
            facts = []
            for y in range(0, height, rows):
                data, fact = bands.band(np.ascontiguousarray(pixels[y : y + rows, :, :3]))
                stream.write(data)
                facts.append(fact)
            data, patches = bands.tail(facts)
            stream.write(data)
            for place, patch in patches:
                stream.seek(place)
                stream.write(patch)
