"""Layers of any width at many points, each a product of matrices, computed on the GPU."""

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.matmul import product as code
from engine.codegen.mlp.units import groups
from engine.errors import NetworkError, SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import groups_of
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Dispatch, Kernel, subgroup_size
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels import softmax
from engine.network.mlp import Layer, Mlp

PRECISIONS = ("f32", "f16")
HALF_MOST = 65504
# Sizes of subgroups for which tiles are laid out.
LANES = (4, 8, 16)
VEC4 = np.dtype(("f4", 4))
# Multiply-adds of one dispatch, at most: 0.03 s on two cores, or on a GPU that does 1 TFLOP/s.
WORK, GPU_WORK = 1 << 30, 1 << 34
# Bytes of responses between two layers: so many stay in a processor's cache.
CACHED = 1 << 22
# Of the blocks of a layer's weights, as many as may be other than 0 where the others are left out. A residual network
# 256 wide, whose units pass its signal on, took 0.35 s so and 0.60 s with all of them, on two cores.
FEW = 0.8
# And so many keep a GPU busy.
HELD = 1 << 26

LANES_PRODUCT = struct(
    "Product", inputs="u32", groups="u32", rows="u32", count="u32",
    by_row="u32", by_lane="u32", by_group="u32", offset="u32",
)  # fmt: skip
ENTER_PRODUCT = struct("Product", row="u32", inputs="u32", count="u32", first="u32")
SLABS_PRODUCT = struct(
    "Product", inputs="u32", groups="u32", slabs="u32", row="u32", count="u32", first="u32", offset="u32"
)


def evaluate(net: Mlp, points: ArrayLike, *, precision: str = "f32", variant: str | None = None) -> np.ndarray:
    """The network's value at each point, every layer by a product of matrices.

    points    (N, inputs)
    returns   (N, outputs) float32
    precision, variant   as for Wide
    Raises ShapeError if points are not as wide as the input layer.
    """
    padded, groups = padded_points(net, points), groups_of(net.outputs)
    count = len(padded)
    values = Array(VEC4, count * groups)
    if count:
        with device().recording() as encoder:
            Wide(net, precision, variant=variant).record(encoder, Array.of(padded.reshape(-1, 4)), values, count)
    return values.read(count * groups).reshape(count, 4 * groups)[:, : net.outputs]


def padded_points(net: Mlp, points: ArrayLike) -> np.ndarray:
    """(N, inputs) points as float32, filled up with zeros to whole groups of four.

    Raises ShapeError if they are not as wide as the input layer.
    """
    given = np.asarray(points, np.float32)
    if given.ndim != 2 or given.shape[1] != net.inputs:
        raise ShapeError(f"Points are {given.shape}, but {net} needs (N, {net.inputs}).")
    padded = np.zeros((len(given), groups_of(net.inputs) * 4), np.float32)
    padded[:, : net.inputs] = given
    return padded


def check_half(net: Mlp, precision: str, *, biases: bool = True) -> None:
    """Raises SettingError for another precision than f32 and f16, NetworkError where a weight is too large for f16.

    biases   whether biases are stored as float16 too
    """
    if precision not in PRECISIONS:
        raise SettingError(f"Precision `{precision}` was asked for; there are {' and '.join(PRECISIONS)}.")
    for i, layer in enumerate(net.layers[1:] if precision == "f16" else (), 1):
        most = max(abs(layer.weights).max(), abs(layer.bias).max() if biases else 0.0)
        if most > HALF_MOST:
            raise NetworkError(f"Layer {i} of {net} holds {most:g}; float16 ends at {HALF_MOST}. Take f32.")


