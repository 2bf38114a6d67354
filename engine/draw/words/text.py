"""Text as coverage masks, in the sans serif font that comes with Pillow."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.errors import SettingError, near
from engine.kept import kept

# Type sizes in a picture 720 pixels high (captions, labels, titles), and the least size in pixels in any picture.
SIZES = {"small": 12.0, "normal": 15.0, "title": 20.0}
LEAST = 6.0


def type_size(kind: str, scale: float) -> float:
    """The pixels of one of SIZES in a picture `scale` times 720 pixels high. Raises SettingError for other names."""
    if kind not in SIZES:
        raise SettingError(near(kind, SIZES, noun="size of words"))
    return max(LEAST, SIZES[kind] * scale)


@lru_cache(maxsize=64)
def font(size: float) -> ImageFont.FreeTypeFont:
    """Pillow's font (Aileron) at a size in pixels."""
    face = ImageFont.load_default(size)
    assert isinstance(face, ImageFont.FreeTypeFont)
    return face


class Mask(np.ndarray):
    """Coverage of a line of text that knows its words, for those who write it as text; a part of one does not.

    line   (the text, the size of its type in pixels), or None
    """

    line: tuple[str, float] | None

    def __array_finalize__(self, other: object) -> None:
        self.line = None


@kept
def mask(text: str, size: float, tabular: bool = False) -> np.ndarray:
    """(H, W) float32 coverage in [0, 1] of one line of text, as high as the font's lines.

    size      of the type in pixels, positive
    tabular   True: all digits have the same width, so that changing numbers do not move
    """
    face = font(float(size))
    cell = max(face.getlength(d) for d in "0123456789")
    parts = list(text) if tabular else [text]
    lengths = [face.getlength(part) for part in parts]
    widths = [cell if tabular and part in "0123456789" else length for part, length in zip(parts, lengths, strict=True)]
    image = Image.new("L", (max(1, int(np.ceil(sum(widths))) + 2), sum(face.getmetrics())))
    at, pen = 1.0, ImageDraw.Draw(image)
    for part, length, width in zip(parts, lengths, widths, strict=True):
        pen.text((at + (width - length) / 2, 0), part, 255, font=face)
        at += width
    found = (np.asarray(image, np.float32) / 255.0).view(Mask)
    found.line = text, float(size)
    return found


def line(text: str, kind: str, scale: float) -> np.ndarray:
    """The mask of a line of text in one of SIZES, in a picture `scale` times 720 pixels high."""
    return mask(text, type_size(kind, scale))


def fitted(text: str, size: float, most: float) -> str:
    """The text, cut to `most` pixels and ended by an ellipsis if it is longer."""
    if font(float(size)).getlength(text) <= most:
        return text
    while text and font(float(size)).getlength(text + "...") > most:
        text = text[:-1]
    return text.rstrip() + "..."


def number(value: float) -> str:
    """A level or tick as text with few digits."""
    text = f"{value:.6g}"
    if "." in text and "e" not in text:
        text = f"{value:.2f}"
    return text
