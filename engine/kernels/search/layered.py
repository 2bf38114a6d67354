"""Bounds of a deep network over batches of pieces of rays, layer by layer, on the GPU: docs/rays.md has the method."""

from collections.abc import Callable, Iterator

import numpy as np

from engine.codegen.bounds import layered as code
from engine.codegen.bounds.ranges import check_bounded
from engine.codegen.bounds.rounding import NONE, rounding_limits
from engine.codegen.matmul.product import SLAB, Tile, image_height, image_rows, pack_lanes, pack_slabs
from engine.codegen.matmul.product import SLAB_GROUPS as ROW_GROUPS
from engine.codegen.mlp.narrow import narrow_groups
from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import TABLE, Binding
from engine.gpu.channel_map import groups_of
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Kernel, subgroup_size
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels.product import LANES as SIZES
from engine.kernels.product import VEC4
from engine.kernels.search.narrow import PARTS, WORK, About, NarrowNetwork, unit_kinds
from engine.network.mlp import Mlp, Shape

# Pieces of a row where no subgroup says how many.
ROW_PIECES = 8
# Pieces of a workgroup's tile; also in its shader.
SLAB_PIECES = 32
# Bytes of responses between two layers, on software drivers and on others, as for products.
CACHED, HELD = 1 << 22, 1 << 26
# Multiply-adds of one dispatch on a GPU, at most: far below the 2 s after which desktops stop it.
GPU_WORK = 1 << 35
# What loading responses takes where lanes share loads, in groups of outputs.
LOADS = 1.5

LAYER = struct(
    "Layer", inputs="u32", groups="u32", rows="u32", columns="u32", row="u32", before="u32", across="u32", kinds="u32",
    terms="f32", least="f32", limit="f32",
)  # fmt: skip
START = struct("Start", row="u32", across="u32", filled="u32", count="u32", first="u32")
END = struct("End", row="u32", across="u32", outputs="u32", count="u32", first="u32")


