"""Text as coverage masks, in the sans serif font that comes with Pillow, its letters spaced evenly at every size."""

from functools import lru_cache
from math import ceil, log10

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.errors import SettingError, near
from engine.kept import kept

# Type sizes in a picture 720 pixels high (captions, labels, titles), and the least size in pixels in any picture.
SIZES = {"small": 12.0, "normal": 15.0, "title": 20.0}
LEAST = 6.0
# Text up to the first size is drawn so many times larger and reduced: at small sizes the font's own widths are whole
# pixels, which sets letters unevenly. Above the second size a pixel more or less is not seen.
FINE = ((32.0, 4), (64.0, 2))
# The heights of lower-case letters are whole pixels up to this size, so that their upper edges are sharp.
SHARP = 20.0


def type_size(kind: str, scale: float) -> float:
    """The pixels of one of SIZES at a scale of words, which is 1 in a picture 720 pixels high (see Frame.type_scale).

    Raises SettingError for other names.
    """
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
    ascent, descent = font(float(size)).getmetrics()
    face, fine, across = _enlarged(float(size))
    cell = max(face.getlength(d) for d in "0123456789")
    parts = list(text) if tabular else [text]
    lengths = [face.getlength(part) for part in parts]
    widths = [cell if tabular and part in "0123456789" else length for part, length in zip(parts, lengths, strict=True)]
    width, height = max(1, int(np.ceil(sum(widths) / across)) + 2), ascent + descent
    image = Image.new("L", (int(np.ceil(width * across)), height * fine))
    at, pen = across, ImageDraw.Draw(image)
    for part, length, wide in zip(parts, lengths, widths, strict=True):
        pen.text((at + (wide - length) / 2, ascent * fine), part, 255, font=face, anchor="ls")
        at += wide
    if fine > 1:
        image = image.resize((width, height), Image.Resampling.BOX, box=(0, 0, width * across, height * fine))
    found = (np.asarray(image, np.float32) / 255.0).view(Mask)
    found.line = text, float(size)
    return found


@lru_cache(maxsize=64)
def _enlarged(size: float) -> tuple[ImageFont.FreeTypeFont, int, float]:
    """(the font that text of a size is drawn in, how many times larger it is upwards, and across)."""
    fine = next((times for most, times in FINE if size <= most), 1)
    face = font(size * fine)
    if size > SHARP:
        return face, fine, float(fine)
    # The whole font is stretched so that an x is whole pixels high; its width is taken back afterwards.
    _, top, _, bottom = face.getbbox("x", anchor="ls")
    tall = (bottom - top) / fine
    stretch = max(1, round(tall)) / tall
    return font(size * fine * stretch), fine, fine * stretch


def line(text: str, kind: str, scale: float) -> np.ndarray:
    """The mask of a line of text in one of SIZES, at a scale of words."""
    return mask(text, type_size(kind, scale))


@lru_cache(maxsize=2048)
def width(text: str, size: float) -> float:
    """The pixels that a line of text takes at a size."""
    face, _, across = _enlarged(float(size))
    return face.getlength(text) / across


def fitted(text: str, size: float, most: float) -> str:
    """The text, cut to `most` pixels and ended by an ellipsis if it is longer."""
    if width(text, size) <= most:
        return text
    while text and width(text + "...", size) > most:
        text = text[:-1]
    return text.rstrip() + "..."


def number(value: float, gap: float = 1.0) -> str:
    """A level or tick as text with few digits, but enough to tell it from others `gap` away."""
    text = f"{value:.6g}"
    if "." in text and "e" not in text:
        text = f"{value:.{max(2, ceil(-log10(gap) - 1e-9))}f}" if gap >= 1e-6 else text
    return text
