"""A convolution as a product of matrices: its tiles, and where its weights lie.

An output's inputs are the numbers of its window: tap by tap, row by row, a tap's channels in blocks of four.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from engine.codegen.matmul import product
from engine.codegen.matmul.product import Tile
from engine.gpu.channel_map import groups_of
from engine.network.activations import Activation
from engine.network.graph.nodes import Convolution
from engine.network.mlp import Layer

IDENTITY = Activation("identity")
# Activations that `kernels/convolve_lanes` has as data, so that it compiles once for all of them: the number of each.
LIMITS = ("identity", "relu", "clipped_relu")
# Bytes of weights that are packed and handed over at a time.
PIECE = 4 << 20
# Texels in a row of the image that holds an array of channels.
ROW = 2048
# Outputs of a tile in groups of four, and places of a lane: few sizes, since each needs a shader of its own.
GROUPS = (8, 4, 2, 1)
PLACES = (7, 6, 4, 2, 1)
# Cost of loading a tile's inputs, in groups of products, and its weights, in places: on a core of llvmpipe tiles
# of 7, 6, 4, 2 and 1 places ran at 43, 42, 37, 29 and 20 GFLOP/s, of 8 and 4 groups at 34 and 29.
INPUTS, WEIGHTS = 1.7, 1.3
# Another number of places than the first must be so much faster to be worth one more shader.
ANOTHER = 1.1


def lanes_tile(node: Convolution, places: int, lanes: int) -> Tile:
    """The Tile of a convolution over so many places, where the lanes of a subgroup share loads."""
    groups, least = groups_of(len(node.bias)), -(-places // lanes)

    def taken(whole, size, loads):
        """The cost of all tiles along one side, with fill and loads."""
        return -(-whole // size) * (size + loads)

    count = min(PLACES, key=lambda p: taken(least, p, WEIGHTS) * (1 if p == PLACES[0] else ANOTHER))
    # If channels are in groups, a narrow tile sees fewer of them.
    return Tile(count, min(GROUPS, key=lambda g: taken(groups, g, INPUTS) * blocks_seen(node, g)), lanes)


def corners_text(tile: Tile) -> str:
    """`convolve_corners`, which finds the window corners of a tile's places; no loop, to keep arrays in registers."""
    lines = "".join(f"    convolve_corner({p}u, block);\n" for p in range(tile.points))
    return f"const ROW = {ROW}u;\n\nfn convolve_corners(block: u32) {{\n{lines}}}\n"


def blocks_seen(node: Convolution, tile_groups: int) -> int:
    """Most blocks of channels that the outputs of any tile see; all blocks without groups."""
    return _most_blocks(len(node.bias), *_shares(node), 4 * tile_groups)


def first_block(node: Convolution, tile_groups: int, tile: int) -> int:
    """The first block of channels that a tile sees; the shaders compute the same."""
    outputs, inputs = _shares(node)
    first = 4 * tile_groups * tile // outputs * inputs // 4
    return min(first, groups_of(inputs * node.groups) - blocks_seen(node, tile_groups))


