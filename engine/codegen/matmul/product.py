"""One wide layer at many points: the written-out register tile of the product, and where its weights lie.

A tile is POINTS points by GROUPS groups of four outputs, all its sums in registers, four inputs an iteration.
"""

from dataclasses import dataclass

import numpy as np

from engine.codegen.mlp.units import groups, imports, is_bent, selected, spans
from engine.codegen.text import function, header, indented
from engine.gpu.channel_map import groups_of
from engine.network.activations import JOINT
from engine.network.mlp import Layer, Mlp
from engine.network.units.mixed import LayerActivation

# Blocks of inputs in a row of the image of weights, which textures' largest width bounds: 128 x 40 is below 8192.
ROW_BLOCKS = 128
# What the tile of a workgroup takes on a GPU: 4 blocks of inputs, 128 points and 16 groups of outputs, in 12 of the
# 16 KiB of workgroup memory that every adapter has.
SLAB, SLAB_GROUPS = 4, 16
# Activations short enough to be written out for every sum of a tile. The others are in a loop over the points, which
# costs 3% at 400 inputs, but written out they take longer to compile than all products: gelu 0.6 of 1.0 s, and
# float16 2 s.
SHORT = ("identity", "relu", "leaky_relu", "tanh")


@dataclass(frozen=True)
class Tile:
    """What one invocation computes.

    points   how many points
    groups   how many groups of four outputs
    lanes    0: loads come from workgroup memory. Else the size of a subgroup, which loads as many weights at once and
             broadcasts each of them
    """

    points: int
    groups: int
    lanes: int = 0


