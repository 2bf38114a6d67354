"""One picture as PNG, with text beside it."""

import numpy as np
from PIL import Image, PngImagePlugin

from engine.errors import FileError
from engine.output.writers.frame_writer import WholeWriter

# zlib's level. A dithered 800 x 600 picture on two cores: level 1 33 ms, 510 kB; 2 36 ms, 491 kB; 4 54 ms, 436 kB;
# 6 159 ms, 429 kB; 9 1020 ms, 408 kB. Film frames and the first picture of a command wait for it.
LEVEL = 2


def encode(stream, pixels, text=None):
    """Writes (H, W, 3) or (H, W, 4) uint8 as PNG; text is {keyword: text}, stored compressed where it is long."""
    # Pictures are opaque; three channels save a quarter of the work.
    rgb = np.ascontiguousarray(pixels[:, :, :3])
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "neuroscene")
    for keyword, value in (text or {}).items():
        info.add_itxt(keyword, value, zip=len(value) > 200)
    Image.fromarray(rgb).save(stream, "PNG", compress_level=LEVEL, pnginfo=info)


class PngWriter(WholeWriter):
    """One frame, one PNG; see engine.output.writers.frame_writer.WholeWriter."""

    def _put(self, pixels):
        if self.count:
            raise FileError(f"{self.path} holds one picture. For many end the path in / (a folder), .gif or .mp4.")
        with self.beside.path.open("wb") as stream:
            encode(stream, pixels, self.text(0) if self.text else None)
