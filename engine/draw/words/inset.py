"""A card in the picture's lower right corner: words, and small images with a part of each framed."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.draw.drawable import Drawable
from engine.draw.frame import linear
from engine.draw.words import text
from engine.draw.words.label import SIZES, Sprite
from engine.draw.words.legend import blend, srgb
from engine.errors import ShapeError

# Of a picture 720 pixels high.
PAD, GAP, SIDE, MARGIN, STROKE = 12.0, 12.0, 128.0, 16.0, 2.0
# Seen on every image, with a dark line round it.
FRAMED = linear("#ff4fa3")


@dataclass(frozen=True, eq=False)
class InsetImage:
    """A small image, each of its pixels an even square or a mean of several.

    pixels    (H, W) or (H, W, 3) uint8, sRGB, row 0 on top
    caption   below it
    box       (top, left, bottom, right) in its pixels, framed; bottom and right are behind it. None frames nothing
    """

    pixels: np.ndarray
    caption: str = ""
    box: tuple | None = None

    def __post_init__(self):
        p = self.pixels
        if p.dtype != np.uint8 or p.ndim not in (2, 3) or 0 in p.shape or (p.ndim == 3 and p.shape[2] != 3):
            raise ShapeError(f"An inset's image is (H, W) or (H, W, 3) uint8, not {p.shape} {p.dtype}.")


class Inset(Drawable):
    """A card with a title, rows of a name and a text, and images below.

    title    empty draws nothing
    rows     (name, text) pairs
    images   InsetImages side by side
    """

    def __init__(self, title="", rows=(), images=(), *, name=None):
        super().__init__(name)
        self._kept = None
        self.show(title, rows, images)

    def show(self, title, rows=(), images=()):
        """Takes other contents; the same objects as before cost nothing."""
        self.title, self.rows, self.images = title, tuple(rows), tuple(images)

    def overlay(self, frame, world):
        if not self.title:
            return
        state = self.title, self.rows, self.images, frame.scale, frame.theme
        if self._kept is None or self._kept[0] != state:
            self._kept = state, _card(self.title, self.rows, self.images, frame)
        card, margin = self._kept[1], round(MARGIN * frame.scale)
        place = frame.size[0] - card.shape[1] - margin, frame.size[1] - card.shape[0] - margin
        frame.sprites.append(Sprite(card, *place))


def _card(title, rows, images, frame):
    """(H, W, 4) uint8, premultiplied."""
    s, ink = frame.scale, srgb(frame.theme.ink)
    pad, gap = (max(1, round(n * s)) for n in (PAD, GAP))
    small = max(6.0, SIZES["small"] * s)
    head = text.mask(title, max(6.0, SIZES["normal"] * s))
    names = [text.mask(name, small) for name, _ in rows]
    values = [text.mask(value, small) for _, value in rows]
    pictures = [_scaled(image, max(8, round(SIDE * s)), max(1.0, STROKE * s)) for image in images]
    captions = [text.mask(image.caption, small) for image in images]
    line = round(text.mask("0", small).shape[0] * 1.15)
    wide_row = max((n.shape[1] + gap + v.shape[1] for n, v in zip(names, values, strict=True)), default=0)
    cells = [max(p.shape[1], c.shape[1]) for p, c in zip(pictures, captions, strict=True)]
    width = max(head.shape[1], wide_row, sum(cells) + gap * max(0, len(cells) - 1)) + 2 * pad
    below = max((p.shape[0] for p in pictures), default=0)
    height = 2 * pad + head.shape[0] + line * len(rows) + ((gap + below + line) if images else 0)
    card = np.zeros((height, width, 4))
    card[..., :3], card[..., 3] = srgb(frame.theme.background) * 0.9, 0.9
    blend(card, head, ink, pad, pad)
    y = pad + head.shape[0]
    for name, value in zip(names, values, strict=True):
        blend(card, name, ink, pad, y, 0.65)
        blend(card, value, ink, width - pad - value.shape[1], y)
        y += line
    y, x = y + gap, pad
    for picture, caption, cell in zip(pictures, captions, cells, strict=True):
        h, w = picture.shape[:2]
        card[y : y + h, x : x + w, :3], card[y : y + h, x : x + w, 3] = picture, 1.0
        blend(card, caption, ink, x, y + below + (line - caption.shape[0]) // 2, 0.8)
        x += cell + gap
    return np.round(np.clip(card, 0, 1) * 255).astype(np.uint8)


def _scaled(image, side, stroke):
    """(h, w, 3) floats: the image, its longer side so many pixels long, its box framed."""
    pixels = image.pixels if image.pixels.ndim == 3 else np.repeat(image.pixels[..., None], 3, axis=2)
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    # A box: each pixel is the mean of what it covers, and enlarged, the one that its middle is in.
    scaled = np.asarray(Image.fromarray(pixels).resize((w, h), Image.Resampling.BOX)) / 255.0
    if image.box is not None:
        _frame(scaled, np.array(image.box, float) * (h / height, w / width, h / height, w / width), stroke)
    return scaled


def _frame(image, box, stroke):
    """Frames a box in place; one too small to be seen is framed from outside."""
    y, x = (np.arange(n) + 0.5 for n in image.shape[:2])
    least = 2.0 * stroke
    top, left, bottom, right = box
    middle, half = ((top + bottom) / 2, (left + right) / 2), (bottom - top, right - left)
    half = [max(n, least) / 2 for n in half]
    # Distance to the box's edge, below 0 inside.
    away = np.maximum(abs(y - middle[0])[:, None] - half[0], abs(x - middle[1])[None] - half[1])
    for width, colour in ((2.2 * stroke, (0.0, 0.0, 0.0)), (stroke, srgb(FRAMED))):
        cover = np.clip(width / 2 + 0.5 - abs(away), 0.0, 1.0)[..., None]
        image[:] = image * (1 - cover) + np.asarray(colour) * cover
