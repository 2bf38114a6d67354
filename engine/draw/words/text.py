"""Words as coverage masks, in the sans serif that comes with Pillow."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont


@cache
def font(size):
    """Pillow's own Aileron at a size in pixels."""
    return ImageFont.load_default(size)


@cache
def mask(text, size):
    """(H, W) float32 coverage in [0, 1] of one line of text, tight around its ink and line height.

    size   of the type in pixels; any positive number
    """
    face = font(float(size))
    ascent, descent = face.getmetrics()
    width = max(1, int(np.ceil(face.getlength(text))) + 2)
    image = Image.new("L", (width, ascent + descent))
    ImageDraw.Draw(image).text((1, 0), text, 255, font=face)
    return np.asarray(image, np.float32) / 255.0


def tabular(text, size, cell=None):
    """Like `mask`, but every digit takes the same width, so that columns of numbers stand still."""
    face = font(float(size))
    cell = cell or max(face.getlength(d) for d in "0123456789")
    ascent, descent = face.getmetrics()
    widths = [cell if c in "0123456789" else face.getlength(c) for c in text]
    image = Image.new("L", (max(1, int(np.ceil(sum(widths))) + 2), ascent + descent))
    at, pen = 1.0, ImageDraw.Draw(image)
    for c, w in zip(text, widths, strict=True):
        pen.text((at + (w - face.getlength(c)) / 2, 0), c, 255, font=face)
        at += w
    return np.asarray(image, np.float32) / 255.0


def number(value):
    """A level or tick as people write it: few digits."""
    text = f"{value:.6g}"
    if "." in text and "e" not in text:
        text = f"{value:.2f}"
    return text
