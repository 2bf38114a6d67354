"""What the cells of a sheet share, beside them: one range of colours with its legend, one key of lines and colours."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from engine.draw.frame import THEMES, Frame, Sprite
from engine.draw.words.key import Key, KeyRow
from engine.draw.words.legend import Legend, legend_sprites
from engine.draw.words.text import SIZES
from engine.sheets.layout import SheetLayout
from engine.view.camera import Camera

# Pixels round a legend and a key, in sizes of the labels' type.
GAP = 0.9


@dataclass(frozen=True)
class Beside:
    """What stands beside the cells, and not in them.

    legend  the Legend of the range that all cells have; or None
    rows    the KeyRows of all cells; () if there are none, or if they differ in meaning
    """

    legend: Legend | None = None
    rows: tuple[KeyRow, ...] = ()

    def __bool__(self) -> bool:
        return self.legend is not None or bool(self.rows)

    @property
    def span(self) -> tuple[float, float] | None:
        """(low, high): the range of colours of every cell; None for each its own."""
        return None if self.legend is None else (self.legend.low, self.legend.high)


NOTHING = Beside()


def shared_legend(legends: Iterable[tuple[Legend | None, bool]]) -> Legend | None:
    """The Legend of the range that all legends lie in; None where some cell has none, or one of other colours.

    legends   each with whether its range can be wider (Scene.shares); else it must be that of all others

    Marks that all have are kept.
    """
    found: Legend | None = None
    widens = True
    for legend, shares in legends:
        widens = widens and shares
        if legend is None:
            return None
        if found is None:
            found = legend
        elif _meaning(legend, widens) != _meaning(found, widens):
            return None
        else:
            marks = (found.marks, found.words) if legend.marks == found.marks else ((), ())
            low, high = min(found.low, legend.low), max(found.high, legend.high)
            found = replace(found, low=low, high=high, marks=marks[0], words=marks[1])
    return None if found is None else replace(found, around=None, least=0)


def _meaning(legend, widens):
    return legend.title, legend.map, legend.card, None if widens else (legend.low, legend.high)


def shared_rows(keys: Iterable[Iterable[KeyRow]]) -> tuple[KeyRow, ...]:
    """The KeyRows of all keys, each once; () where the same words have different samples, or some cell has no key.

    Lines come first, in the order of the longest key.
    """
    found: dict[str, KeyRow] = {}
    for rows in sorted(map(tuple, keys), key=len, reverse=True):
        named = {row.words: row for row in rows}
        if not named or any(found.get(words, row) != row for words, row in named.items()):
            return ()
        found |= named
    return tuple(sorted(found.values(), key=lambda row: row.kind != "line"))


def sprites(shared: Beside, layout: SheetLayout, theme: str) -> list[Sprite]:
    """The Sprites of legend and key, one above the other, right of the cells, from the height of the first."""
    frame = Frame(Camera(), layout.size, (0, 0, 1, 1), 1, THEMES[theme], layout.type / SIZES["small"])
    gap = round(GAP * layout.type)
    left, top = max(x for x, _ in layout.places) + layout.cell[0] + gap, layout.places[0][1]
    found = [] if shared.legend is None else legend_sprites(shared.legend, frame)
    if found:
        x, y = min(s.x for s in found), min(s.y for s in found)
        found = [Sprite(s.image, s.x - x + left, s.y - y + top) for s in found]
        top = max(s.y + s.image.shape[0] for s in found) + gap
    if shared.rows:
        found.append(Sprite(Key(shared.rows).composite(frame, upright=True).image(), left, top))
    return found


def widened(layout: SheetLayout, shared: Beside, theme: str) -> SheetLayout:
    """The layout with room for what its cells share at its right."""
    found = sprites(shared, layout, theme)
    gap = round(GAP * layout.type)
    right = max((s.x + s.image.shape[1] for s in found), default=0) + gap
    below = max((s.y + s.image.shape[0] for s in found), default=0) + gap
    return replace(layout, size=(max(layout.size[0], right), max(layout.size[1], below)))


def lay(page: np.ndarray, found: list[Sprite]) -> None:
    """Lays sprites over a page (H, W, 4) of uint8, in place."""
    for sprite in found:
        height, width = sprite.image.shape[:2]
        part = page[sprite.y : sprite.y + height, sprite.x : sprite.x + width]
        image = sprite.image[: part.shape[0], : part.shape[1]].astype(float)
        part[..., :3] = np.round(part[..., :3] * (1.0 - image[..., 3:] / 255.0) + image[..., :3])