class Layered:
    """A network whose output 0 is bounded over pieces of rays that stay on the GPU.

    net       an Mlp with three inputs
    variant   "narrow", the whole network in registers, and "lanes", layer by layer, where lanes share loads of weights;
              "slabs", where workgroups share them. The adapter's best unless given

    Nothing is compiled by width or depth, but once for the kinds of groups of four units that the network has.

    Raises ShapeError unless the network has three inputs, NetworkError for activations that have no bounds.
    """

    def __init__(self, net: Mlp, *, variant: str | None = None):
        if net.inputs != 3:
            raise ShapeError(f"{net} has {net.inputs} inputs; rays are cast through networks of 3, its x, y and z.")
        check_bounded(net.shape)
        self.net = net
        self._layers = VARIANTS[variant or best_variant(net.shape)](net)
        self._end = _end_kernel(net.activations[-1] if net.activations[-1].is_whole else None)
        self._steps: dict[tuple, tuple] = {}  # with the arrays that they are of, since Python uses ids again
        self._reach = np.inf

    @property
    def chunk(self) -> int:
        """So many pieces go through the layers together; more are several such batches."""
        return int(self._layers.chunk)

    @property
    def narrow(self) -> NarrowNetwork | None:
        """The network as one kernel has it, where it is so narrow."""
        return self._layers if isinstance(self._layers, NarrowNetwork) else None

    def show(self, net: Mlp) -> None:
        """Takes another network of the same shape; compiles nothing."""
        self.net = net
        self._layers.show(net)
        self._limit()

    def within(self, reach: float) -> None:
        """Says of the pieces that follow how far from 0 they may be: float32 can then be said to round less.

        reach   of each the length of its origin and its far t together are at most this, world units
        """
        if reach != self._reach:
            self._reach = reach
            self._limit()

    def _limit(self):
        self._layers.limit(rounding_limits(self.net, self._reach))
        # They hold what was known before.
        self._steps.clear()

    def record(self, encoder: Encoder, pieces: Array, bounds: Array, count: int) -> None:
        """Records the bounds of the first `count` pieces; each is independent of the others.

        pieces   2 vec4f a piece: origin, near t; direction, far t
        bounds   2 vec4f a piece, to be written: the value at the near end and a bound of its rounding, the same at the
                 far end; then low and high (and nothing): in between the output is on its chord plus 4 x (1 - x) times
                 a number from low to high
        """
        key = id(pieces), id(bounds), count
        if key not in self._steps:
            steps = [step for part in self._parts(count) for step in self._one(pieces, bounds, *part)]
            # What is not among the last few is forgotten.
            self._steps = dict([*self._steps.items()][-16:]) | {key: (pieces, bounds, steps)}
        for step in self._steps[key][2]:
            step(encoder)

    def _parts(self, count):
        size = self._layers.chunk
        return [(first, min(size, count - first)) for first in range(0, count, size)]

    def _one(self, pieces, bounds, first, count) -> Iterator[Callable[[Encoder], None]]:
        yield from self._layers.steps(pieces, first, count)
        sums, row, lanes = self._layers.sums(count)
        end = END.new(row=row, across=lanes, outputs=self.net.outputs, count=count, first=first)
        yield self._end.prepared(-(-count // 64), end=end, sums=sums, bounds=bounds).record


def best_variant(shape: Shape) -> str:
    """How this adapter bounds a network of a Shape."""
    lanes = subgroup_size()
    if not device().is_software or lanes not in SIZES:
        return "slabs"
    if narrow_groups(shape):
        return "narrow"
    side = device().limits["max-texture-dimension-2d"]
    widest = max(groups_of(n) for n in shape.sizes)
    tiles = -(-widest // min(code.LANES_GROUPS))
    fits = max(_row_groups(widest) * lanes, image_height(tiles * image_rows(widest))) <= side
    return "lanes" if fits else "slabs"


def _row_groups(groups):
    """Groups in a row, filled up to whole tiles of every variant; rows of a copy begin at multiples of 256 bytes."""
    most = max(code.LANES_GROUPS)
    return -(-groups // most) * most


def _lanes_groups(groups):
    """Groups of four in the tiles of layers of so many groups, with the least work; large tiles load less."""

    def work(tile):
        return sum(-(-n // tile) * (tile + LOADS) for n in groups)

    return min(code.LANES_GROUPS, key=work)


class _LayerByLayer:
    """Layer by layer, responses as rows of pieces in memory.

    tiles   for each layer the groups of outputs of a workgroup
    """

    step: int  # pieces of a workgroup

    def __init__(self, net, lanes, tiles, work, held):
        self.lanes = lanes
        self.abouts = [About.of(net, i) for i in range(len(net.layers))]
        self.limits = [NONE] * len(net.layers)
        self.inputs = [groups_of(x.weights.shape[1]) for x in net.layers]
        self.groups = [groups_of(len(x.bias)) for x in net.layers]
        self.tiles = [-(-n // tile) for n, tile in zip(self.groups, tiles, strict=True)]
        self.rows = [_row_groups(n) for n in (self.inputs[0], *self.groups)]
        filled = [n * tile for n, tile in zip(self.tiles, tiles, strict=True)]
        self.kind_places = np.cumsum([0, *filled[:-1]])
        self.kinds = Array.of(unit_kinds(net, filled))
        room = min(held, device().limits["max-storage-buffer-binding-size"])
        most = min(room // (16 * PARTS * max(self.rows)), work // (PARTS * max(x.weights.size for x in net.layers)))
        self.chunk = max(1, min(most // self.step, MAX_GROUPS)) * self.step

    def limit(self, limits):
        self.limits = limits

    def filled(self, count):
        """So many pieces, filled up to whole workgroups."""
        return -(-count // self.step) * self.step

    def uniform(self, i, **more):
        about = self.abouts[i]
        return LAYER.new(
            inputs=self.inputs[i], groups=self.groups[i], row=self.rows[i + 1], before=self.rows[i], across=self.lanes,
            kinds=int(self.kind_places[i]), terms=about.terms, least=about.least, limit=self.limits[i], **more,
        )  # fmt: skip

    def start(self, pieces, output, first, count):
        start = START.new(row=self.rows[0], across=self.lanes, filled=self.filled(count), count=count, first=first)
        return _start_kernel().prepared(-(-self.filled(count) // 64), start=start, pieces=pieces, output=output).record


class _LayerLanes(_LayerByLayer):
    """Lanes of a subgroup share loads of weights; responses pass from layer to layer as an image."""

    def __init__(self, net):
        self.step = subgroup_size()
        groups = [groups_of(len(x.bias)) for x in net.layers]
        most = _lanes_groups(groups)
        # Most last layers have one output.
        self.tile_groups = [most] * (len(groups) - 1) + [1 if groups[-1] == 1 else most]
        super().__init__(net, self.step, self.tile_groups, WORK, CACHED)
        self.chunk = min(self.chunk, 8190 // PARTS * self.step)
        kinds = code.network_kinds(net.shape)
        self.kernels = [_lanes_kernel(kinds, self.lanes, groups) for groups in self.tile_groups]
        self.weights = [Texture.of(x, "rgba32float", "STORAGE_BINDING") for x in self._packed(net)]
        self._between: tuple[Array, Texture] | None = None

    def show(self, net):
        for texture, packed in zip(self.weights, self._packed(net), strict=True):
            texture.write(packed)

    def _packed(self, net):
        tiles = (Tile(1, groups, self.lanes) for groups in self.tile_groups)
        return (pack_lanes(layer, tile) for layer, tile in zip(net.layers, tiles, strict=True))

    def between(self, count):
        """Memory for so many pieces' responses: as they are stored, and as an image."""
        rows, widest = PARTS * self.filled(count) // self.lanes, max(self.rows)
        if self._between is None or self._between[0].count < rows * widest * self.lanes:
            size = (widest * self.lanes, image_height(rows))
            image = Texture(size, "rgba32float", "STORAGE_BINDING")
            self._between = Array(VEC4, rows * widest * self.lanes), image
        return self._between

    def sums(self, count):
        return self.between(count)[0], self.rows[-1], self.lanes

    def steps(self, pieces, first, count):
        staged, image = self.between(count)
        yield self.start(pieces, staged, first, count)
        rows = self.filled(count) // self.lanes
        for i, (kernel, weights) in enumerate(zip(self.kernels, self.weights, strict=True)):
            yield self._copy(i, staged, image, PARTS * rows)
            yield kernel.prepared(
                (self.tiles[i], rows), layer=self.uniform(i, rows=image_rows(self.inputs[i])), kinds=self.kinds,
                responses=image, weights=weights, output=staged,
            ).record  # fmt: skip

    def _copy(self, i, staged, image, rows):
        """Copies the staged responses into the image that layer i reads."""
        wide = self.rows[i] * self.lanes
        source = {"buffer": staged.buffer, "bytes_per_row": 16 * wide, "rows_per_image": rows}
        return lambda encoder: encoder.copy_buffer_to_texture(source, {"texture": image.handle}, (wide, rows, 1))


class _LayerSlabs(_LayerByLayer):
    """Workgroups take tiles through their memory."""

    step = SLAB_PIECES

    def __init__(self, net):
        tiles = [ROW_GROUPS] * len(net.layers)
        super().__init__(net, ROW_PIECES, tiles, WORK if device().is_software else GPU_WORK, HELD)
        self.kernel = _slabs_kernel(code.network_kinds(net.shape))
        self.weights = [Array.of(pack_slabs(x).reshape(-1)) for x in net.layers]
        self._between: list[Array] = []

    def show(self, net):
        for array, layer in zip(self.weights, net.layers, strict=True):
            array.write(pack_slabs(layer).reshape(-1))

    def between(self, count):
        need = PARTS * self.filled(count) * max(self.rows)
        if not self._between or self._between[0].count < need:
            self._between = [Array(VEC4, need) for _ in range(2)]
        return self._between

    def sums(self, count):
        return self.between(count)[len(self.weights) % 2], self.rows[-1], self.lanes

    def steps(self, pieces, first, count):
        between = self.between(count)
        yield self.start(pieces, between[0], first, count)
        for i, weights in enumerate(self.weights):
            uniform = self.uniform(i, rows=-(-self.inputs[i] // SLAB), columns=self.tiles[i] * ROW_GROUPS)
            yield self.kernel.prepared(
                (self.filled(count) // self.step, self.tiles[i]), layer=uniform, kinds=self.kinds,
                responses=between[i % 2], weights=weights, output=between[(i + 1) % 2],
            ).record  # fmt: skip


VARIANTS: dict[str, Callable] = {"narrow": NarrowNetwork, "lanes": _LayerLanes, "slabs": _LayerSlabs}


@kept
def _start_kernel():
    bindings = (
        Binding("start", "uniform", START),
        Binding("pieces", "read", "array<vec4f>"),
        Binding("output", "write", "array<vec4f>"),
    )
    return Kernel.of("kernels/layered_start", bindings)


@kept
def _end_kernel(joint):
    """The Kernel for networks that end in a softmax, a logarithm of one, or (None) sums."""
    bindings = (
        Binding("end", "uniform", END),
        Binding("sums", "read", "array<vec4f>"),
        Binding("bounds", "write", "array<vec4f>"),
    )
    return Kernel.of("kernels/layered_end", bindings, end=code.end_module(joint))


def _layer_bindings(kind, type):
    return (
        Binding("layer", "uniform", LAYER),
        Binding("kinds", "read", "array<u32>"),
        Binding("responses", kind, type),
        Binding("weights", kind, type),
        Binding("output", "write", "array<vec4f>"),
    )


@kept
def _lanes_kernel(kinds, lanes, groups):
    text = code.layer_module(kinds, lanes, groups)
    return Kernel.of("kernels/layered_lanes", _layer_bindings("storage_texture", TABLE), layered=text)


@kept
def _slabs_kernel(kinds):
    text = code.layer_module(kinds, 0)
    return Kernel.of("kernels/layered", _layer_bindings("read", "array<vec4f>"), layered=text)
