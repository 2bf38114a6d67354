"""How a picture is cut: into tiles, drawn one by one, and into bands of rows of tiles, written one by one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.draw.drawable import Drawable
from engine.draw.frame import LAYERS
from engine.draw.node import Node
from engine.errors import SettingError
from engine.render.limits import SIZE_MAX

# {samples a pixel: samples along a pixel's side}
GRIDS = {1: 1, 4: 2, 9: 3, 16: 4}
# A tile's layers stay under 64 MiB: half of what portable devices bind at once.
TILE_BYTES = 2**26
# Samples along a tile's side: the texture size that every device supports (WebGPU specification, section 3.6.2). This
# device's own limit is not used, since pictures must be cut the same way on all devices.
TEXTURE_SIDE = 8192
TILE_SIDE = 4096
# The least pixels of a band: they take a fraction of a second on a graphics card, seconds on a software driver.
BAND_PIXELS = 2**20
# Rays are cast in groups of so many samples along a side.
GROUP = 8
# The most nodes of surfaces in a picture, a limit of render/compose in WGSL.
LISTS_MAX = 4

Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True)
class TilePlan:
    """How one picture is cut. It depends on these fields alone, so that a picture is cut the same way everywhere.

    size         (width, height) in pixels
    grid         samples along a pixel's side
    lists        the number of lists of layers, one for each node of surfaces; at least 1
    tile_bytes   the most bytes of a tile's layers; None: TILE_BYTES; live views set less for smaller tiles
    """

    size: tuple[int, int]
    grid: int
    lists: int = 1
    tile_bytes: int | None = None

    @property
    def tile(self) -> tuple[int, int]:
        """(width, height) of a tile in pixels: of as few as it takes, cut evenly."""
        width, height = self.size
        layer_bytes = LAYERS * 16 * max(1, self.lists) * self.grid**2
        most = max(1, (self.tile_bytes or TILE_BYTES) // layer_bytes)
        side = min(TEXTURE_SIDE // self.grid, TILE_SIDE)
        unit = GROUP // math.gcd(GROUP, self.grid)
        tile_width = _even(width, min(side, most), unit)
        return tile_width, _even(height, max(1, min(side, most // tile_width)), unit)

    def tiles(self, within: Rectangle | None = None) -> Iterator[Rectangle]:
        """(x, y, width, height) of the tiles that cover the picture, or that overlap a part of it, row by row."""
        (width, height), (tile_width, tile_height) = self.size, self.tile
        for y in range(0, height, tile_height):
            for x in range(0, width, tile_width):
                tile = x, y, min(tile_width, width - x), min(tile_height, height - y)
                if within is None or overlap(tile, within):
                    yield tile

    def bands(self) -> Iterator[Rectangle]:
        """(x, y, width, height) of full-width bands from the top down, each of as many whole rows of tiles."""
        (width, height), (_, tile_height) = self.size, self.tile
        rows = tile_height * max(1, BAND_PIXELS // (width * tile_height))
        for y in range(0, height, rows):
            yield 0, y, width, min(rows, height - y)


def _even(length: int, most: int, unit: int) -> int:
    """A part of a length that is cut into as few as it takes, none above `most`; in whole units, if it can."""
    part = -(-length // -(-length // most))
    return min(-(-part // unit) * unit, max(part, most // unit * unit), length)


def plan(stage: Node, size: tuple[int, int], supersample: int, tile_bytes: int | None = None) -> TilePlan:
    """The TilePlan of a picture of a stage that is updated for its moment, since it counts visible nodes of surfaces.

    size          (width, height) in pixels
    supersample   samples a pixel: 1, 4, 9 or 16

    Raises SettingError for wrong sizes and samples, and for more than LISTS_MAX nodes of surfaces.
    """
    try:
        width, height = (int(n) for n in size)
    except (TypeError, ValueError, OverflowError):
        raise SettingError(f"size={size!r}: it takes two numbers, (width, height) in pixels, as (800, 600).") from None
    if supersample not in GRIDS:
        raise SettingError(f"supersample={supersample}: it takes 1, 4, 9 or 16 samples a pixel.")
    if not (1 <= width <= SIZE_MAX and 1 <= height <= SIZE_MAX):
        raise SettingError(f"A picture of {width}x{height} was asked for; each side may be 1 to {SIZE_MAX} pixels.")
    lists = sum(isinstance(node, Drawable) and node.makes_layers for node, _ in stage.walk())
    if lists > LISTS_MAX:
        raise SettingError(f"The scene shows {lists} nodes of surfaces at once; up to 4 can be drawn together.")
    return TilePlan((width, height), GRIDS[supersample], lists, tile_bytes)


def overlap(tile: Rectangle, within: Rectangle) -> Rectangle | None:
    """(x, y, width, height) of the intersection of two rectangles, or None."""
    left, top = max(tile[0], within[0]), max(tile[1], within[1])
    right = min(tile[0] + tile[2], within[0] + within[2])
    bottom = min(tile[1] + tile[3], within[1] + within[3])
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None
