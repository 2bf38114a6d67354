"""How a picture is cut: tiles, drawn one by one, and bands of whole rows of them, by which files are written."""

from engine.draw.frame import LAYERS

# Samples a pixel -> samples along its side.
GRIDS = {1: 1, 4: 2, 9: 3, 16: 4}
# A tile's layers stay under 64 MiB: half of what portable devices bind at once.
TILE_BYTES = 2**26
# Samples along a tile's side: the largest texture that every device has (WebGPU specification, section 3.6.2). Not
# this device's own, for a picture is cut alike on all of them.
TEXTURE_SIDE = 8192
TILE_SIDE = 4096
# Pixels of a band, at least: a fraction of a second's work on a graphics card, seconds on a processor.
BAND_PIXELS = 2**20


def tiles(width, height, grid, lists=1, tile_bytes=None):
    """(x, y, width, height) of tiles that cover a picture, each with layers under TILE_BYTES; whole rows first.

    grid    samples along a pixel's side
    lists   of layers, that the scene's nodes of surfaces make; a scene without any is cut as one with one

    They depend on nothing else, so that the same picture is cut alike wherever it is made.
    """
    tile_width, tile_height = _shape(width, height, grid, lists, tile_bytes)
    for y in range(0, height, tile_height):
        for x in range(0, width, tile_width):
            yield x, y, min(tile_width, width - x), min(tile_height, height - y)


def bands(width, height, grid, lists=1):
    """(x, y, width, height) of full-width bands from the top down, each of as many whole rows of tiles."""
    _, tile_height = _shape(width, height, grid, lists)
    rows = tile_height * max(1, BAND_PIXELS // (width * tile_height))
    for y in range(0, height, rows):
        yield 0, y, width, min(rows, height - y)


def overlap(tile, within):
    """(x, y, width, height) of what two rectangles share, or None."""
    left, top = max(tile[0], within[0]), max(tile[1], within[1])
    right = min(tile[0] + tile[2], within[0] + within[2])
    bottom = min(tile[1] + tile[3], within[1] + within[3])
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None


def _shape(width, height, grid, lists, tile_bytes=None):
    most = max(1, (tile_bytes or TILE_BYTES) // (LAYERS * 16 * max(1, lists) * grid * grid))
    side = min(TEXTURE_SIDE // grid, TILE_SIDE)
    tile_width = min(width, side, most)
    return tile_width, max(1, min(height, side, most // tile_width))
