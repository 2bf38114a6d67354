"""A card in the picture's lower right corner: words, and small images with a part of each framed."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.draw.colour import linear, srgb
from engine.draw.frame import Frame
from engine.draw.image_plane import checked_image
from engine.draw.words import text
from engine.draw.words.composite import Card, Composite

# Pixels in a picture 720 high.
PAD, GAP, SIDE, STROKE = 12.0, 12.0, 128.0, 2.0
# The frame's colour, which together with a dark line round it is visible on every image.
FRAMED = linear("#ff4fa3")


@dataclass(frozen=True, eq=False)
class InsetImage:
    """A small image; enlarged, its pixels are squares of one colour; reduced, they are averaged.

    pixels    (H, W) or (H, W, 3) uint8, sRGB, row 0 on top
    caption   the text below it
    box       (top, left, bottom, right) in its pixels: a part to frame, bottom and right exclusive; or None
    """

    pixels: np.ndarray
    caption: str = ""
    box: tuple[float, float, float, float] | None = None

    def __post_init__(self):
        checked_image(self.pixels, "An inset")


class Inset(Card):
    """A card with a title, rows of a name and a text, and images below.

    title    if empty, nothing is drawn
    rows     (name, text) pairs
    images   InsetImages side by side
    """

    def __init__(
        self,
        title: str = "",
        rows: Iterable[tuple[str, str]] = (),
        images: Iterable[InsetImage] = (),
        *,
        name: str | None = None,
    ):
        super().__init__(name)
        self.show(title, rows, images)

    def show(self, title: str, rows: Iterable[tuple[str, str]] = (), images: Iterable[InsetImage] = ()) -> None:
        """Sets the contents; if they are the same objects as before, nothing is composed again."""
        self.title, self.rows, self.images = title, tuple(rows), tuple(images)

    def contents(self) -> tuple:
        return (self.title, self.rows, self.images) if self.title else ()

    def composite(self, frame: Frame) -> Composite:
        s, colour = frame.type_scale, srgb(frame.theme.foreground)
        pad, gap = (max(1, round(n * s)) for n in (PAD, GAP))
        head = text.line(self.title, "normal", s)
        names, values = ([text.line(row[k], "small", s) for row in self.rows] for k in (0, 1))
        pictures = [_scaled(image, max(8, round(SIDE * s)), max(1.0, STROKE * s)) for image in self.images]
        captions = [text.line(image.caption, "small", s) for image in self.images]
        line = round(text.line("0", "small", s).shape[0] * 1.15)
        wide_row = max((n.shape[1] + gap + v.shape[1] for n, v in zip(names, values, strict=True)), default=0)
        cells = [max(p.shape[1], c.shape[1]) for p, c in zip(pictures, captions, strict=True)]
        width = max(head.shape[1], wide_row, sum(cells) + gap * max(0, len(cells) - 1)) + 2 * pad
        below = max((p.shape[0] for p in pictures), default=0)
        height = 2 * pad + head.shape[0] + line * len(names) + ((gap + below + line) if pictures else 0)
        composite = Composite(width, height, frame.theme.background, 0.9)
        composite.add(head, colour, pad, pad)
        y = pad + head.shape[0]
        for name, value in zip(names, values, strict=True):
            composite.add(name, colour, pad, y, 0.65)
            composite.add(value, colour, width - pad - value.shape[1], y)
            y += line
        y, x = y + gap, pad
        for picture, caption, cell in zip(pictures, captions, cells, strict=True):
            composite.add(np.ones(picture.shape[:2]), picture, x, y)
            composite.add(caption, colour, x, y + below + (line - caption.shape[0]) // 2, 0.8)
            x += cell + gap
        return composite


def _scaled(image, side, stroke):
    """(h, w, 3) floats: the image scaled to `side` pixels along its longer side, its box framed."""
    pixels = image.pixels if image.pixels.ndim == 3 else np.repeat(image.pixels[..., None], 3, axis=2)
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    # Box resampling: a mean when reduced, the nearest pixel when enlarged.
    scaled = np.asarray(Image.fromarray(pixels).resize((w, h), Image.Resampling.BOX)) / 255.0
    if image.box is not None:
        _frame(scaled, np.array(image.box, float) * (h / height, w / width, h / height, w / width), stroke)
    return scaled


def _frame(image, box, stroke):
    """Draws a frame round a box, in place; round a very small box, outside it."""
    y, x = (np.arange(n) + 0.5 for n in image.shape[:2])
    least = 2.0 * stroke
    top, left, bottom, right = box
    middle, half = ((top + bottom) / 2, (left + right) / 2), [max(n, least) / 2 for n in (bottom - top, right - left)]
    # Distance to the box's edge, negative inside.
    away = np.maximum(abs(y - middle[0])[:, None] - half[0], abs(x - middle[1])[None] - half[1])
    for width, colour in ((2.2 * stroke, (0.0, 0.0, 0.0)), (stroke, srgb(FRAMED))):
        cover = np.clip(width / 2 + 0.5 - abs(away), 0.0, 1.0)[..., None]
        image[:] = image * (1 - cover) + np.asarray(colour) * cover
