"""One picture as PNG, with text beside it."""

import numpy as np
from PIL import Image, PngImagePlugin

from engine.errors import FileError
from engine.target.writers.whole import WholeWriter

# zlib's level: on shaded surfaces 1 is a third larger than 6 and three times as fast to write (benchmarked below 20 ms
# for 800 x 600), which is what a first picture from the command line waits for.
LEVEL = 3


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
    """One frame, one PNG; see engine.target.contract.Writer."""

    def _put(self, pixels):
        if self.count:
            raise FileError(f"{self.path} holds one picture. For many end the path in / (a folder), .gif or .mp4.")
        with self.beside.path.open("wb") as stream:
            encode(stream, pixels, self.text(0) if self.text else None)