def matrix(node: Convolution, tile_groups: int) -> Layer:
    """The convolution as a Layer: weights (tiles * 4 groups, taps * blocks * 4), 0 for unseen channels, and bias.

    One of single places whose channels fill their blocks is its weights themselves: (O, I).
    """
    outputs, inputs = _shares(node)
    count = len(node.bias)
    if node.groups == node.weights[0, 0].size == 1 and inputs % 4 == 0:
        return Layer(node.weights.reshape(count, inputs), node.bias, IDENTITY)
    tiles = -(-groups_of(count) // tile_groups)
    blocks, size = blocks_seen(node, tile_groups), 4 * tile_groups
    taps = node.weights.transpose(0, 2, 3, 1)
    rows = np.zeros((tiles * size, *taps.shape[1:3], 4 * blocks), np.float32)
    for tile in range(tiles):
        first = 4 * first_block(node, tile_groups, tile)
        # Outputs of a tile by the group of channels that they see.
        for group in range(tile * size // outputs, (min((tile + 1) * size, count) - 1) // outputs + 1):
            some = slice(max(group * outputs, tile * size), min((group + 1) * outputs, (tile + 1) * size))
            at = group * inputs - first
            rows[some, :, :, at : at + inputs] = taps[some]
    bias = np.zeros(len(rows), np.float32)
    bias[:count] = node.bias
    return Layer(rows.reshape(len(rows), -1), bias, IDENTITY)


def lanes_rows(node: Convolution, tile: Tile) -> int:
    """Rows of the image that `packed_lanes` fills."""
    iterations = node.weights[0, 0].size * blocks_seen(node, tile.groups)
    return product.image_height(-(-groups_of(len(node.bias)) // tile.groups) * product.image_rows(iterations))


def packed_lanes(node: Convolution, tile: Tile) -> Iterator[tuple[int, np.ndarray]]:
    """Weights as an image, for `kernels/convolve_lanes`, laid out as by `product.pack_lanes`: some rows at a time.

    returns  (first row, (rows, width, 4) float32, which the next turn writes over)
    """
    count, channels, *window = node.weights.shape
    taps, size = int(np.prod(window)), 4 * tile.groups
    if node.groups > 1 or channels % 4:
        yield 0, product.pack_lanes(matrix(node, tile.groups), tile)
        return
    inputs = taps * channels // 4
    rows, width = product.image_rows(inputs), product.ROW_BLOCKS * size
    tiles = -(-groups_of(count) // tile.groups)
    some = max(1, PIECE // (16 * rows * width))
    image = np.zeros((min(some, tiles) * rows, width, 4), np.float32)
    # In the order of the image: tap, block of channels, group of outputs, channel, output. One copy, of a few MiB at a
    # time: the largest layers have a hundred million weights.
    blocks = image.reshape(-1, rows * product.ROW_BLOCKS, tile.groups, 4, 4)
    for first in range(0, tiles, some):
        for at, number in enumerate(range(first, min(first + some, tiles))):
            weights = node.weights[number * size : (number + 1) * size].reshape(-1, channels // 4, 4, taps)
            bias = node.bias[number * size : (number + 1) * size]
            if len(weights) < size:
                weights = np.concatenate([weights, np.zeros((size - len(weights), *weights.shape[1:]), np.float32)])
                bias = np.concatenate([bias, np.zeros(size - len(bias), np.float32)])
            shaped = weights.reshape(tile.groups, 4, channels // 4, 4, taps).transpose(4, 2, 0, 3, 1)
            blocks[at, :inputs].reshape(taps, -1, tile.groups, 4, 4)[...] = shaped
            blocks[at, inputs].reshape(-1)[:size] = bias
        yield first * rows, image[: min(some, tiles - first) * rows]


def pack_channels(node: Convolution) -> np.ndarray:
    """Weights of a convolution of each channel by itself: (groups, 1 + taps, 4), the bias first."""
    channels = len(node.bias)
    rows = np.zeros((4 * groups_of(channels), 1 + node.weights[0].size), np.float32)
    rows[:channels, 0] = node.bias
    rows[:channels, 1:] = node.weights.reshape(channels, -1)
    return rows.reshape(-1, 4, rows.shape[1]).transpose(0, 2, 1)


def _shares(node):
    """Outputs and inputs of one group of channels."""
    return len(node.bias) // node.groups, node.weights.shape[1]


@cache
def _most_blocks(count, outputs, inputs, size):
    """Most blocks of channels that any tile of so many outputs sees, of `count`, so many in a group."""
    starts = np.arange(0, count, size)
    last = (np.minimum(starts + size, count) - 1) // outputs + 1
    return int((-(-last * inputs // 4) - starts // outputs * inputs // 4).max())