class Wide:
    """A network of layers of any width, ready to be evaluated at arrays of points that stay on the GPU.

    net         any Mlp
    precision   f32; or f16: past the first layer weights, biases and responses are stored as float16, in half the
                memory; products of them are exact, their sums, activations and outputs float32. Any adapter has it
    variant     "lanes", where invocations of a subgroup share loads, or "slabs", where workgroups do; the adapter's
                best unless given

    Raises SettingError for another precision, NetworkError for f16 where a weight is past its largest number, 65504.

    Between layers responses of some points at a time lie in its own memory, a few MiB on software drivers and at most
    twice HELD on others, however many points there are.
    """

    def __init__(self, net: Mlp, precision: str = "f32", *, variant: str | None = None):
        check_half(net, precision)
        self.net, self.precision = net, precision
        layers = _Lanes if (variant or best_variant(net)) == "lanes" else _Slabs
        self._layers: _Lanes | _Slabs = layers(net, precision == "f16")

    def show(self, net: Mlp) -> None:
        """Takes another network of the same shape; compiles nothing, and copies only the layers that differ."""
        pairs = enumerate(zip(self.net.layers, net.layers, strict=True))
        changed = [i for i, (old, new) in pairs if not same_layer(old, new)]
        check_half(net, self.precision)
        self.net = net
        self._layers.show(net, changed)

    def record(self, encoder: Encoder, points: Array, values: Array, count: int) -> None:
        """Records the evaluation of all points.

        points   an Array of (count, groups of four inputs) vec4f
        values   an Array of (count, groups of four outputs) vec4f, to be written
        """
        size, groups = self._layers.chunk, groups_of(self.net.outputs)
        for first in range(0, count, size):
            n = min(size, count - first)
            self._layers.record(encoder, points, values, first, n)
            last = self.net.activations[-1]
            if last.is_whole:
                softmax.in_place(
                    values, self.net.outputs, n, first=first * groups, by_place=groups, by_group=1,
                    logarithm=str(last) == "log_softmax",
                ).record(encoder)  # fmt: skip


def same_layer(a: Layer, b: Layer) -> bool:
    """True where two layers have the same numbers."""
    return np.array_equal(a.weights, b.weights) and np.array_equal(a.bias, b.bias)


def best_variant(net: Mlp) -> str:
    """How this adapter evaluates a network: "lanes" on software drivers whose subgroups share loads, else "slabs"."""
    lanes = subgroup_size()
    if not device().is_software or lanes not in LANES:
        return "slabs"
    side = device().limits["max-texture-dimension-2d"]
    return "lanes" if all(_fits(layer, lanes, side) for layer in net.layers) else "slabs"


