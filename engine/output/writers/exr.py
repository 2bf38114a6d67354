"""OpenEXR 2 (scan lines, ZIPS): the light of a picture, linear, as halves or floats, alpha multiplied in."""

import struct
import zlib

import numpy as np

from engine.output.writers.bands import Bands, BandsWriter

MAGIC = b"\x76\x2f\x31\x01\x02\0\0\0"
HALF, FLOAT = 1, 2
# Each scan line is packed by itself, so that bands of any height are independent.
ZIPS = 2
LEVEL = 4
# The largest half.
MOST = 65504.0


class ExrBands(Bands):
    """Halves for a depth of 16, floats for 32; see Bands. The text is an attribute for each keyword."""

    def head(self) -> bytes:
        # The table of the lines' places is unknown here; `tail` returns a patch for it.
        return self._header() + bytes(8 * self.size[1])

    def band(self, pixels: np.ndarray) -> tuple[bytes, dict[str, int]]:
        kind = "<f4"
        if self.encoding.depth == 16:
            kind, pixels = "<f2", np.clip(pixels, -MOST, MOST)
        # In the order of their names: A, B, G, R.
        light = np.ascontiguousarray(pixels.astype(kind)[:, :, ::-1].transpose(0, 2, 1))
        # The line's number depends on the band's place, which is not known here: `tail` patches it.
        lines = [struct.pack("<iI", 0, len(packed)) + packed for packed in map(_packed, light)]
        return b"".join(lines), {str(k): len(line) for k, line in enumerate(lines)}

    def tail(self, facts: list[dict[str, int]]) -> tuple[bytes, list[tuple[int, bytes]]]:
        sizes = [band[str(k)] for band in facts for k in range(min(self.rows, self.size[1])) if str(k) in band]
        place, places = len(self._header()) + 8 * self.size[1], []
        for size in sizes:
            places.append(place)
            place += size
        table = struct.pack(f"<{len(places)}Q", *places)
        numbers = [(place, struct.pack("<i", y)) for y, place in enumerate(places)]
        return b"", [(len(self._header()), table), *numbers]

    def _header(self) -> bytes:
        width, height = self.size
        box = struct.pack("<4i", 0, 0, width - 1, height - 1)
        kind = struct.pack("<iB3x2i", HALF if self.encoding.depth == 16 else FLOAT, 0, 1, 1)
        channels = b"".join(name + b"\0" + kind for name in (b"A", b"B", b"G", b"R")[4 - self.encoding.channels :])
        rows = [
            ("channels", "chlist", channels + b"\0"),
            # Rec. 709 and its white, which sRGB has too.
            ("chromaticities", "chromaticities", struct.pack("<8f", 0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)),
            ("compression", "compression", bytes([ZIPS])),
            ("dataWindow", "box2i", box),
            ("displayWindow", "box2i", box),
            ("lineOrder", "lineOrder", b"\0"),
            ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
            ("screenWindowCenter", "v2f", bytes(8)),
            ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
            ("software", "string", b"neuroscene"),
            *((keyword, "string", text.encode()) for keyword, text in self.text.items()),
        ]
        attributes = [
            name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(data)) + data
            for name, kind, data in rows
        ]
        return MAGIC + b"".join(attributes) + b"\0"


def _packed(line: np.ndarray) -> bytes:
    """A scan line's data: even bytes before odd ones, as differences, deflated; as they are if that is no longer."""
    raw = line.reshape(-1).view(np.uint8)
    split = np.concatenate([raw[0::2], raw[1::2]]).astype(np.int16)
    split[1:] = (np.diff(split) + 128) & 255
    data = zlib.compress(split.astype(np.uint8).tobytes(), LEVEL)
    return data if len(data) < raw.size else raw.tobytes()


class ExrWriter(BandsWriter):
    """One picture; see FrameWriter."""

    bands = ExrBands
    depths, has_alpha, is_linear = (16, 32), True, True
