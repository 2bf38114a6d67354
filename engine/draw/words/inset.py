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
# Whether images stand below the words, and the part of SIDE that is theirs, 0 for none: the first is taken that leaves
# bodies free, else the smallest with images.
LAYOUTS = ((False, 1.0), (True, 1.0), (False, 0.8), (False, 0.62), (True, 0.62), (True, 0.45), (False, 0.0))
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
    images   InsetImages side by side, beside the words or below them
    """

    _layout = LAYOUTS[0]

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
        return (self.title, self.rows, self.images, self._layout) if self.title else ()

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        found = []
        for number, layout in enumerate(LAYOUTS if self.title else ()):
            wide, high = _Arranged(self, layout, frame.type_scale).size
            place = self._place(frame, wide, high)
            if place is not None and min(place[1:]) >= 0:
                found.append((place[0], place[0] and not layout[1], wide * high if place[0] else 0, number))
        if found:
            self._layout = LAYOUTS[min(found)[-1]]
            super().overlay(frame, world)

    def composite(self, frame: Frame) -> Composite:
        s = frame.type_scale
        m, colour, stroke = _Arranged(self, self._layout, s), srgb(frame.theme.foreground), max(1.0, STROKE * s)
        composite = Composite(*m.size, frame.theme.background, 0.9)
        composite.add(m.head, colour, m.pad, m.pad)
        y = m.pad + m.head.shape[0]
        for name, value in zip(m.names, m.values, strict=True):
            composite.add(name, colour, m.pad, y, 0.65)
            composite.add(value, colour, m.pad + m.words[0] - value.shape[1], y)
            y += m.line
        x, y = m.corner
        for image, (w, h), caption, cell in zip(m.images, m.shapes, m.captions, m.cells, strict=True):
            composite.add(np.ones((h, w)), _scaled(image, w, h, stroke), x, y)
            composite.add(caption, colour, x, y + m.below + (m.line - caption.shape[0]) // 2, 0.8)
            x += cell + m.gap
        return composite


class _Arranged:
    """The masks and pixels of an Inset's card in a layout."""

    def __init__(self, inset: Inset, layout: tuple[bool, float], s: float):
        self.pad, self.gap = pad, gap = [max(1, round(n * s)) for n in (PAD, GAP)]
        self.head = text.line(inset.title, "normal", s)
        self.names, self.values = ([text.line(row[k], "small", s) for row in inset.rows] for k in (0, 1))
        self.images = inset.images if layout[1] else ()
        self.captions = [text.line(image.caption, "small", s) for image in self.images]
        self.line = round(text.line("0", "small", s).shape[0] * 1.15)
        sides = [np.array(image.pixels.shape[1::-1]) for image in self.images]
        scale = max(8, round(SIDE * s * layout[1]))
        self.shapes = [tuple(np.maximum(1, np.rint(wh * scale / wh.max())).astype(int).tolist()) for wh in sides]
        self.cells = [max(w, c.shape[1]) for (w, _), c in zip(self.shapes, self.captions, strict=True)]
        self.below = max((h for _, h in self.shapes), default=0)
        rows = [n.shape[1] + gap + v.shape[1] for n, v in zip(self.names, self.values, strict=True)]
        self.words = wide, high = max([self.head.shape[1], *rows]), self.head.shape[0] + self.line * len(self.names)
        images = sum(self.cells) + gap * (len(self.cells) - 1), self.below + self.line
        self.size, self.corner = (wide + 2 * pad, high + 2 * pad), (pad, pad)
        if self.cells and layout[0]:
            self.words = max(wide, images[0]), high
            self.size, self.corner = (
                (self.words[0] + 2 * pad, high + gap + images[1] + 2 * pad),
                (pad, pad + high + gap),
            )
        elif self.cells:
            self.size = wide + gap + images[0] + 2 * pad, max(high, images[1]) + 2 * pad
            self.corner = pad + wide + gap, pad


def _scaled(image, w, h, stroke):
    """(h, w, 3) floats: the image scaled, its box framed."""
    pixels = image.pixels if image.pixels.ndim == 3 else np.repeat(image.pixels[..., None], 3, axis=2)
    height, width = pixels.shape[:2]
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