def _fits(layer, lanes, side):
    """Whether images of a layer's weights, inputs and outputs are no larger than textures may be."""
    outputs, inputs = (groups_of(n) for n in layer.weights.shape)
    groups = code.lanes_tile(len(layer.bias), lanes).groups
    height = code.image_height(-(-outputs // groups) * code.image_rows(inputs))
    return max(_filled(inputs, 1, lanes) * lanes, _filled(outputs, groups, lanes) * lanes, height) <= side


class _Lanes:
    """Lanes of a subgroup share loads of weights; responses pass from layer to layer as an image."""

    def __init__(self, net, half):
        self.lanes = subgroup_size()
        self.tiles = [code.lanes_tile(len(x.bias), self.lanes) for x in net.layers]
        self.inputs = [groups_of(x.weights.shape[1]) for x in net.layers]
        self.groups = [groups_of(len(x.bias)) for x in net.layers]
        last = len(net.layers) - 1
        # Formats of the images that each layer reads: its weights, and the responses of the layer before.
        formats = ["rgba32float", *["rgba16float" if half else "rgba32float"] * last]
        self.blocks = [_Blocks(layer, 4 * tile.groups, 4) for layer, tile in zip(net.layers, self.tiles, strict=True)]
        self.kernels = [
            _lanes_kernel(tile, layer.activation, _units(layer), formats[i], i < last, half, blocks.are_few)
            for i, (tile, layer, blocks) in enumerate(zip(self.tiles, net.layers, self.blocks, strict=True))
        ]
        self.weights = [
            Texture.of(code.pack_lanes(layer, tile), format, "STORAGE_BINDING")
            for layer, tile, format in zip(net.layers, self.tiles, formats, strict=True)
        ]
        # A tile's points fill whole rows of the image.
        step = self.tiles[0].points * self.lanes
        # Blocks in a row of the image that each layer reads, of whole tiles of the layer before.
        self.rows = [
            _filled(self.inputs[0], 1, self.lanes),
            *(_filled(g, t.groups, self.lanes) for g, t in zip(self.groups[:-1], self.tiles, strict=False)),
        ]
        widest = max(self.rows)
        most = min(CACHED // (16 * widest), WORK // max(x.weights.size for x in net.layers))
        self.chunk = max(1, min(most // step, 8192 // self.tiles[0].points)) * step
        size = (widest * self.lanes, code.image_height(self.chunk // self.lanes))
        kinds = {f: Texture(size, f, "STORAGE_BINDING") for f in dict.fromkeys(formats)}
        self.images = [kinds[f] for f in formats]
        self.staged = Array(VEC4, widest * self.chunk)
        self._dispatches: dict[tuple[int, int], Dispatch] = {}

    def show(self, net, changed):
        for i in changed:
            self.weights[i].write(code.pack_lanes(net.layers[i], self.tiles[i]))
            self.blocks[i].show(net.layers[i])

    def record(self, encoder, points, values, first, count):
        self._enter(encoder, points, first, count)
        last = len(self.kernels) - 1
        for i in range(last):
            self._middle(i, count).record(encoder)
            self._copy(encoder, i + 1, count)
        g = self.groups[last]
        places = dict(by_row=self.lanes * g, by_lane=g, by_group=1, offset=first * g, count=count)
        self._prepared(last, values, count, places).record(encoder)

    def _rows(self, count):
        """Rows of the image that hold so many points, for whole tiles."""
        points = self.tiles[0].points
        return -(-count // (self.lanes * points)) * points

    def _enter(self, encoder, points, first, count):
        row = self.rows[0]
        uniform = ENTER_PRODUCT.new(row=row, inputs=self.inputs[0], count=count, first=first)
        counts = (self._rows(count), -(-row // 8))
        _enter_kernel(self.lanes).prepared(counts, product=uniform, points=points, output=self.staged).record(encoder)
        self._copy(encoder, 0, count)

    def _middle(self, i, count):
        key = i, self._rows(count)
        if key not in self._dispatches:
            places = dict(by_row=self.rows[i + 1] * self.lanes, by_lane=1, by_group=self.lanes)
            self._dispatches[key] = self._prepared(i, self.staged, count, places)
        return self._dispatches[key]

    def _prepared(self, i, output, count, places):
        tile, inputs, groups = self.tiles[i], self.inputs[i], self.groups[i]
        uniform = LANES_PRODUCT.new(inputs=inputs, groups=groups, rows=code.image_rows(inputs), **places)
        return self.kernels[i].prepared(
            (-(-groups // tile.groups), self._rows(count) // tile.points), product=uniform, responses=self.images[i],
            weights=self.weights[i], output=output, **self.blocks[i].binding,
        )  # fmt: skip

    def _copy(self, encoder, i, count):
        """Copies the staged responses into the image that layer i reads."""
        wide, rows, texel = self.rows[i] * self.lanes, self._rows(count), TEXEL[self.images[i].format]
        encoder.copy_buffer_to_texture(
            {"buffer": self.staged.buffer, "bytes_per_row": wide * texel, "rows_per_image": rows},
            {"texture": self.images[i].handle},
            (wide, rows, 1),
        )


class _Slabs:
    """Workgroups take tiles through their memory; responses pass from layer to layer as rows of points."""

    POINTS = 128

    def __init__(self, net, half):
        self.half = half
        self.groups = [groups_of(len(x.bias)) for x in net.layers]
        self.inputs = [groups_of(x.weights.shape[1]) for x in net.layers]
        last = len(net.layers) - 1
        self.blocks = [_Blocks(layer, 4 * code.SLAB_GROUPS, 4 * code.SLAB) for layer in net.layers]
        self.kernels = [
            _slabs_kernel(x.activation, _units(x), half and i > 0, half and i < last, blocks.are_few)
            for i, (x, blocks) in enumerate(zip(net.layers, self.blocks, strict=True))
        ]
        self.weights = [Array.of(self._packed(net, i)) for i in range(len(net.layers))]
        widest = max([1, *self.groups[:-1]])
        room = device().limits["max-storage-buffer-binding-size"]
        work = WORK if device().is_software else GPU_WORK
        most = min(min(HELD, room) // (16 * widest), work // max(x.weights.size for x in net.layers))
        self.chunk = max(1, min(most // self.POINTS, MAX_GROUPS)) * self.POINTS
        self.widest = widest
        self.between: list[Array] = []

    def _packed(self, net, i):
        return code.pack_slabs(net.layers[i]).reshape(-1, 4).astype("f2" if self.half and i else "f4")

    def show(self, net, changed):
        for i in changed:
            self.weights[i].write(self._packed(net, i))
            self.blocks[i].show(net.layers[i])

    def record(self, encoder, points, values, first, count):
        last = len(self.kernels) - 1
        need = min(self.chunk, -(-count // self.POINTS) * self.POINTS) * self.widest
        if not self.between or self.between[0].count < need:
            self.between = [Array(VEC4, need) for _ in range(min(2, last))] or [points]
        for i, kernel in enumerate(self.kernels):
            output = values if i == last else self.between[i % 2]
            slabs = -(-self.inputs[i] // code.SLAB)
            row = -(-self.groups[i] // code.SLAB_GROUPS) * code.SLAB_GROUPS
            uniform = SLABS_PRODUCT.new(
                inputs=self.inputs[i], groups=self.groups[i], slabs=slabs, row=row, count=count,
                first=first if i == 0 else 0, offset=first if i == last else 0,
            )  # fmt: skip
            kernel.prepared(
                (-(-count // self.POINTS), row // code.SLAB_GROUPS), product=uniform, responses=points,
                weights=self.weights[i], output=output, **self.blocks[i].binding,
            ).record(encoder)  # fmt: skip
            points = output


class _Blocks:
    """Which blocks of a layer's weights are not 0, on the GPU where leaving the others out is worth it.

    Units that pass their sums on have one weight each, and parts of networks side by side none between them.
    """

    def __init__(self, layer, outputs, inputs):
        self.size = outputs, inputs
        found = code.blocks_of(layer, *self.size)
        self.are_few = found[:, 0].sum() <= FEW * (found.shape[1] - 1) * len(found)
        self.array = Array.of(found.ravel()) if self.are_few else None

    @property
    def binding(self):
        """The kernel's binding, if it has one."""
        return {"blocks": self.array} if self.are_few else {}

    def show(self, layer):
        if self.array is not None:
            self.array.write(code.blocks_of(layer, *self.size).ravel())


BLOCKS = Binding("blocks", "read", "array<u32>")
# Bytes of a texel.
TEXEL = {"rgba32float": 16, "rgba16float": 8}


def _stored(half):
    return "array<vec2u>" if half else "array<vec4f>"


def _units(layer):
    """How many units a layer has, where its code depends on it: where some of its units, or the fill, differ."""
    first, *others = set(groups(layer.activation, len(layer.bias)))
    return len(layer.bias) if others or len(first) > 1 else 0


@kept
def _lanes_kernel(tile, activation, units, format, whole, half, sparse):
    image = f"texture_storage_2d<{format}, read>"
    half = half and whole
    bindings = (
        Binding("product", "uniform", LANES_PRODUCT),
        Binding("responses", "storage_texture", image),
        Binding("weights", "storage_texture", image),
        Binding("output", "write", _stored(half)),
        *([BLOCKS] if sparse else []),
    )
    text = code.product_module(tile, activation, units, whole=whole, stores_half=half, sparse=sparse)
    return Kernel.of("kernels/product_lanes", bindings, product=text)


@kept
def _enter_kernel(lanes):
    bindings = (
        Binding("product", "uniform", ENTER_PRODUCT),
        Binding("points", "read", "array<vec4f>"),
        Binding("output", "write", "array<vec4f>"),
    )
    return Kernel.of("kernels/product_enter", bindings, lanes=f"const LANES = {lanes}u;\n")


@kept
def _slabs_kernel(activation, units, loads_half, stores_half, sparse):
    bindings = (
        Binding("product", "uniform", SLABS_PRODUCT),
        Binding("responses", "read", _stored(loads_half)),
        Binding("weights", "read", _stored(loads_half)),
        Binding("output", "write", _stored(stores_half)),
        *([BLOCKS] if sparse else []),
    )
    halves = dict(loads_half=loads_half, stores_half=stores_half)
    text = code.product_module(code.SLAB_TILE, activation, units, **halves, sparse=sparse)
    return Kernel.of("kernels/product", bindings, product=text)


def _filled(groups, tile, lanes):
    """Groups, filled up to whole tiles and so that rows of a copy begin at multiples of 256 bytes, in float16 too."""
    step = max(1, 32 // lanes)
    return -(-(-(-groups // tile) * tile) // step) * step