def lanes_tile(outputs: int, lanes: int) -> Tile:
    """The Tile for a layer of so many outputs where lanes share loads.

    On two cores 3 points by 40 outputs ran at 84 GFLOP/s, 5 by 24 at 86, 5 by 40 at 97, and 6 by 40 at 100; 8 by 40,
    whose code a processor's cache no longer holds, at 82. The number of outputs is chosen so that few of the last tile
    are unused: 400 are ten times 40.
    """
    blocks = groups_of(outputs)
    choices = [blocks] if blocks < 6 else range(6, 11)
    return Tile(6, min(choices, key=lambda g: (-(-blocks // g) * g, -g)), lanes)


# 8 points by 8 outputs: 64 multiply-adds for 16 loads of four numbers, and registers enough on every GPU.
SLAB_TILE = Tile(8, 2)


# How responses are stored: as they are, or as float16, of which the largest is 65504.
STORED = """\
fn product_stored(value: vec4f) -> vec4f {
    return value;
}
"""
STORED_HALF = """\
fn product_stored(value: vec4f) -> vec2u {
    let v = clamp(value, vec4f(-65504.0), vec4f(65504.0));
    return vec2u(pack2x16float(v.xy), pack2x16float(v.zw));
}
"""
LOADED = """\
fn product_loaded(stored: vec4f) -> vec4f {
    return stored;
}
"""
LOADED_HALF = """\
fn product_loaded(stored: vec2u) -> vec4f {
    return vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y));
}
"""


def product_module(
    tile: Tile,
    activation: LayerActivation,
    units: int = 0,
    *,
    whole: bool = False,
    loads_half: bool = False,
    stores_half: bool = False,
    looped: bool = False,
    sparse: bool = False,
    keeps_nan: bool = False,
) -> str:
    """The text of `generated/product`: `product_tile`, which computes and stores one invocation's Tile.

    It calls what the kernel defines: product_bias(g), product_response(k, p), inputs 4 k to 4 k + 3 of point p of the
    tile, product_store(p, g, value), and for weights, where lanes share loads, product_shared(k, i), which gives each
    lane its one of the `lanes` columns of weights from number `lanes` i on; without, product_weights(k, g, j), from
    input 4 k + j to group g, k counting within a slab, and product_slab(s), which loads slab s. Where units have
    several activations, also product_group(g), the number in the layer of group g of the tile.

    It gives product_loaded and product_stored, from and to what lies in memory: vec4f, or vec2u where it is float16.

    units   of the layer, where its groups of four units differ; else 0
    whole   whether numbers past the last point and output are stored too
    looped  whether responses of all activations are stored in a loop over the points: a third less to compile, where
            product_store is long
    sparse  whether blocks of weights that are 0 are left out: the binding `blocks` has `blocks_of` the weights
    keeps_nan  whether responses to NaN are NaN, where units have one activation

    product_tile takes the number of the tile of outputs as an argument: the compiler sees that it is uniform.
    """
    needed = filter(is_bent, activation.kinds)
    short = all(kind.name in SHORT for kind in activation.kinds) and not stores_half and not looped
    lines = [
        *header(
            f"The product of a layer: a tile of {tile.points} points by {4 * tile.groups} outputs, then {activation}.",
            f"weights: {f'shared by {tile.lanes} lanes of a subgroup' if tile.lanes else 'from workgroup memory'}",
            f"responses: read as float{16 if loads_half else 32}, written as float{16 if stores_half else 32}",
            "s: sums <group>_<point>, w: weights <group>_<input>, h: responses <point>",
        ),
        *imports(needed),
        *(["#import lib/finite"] if keeps_nan else []),
        *(["#import arithmetic/plain"] if any(kind.name in JOINT for kind in activation.kinds) else []),
        "",
        f"const TILE_POINTS = {tile.points}u;",
        f"const TILE_GROUPS = {tile.groups}u;",
        *([f"const LANES = {tile.lanes}u;", f"const ROW_BLOCKS = {ROW_BLOCKS}u;"] if tile.lanes else []),
        f"const WHOLE = {str(whole).lower()};",
        "",
        LOADED_HALF if loads_half else LOADED,
        STORED_HALF if stores_half else STORED,
        *(_activation_of_group(activation, units) if units else []),
        "fn product_tile(iterations: u32, number: u32) {",
        *(f"    {line}" for line in _body(tile, activation, units, short, sparse, keeps_nan)),
        "}",
    ]
    return "\n".join([*lines, ""])


def _body(tile, activation, units, short, sparse, keeps_nan):
    yield from _start(tile)
    block, most = "iteration", "iterations"
    if sparse:
        block, most = "block", "blocks[first]"
        yield "let first = number * (iterations + 1u);"
    # llvmpipe ends loops after 65,535 iterations.
    yield f"for (var iteration = 0u; iteration < min({most}, 65535u); iteration++) {{"
    if sparse:
        yield "    let block = blocks[first + 1u + iteration];"
    if tile.lanes:
        yield from indented(_iteration(tile, block))
    else:
        yield f"    product_slab({block});"
        for k in range(SLAB):
            yield from indented(["{", *indented(_iteration(tile, f"{k}u")), "}"])
    yield "}"
    yield from _end(tile, activation, units, short, keeps_nan)


def _end(tile, activation, units, short, keeps_nan):
    """Statements that store the responses."""
    keeps_nan = keeps_nan and is_bent(activation)
    if short or not tile.lanes:
        for g in range(tile.groups):
            for p in range(tile.points):
                yield f"product_store({p}u, {g}u, {_response(activation, units, f's{g}_{p}', g, keeps_nan)});"
        return
    # An iteration stores the first point's responses and moves the others up.
    yield f"for (var p = 0u; p < {tile.points}u; p++) {{"
    for g in range(tile.groups):
        yield f"    product_store(p, {g}u, {_response(activation, units, f's{g}_0', g, keeps_nan)});"
        for p in range(1, tile.points):
            yield f"    s{g}_{p - 1} = s{g}_{p};"
    yield "}"


def _start(tile):
    if tile.lanes:
        yield from _shared(tile, "iterations", tile.groups)
    for g in range(tile.groups):
        bias = _lane(tile, g) if tile.lanes else f"product_bias({g}u)"
        yield f"let bias{g} = {bias};"
        for p in range(tile.points):
            yield f"var s{g}_{p} = bias{g};"


def _iteration(tile, k):
    """Four inputs: their products are added to all sums, output group by group, so that few loads are held at once."""
    if tile.lanes:
        yield from _shared(tile, k, 4 * tile.groups)
    for p in range(tile.points):
        yield f"let h{p} = product_response({k}, {p}u);"
    for g in range(tile.groups):
        for j in range(4):
            weights = _lane(tile, 4 * g + j) if tile.lanes else f"product_weights({k}, {g}u, {j}u)"
            yield f"let w{g}_{j} = {weights};"
        for p in range(tile.points):
            yield from _products(f"s{g}_{p}", *((f"w{g}_{j}", f"vec4f(h{p}.{'xyzw'[j]})") for j in range(4)), tile=tile)


def _products(s, a, b, c, d, *, tile):
    """Four products added to a sum."""
    if tile.lanes:
        # Software drivers make two steps of an fma in any case; summed in pairs first, each sum waits for one addition
        # in place of four: 3% faster.
        yield f"{s} += ({a[0]} * {a[1]} + {b[0]} * {b[1]}) + ({c[0]} * {c[1]} + {d[0]} * {d[1]});"
        return
    for weights, response in (a, b, c, d):
        yield f"{s} = fma({weights}, {response}, {s});"


def _shared(tile, k, columns):
    for i in range(-(-columns // tile.lanes)):
        yield f"let c{i} = product_shared({k}, {i}u);"


def _lane(tile, column):
    return f"subgroupBroadcast(c{column // tile.lanes}, {column % tile.lanes}u)"


def _response(activation, units, z, g, keeps_nan):
    if units:
        return f"product_activated(product_group({g}u), {z})"
    found = _one(activation, z)
    return f"nan_kept({z}, {found})" if keeps_nan else found


def _one(activation, z):
    """Softmax takes all outputs together, in a kernel of its own."""
    if activation.name in JOINT:
        return f"plain_product({z}, 0.0)"
    return activation.wgsl("value", z) if is_bent(activation) else z


def _activation_of_group(activation, units):
    """The lines of a function that takes each group of a layer by its number to its own activations."""
    each = groups(activation, units)
    lines = [
        f"if group < {span.stop}u {{ return {selected(each[span[0]], lambda a: _one(a, 'z'))}; }}"
        for span in spans(each)
    ]
    return function("product_activated(group: u32, z: vec4f) -> vec4f", [*lines, "return z;"])


def blocks_of(layer: Layer, outputs: int, inputs: int) -> np.ndarray:
    """Where a layer's weights are not 0, in blocks of so many outputs by inputs.

    returns  (tiles of outputs, 1 + blocks of inputs) uint32: of each tile the count of blocks with a weight that is not
             0, their numbers, and fill
    """
    rows, columns = layer.weights.shape
    tiles, most = -(-rows // outputs), -(-columns // inputs)
    full = np.zeros((tiles * outputs, most * inputs), bool)
    full[:rows, :columns] = layer.weights != 0
    some = full.reshape(tiles, outputs, most, inputs).any(axis=(1, 3))
    # False comes after True, and each keeps its order.
    order = np.argsort(~some, axis=1, kind="stable")
    return np.concatenate([some.sum(axis=1, keepdims=True), order], axis=1).astype(np.uint32)


def pack_lanes(layer: Layer, tile: Tile) -> np.ndarray:
    """A layer's weights as an image: for each tile of outputs some rows, ROW_BLOCKS blocks of inputs in each.

    returns  (rows, ROW_BLOCKS * 4 * groups, 4) float32, rows filled up as image_height says. A block is the columns of
             four inputs, group of outputs by group; after the last block follows the bias.
    """
    rows, width = layer.weights.shape
    size, inputs = 4 * tile.groups, groups_of(width)
    tiles = -(-groups_of(rows) // tile.groups)
    image = np.zeros((image_height(tiles * image_rows(inputs)), ROW_BLOCKS * size, 4), np.float32)
    blocks = image[: tiles * image_rows(inputs)].reshape(tiles, -1, tile.groups, 4, 4)
    # One copy, tile by tile: the largest layers have a hundred million weights.
    for number, block in enumerate(blocks):
        some = slice(number * size, (number + 1) * size)
        block[:inputs] = _filled(layer.weights[some], size, inputs).transpose(2, 0, 3, 1)
        block[inputs].reshape(-1)[: len(layer.bias[some])] = layer.bias[some]
    return image


def narrow_columns(groups: int, lanes: int) -> int:
    """Columns of weights of one group of outputs in `pack_narrow`: whole loads of so many lanes."""
    return -(-(4 * groups + 1) // lanes) * lanes


def pack_narrow(net: Mlp, groups: int, lanes: int) -> np.ndarray:
    """A narrow network's weights as an image, a layer in each row.

    groups   of four units at most in a layer
    returns  (layers, groups of outputs * narrow_columns, 4) float32: of each group all inputs, of which the last are
             used, and the bias
    """
    columns = narrow_columns(groups, lanes)
    image = np.zeros((image_height(len(net.layers)), groups, columns, 4), np.float32)
    for row, layer in zip(image, net.layers, strict=False):
        outputs, inputs = (groups_of(n) for n in layer.weights.shape)
        full = np.zeros((4 * outputs, 4 * inputs), np.float32)
        full[: layer.weights.shape[0], : layer.weights.shape[1]] = layer.weights
        first = 4 * (groups - inputs)
        row[:outputs, first : 4 * groups] = full.reshape(outputs, 4, -1).transpose(0, 2, 1)
        row[:outputs, 4 * groups] = np.pad(layer.bias, (0, 4 * outputs - len(layer.bias))).reshape(-1, 4)
    return image.reshape(len(image), -1, 4)


def _filled(weights, size, inputs):
    """(groups, 4, blocks of inputs, 4) weights of a tile of `size` outputs, filled up with zeros."""
    if weights.shape != (size, 4 * inputs):
        whole = np.zeros((size, 4 * inputs), np.float32)
        whole[: len(weights), : weights.shape[1]] = weights
        weights = whole
    return weights.reshape(-1, 4, inputs, 4)


def image_height(rows: int) -> int:
    """Rows of an image that has room for `rows` rows: never a power of two.

    llvmpipe compiles a shader once for images whose sides are powers of two and once for others: up to four times for
    the two images of a product, which takes most of a network's first run.
    """
    rows = max(rows, 3)
    return rows + (rows & (rows - 1) == 0)


def image_rows(inputs: int) -> int:
    """Rows of one tile in the image of weights, for so many blocks of inputs and the bias."""
    return inputs // ROW_BLOCKS + 1


def pack_slabs(layer: Layer) -> np.ndarray:
    """A layer's weights for workgroups: (inputs + 1, groups, 4) float32, both filled up; the last row is the bias."""
    outputs = -(-groups_of(len(layer.bias)) // SLAB_GROUPS) * SLAB_GROUPS
    inputs = -(-groups_of(layer.weights.shape[1]) // SLAB) * SLAB
    columns, bias = _columns(layer, outputs, inputs)
    return np.concatenate([columns.reshape(4 * inputs, outputs, 4), bias.reshape(1, outputs, 4)])


def _columns(layer, outputs, inputs):
    """(4 inputs, 4 outputs) weights, filled up with zeros, and the bias."""
    rows, width = layer.weights.shape
    columns, bias = np.zeros((4 * inputs, 4 * outputs), np.float32), np.zeros(4 * outputs, np.float32)
    columns[:width, :rows] = layer.weights.T
    bias[:rows] = layer.bias
    return columns, bias
