"""What lies over a picture, as vectors: words as text, lines in space as paths, all else as small images."""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.draw.colour import srgb
from engine.draw.frame import Frame, Sprite
from engine.draw.lines import Lines
from engine.draw.words import text
from engine.draw.words.composite import Composed
from engine.vector.page import Part, Path, Raster, Words, hexadecimal


def sprite_parts(sprites: Iterable[Sprite], mm: float) -> list[Part]:
    """The parts of sprites, in millimetres of `mm` a pixel: the images first, then each line of words once."""
    images: list[Part] = []
    words: dict[tuple, Words] = {}
    for sprite in sprites:
        composite = sprite.image.composite if isinstance(sprite.image, Composed) else None
        lines = [] if composite is None else composite.words
        rest = sprite.image if composite is None else composite.image(words=False)
        images += _image(rest, sprite, mm)
        for written, size, colour, x, y in lines:
            face = text.font(size)
            left, top = sprite.x + x + 1, sprite.y + y
            css = hexadecimal(np.round(255 * np.asarray(colour))[None])[0]
            # A word of its own keeps its middle in the reader's font; words of a card, and those that a wider font
            # would push over the page's left edge, as a legend's title, begin where they began.
            half = text.width(written, size) / 2
            alone = len(lines) == 1 and not rest.any() and left >= half
            at = left + half if alone else left
            place = Words(
                written, at * mm, (top + face.getmetrics()[0]) * mm, size * mm, "middle" if alone else "start", css
            )
            words.setdefault((written, round(left), round(top)), place)
    return [*images, *words.values()]


def _image(image, sprite, mm):
    """The visible part of a sprite's image as a Raster, not multiplied by alpha; none if nothing is seen."""
    seen = image[..., 3] > 2
    if not seen.any():
        return []
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    top, left = rows[0], columns[0]
    part = np.asarray(image[top : rows[-1] + 1, left : columns[-1] + 1], float)
    alpha = part[..., 3:]
    straight = np.round(np.minimum(255.0, part[..., :3] * 255.0 / np.maximum(alpha, 1.0)))
    pixels = np.concatenate([straight, alpha], axis=-1).astype(np.uint8)
    height, width = pixels.shape[:2]
    return [Raster((sprite.x + left) * mm, (sprite.y + top) * mm, width * mm, height * mm, pixels, "card")]


def line_paths(nodes: Sequence[tuple[Lines, np.ndarray]], frame: Frame, mm: float) -> list[Part]:
    """A Path for each colour of the segments of nodes of lines, each with its transform to the world."""
    found: dict[tuple, list[np.ndarray]] = {}
    for node, world in nodes:
        for item in node.items:
            ends = [world[:3, :3] @ item[name][:3] + world[:3, 3] for name in ("start", "end")]
            depths = [float(np.dot(end - frame.camera.eye, frame.camera.forward)) for end in ends]
            least = frame.camera.near
            if max(depths) <= least:
                continue
            for k in (0, 1):
                if depths[k] < least:
                    part = (least - depths[k]) / (depths[1 - k] - depths[k])
                    ends[k] = ends[k] + part * (ends[1 - k] - ends[k])
            places = [frame.project(end) for end in ends]
            if None in places:
                continue
            css = hexadecimal(np.round(255 * srgb(item["start_colour"][:3]))[None])[0]
            key = node.name, css, round(float(item["start_colour"][3]), 2), float(node.width)
            found.setdefault(key, []).append(np.array([place[:2] for place in places if place]) * mm)
    return [
        Path(name.replace(" ", "-"), lines, css, width * frame.scale * mm, opacity=opacity, title=name)
        for (name, css, opacity, width), lines in found.items()
    ]
