"""Layers of any width at many points, each a product of matrices, computed on the GPU."""

from functools import cache

import numpy as np

from engine.codegen import product as code
from engine.codegen.bindings import Binding, declare
from engine.codegen.compose import compose
from engine.codegen.product import blocks_of
from engine.codegen.structs import struct
from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Kernel
from engine.gpu.subgroups import subgroup_size
from engine.gpu.texture import Texture

VEC4 = np.dtype(("f4", 4))
# Multiply-adds of one dispatch, at most: 0.03 s on two cores.
WORK = 1 << 30
# Bytes of responses between two layers: these stay in a processor's cache.
CACHED = 1 << 22
# And these keep a GPU busy.
HELD = 1 << 26

LANES_PRODUCT = struct(
    "Product", inputs="u32", groups="u32", rows="u32", count="u32",
    by_row="u32", by_lane="u32", by_group="u32", offset="u32",
)  # fmt: skip
ENTER_PRODUCT = struct("Product", row="u32", blocks="u32", inputs="u32", count="u32", first="u32")
SLABS_PRODUCT = struct(
    "Product", inputs="u32", groups="u32", slabs="u32", row="u32", count="u32", first="u32", offset="u32"
)
SOFTMAX_PRODUCT = struct("Product", outputs="u32", groups="u32", count="u32", offset="u32")


def evaluate(net, points, *, by=None):
    """The network's value at each point, every layer by a product of matrices.

    points    (N, inputs)
    by        "lanes" or "slabs": how; the adapter's own way unless told
    returns   (N, outputs) float32
    Raises ShapeError if points are not as wide as the input layer.
    """
    points = np.asarray(points, np.float32)
    if points.ndim != 2 or points.shape[1] != net.inputs:
        raise ShapeError(f"Points are {points.shape}, but {net} needs (N, {net.inputs}).")
    padded = np.zeros((len(points), blocks_of(net.inputs) * 4), np.float32)
    padded[:, : net.inputs] = points
    values = Array(VEC4, len(points) * blocks_of(net.outputs))
    if len(points):
        encoder = device().encoder()
        Wide(net, by=by).record(encoder, Array.of(padded.reshape(-1, 4)), values, len(points))
        device().submit(encoder)
    return values.read(len(points) * blocks_of(net.outputs)).reshape(len(points), -1)[:, : net.outputs]


class Wide:
    """A network of layers of any width, ready to be evaluated at arrays of points that stay on the GPU.

    net   any Mlp
    by    "lanes" or "slabs"; the adapter's own way unless told

    Between layers responses of some points at a time lie in its own memory, a few MiB on software drivers and at most
    twice HELD on others, however many points there are.
    """

    def __init__(self, net, *, by=None):
        by = by or way(net)
        self._way = (_Lanes if by == "lanes" else _Slabs)(net)
        self.net = net

    def show(self, net):
        """Takes other weights of the same shape; compiles nothing."""
        self.net = net
        self._way.show(net)

    def record(self, encoder, points, values, count):
        """Records the evaluation of all points.

        points   an Array of (count, groups of four inputs) vec4f
        values   an Array of (count, groups of four outputs) vec4f, to be written
        """
        size = self._way.chunk
        for first in range(0, count, size):
            n = min(size, count - first)
            self._way.record(encoder, points, values, first, n)
            if not self.net.layers[-1].activation.rule.elementwise:
                self._softmax(encoder, values, first, n)

    def _softmax(self, encoder, values, first, count):
        outputs = self.net.outputs
        uniform = SOFTMAX_PRODUCT.new(outputs=outputs, groups=blocks_of(outputs), count=count, offset=first)
        kernel = _softmax_kernel()
        group = kernel.bind(product=Array.of(uniform, "uniform"), kept=values)
        kernel.dispatch(encoder, group, -(-count // 64))


def way(net):
    """How this adapter evaluates a network: "lanes" on software drivers whose subgroups share loads, else "slabs"."""
    lanes = subgroup_size()
    if not device().is_software or lanes not in (8, 16):
        return "slabs"
    side = device().limits["max-texture-dimension-2d"]
    fits = all(
        blocks_of(x.weights.shape[1]) * lanes <= side and _image_height(x, lanes) <= side for x in net.layers
    )
    return "lanes" if fits else "slabs"


def _image_height(layer, lanes):
    outputs, inputs = layer.weights.shape
    tiles = -(-blocks_of(outputs) // code.lanes_tile(outputs, lanes).groups)
    return tiles * code.image_rows(blocks_of(inputs))


class _Lanes:
    """Lanes of a subgroup share loads of weights; responses pass from layer to layer as an image."""

    def __init__(self, net):
        self.lanes = subgroup_size()
        self.tiles = [code.lanes_tile(len(x.bias), self.lanes) for x in net.layers]
        self.inputs = [blocks_of(x.weights.shape[1]) for x in net.layers]
        self.groups = [blocks_of(len(x.bias)) for x in net.layers]
        self.kernels = [_lanes_kernel(t, x.activation) for t, x in zip(self.tiles, net.layers, strict=True)]
        self.weights = [
            Texture.of(code.pack_lanes(x, t), "rgba32float", "STORAGE_BINDING")
            for x, t in zip(net.layers, self.tiles, strict=True)
        ]
        # A tile's points fill whole rows of the image.
        step = self.tiles[0].points * self.lanes
        widest = max(*self.inputs, *self.groups[:-1], 1)
        most = min(CACHED // (16 * widest), WORK // max(x.weights.size for x in net.layers))
        self.chunk = max(1, min(most // step, 8192 // self.tiles[0].points)) * step
        # Rows of a copy begin at multiples of 256 bytes: an even number of blocks of 8 lanes.
        self.image = Texture((_even(widest) * self.lanes, self.chunk // self.lanes), "rgba32float", "STORAGE_BINDING")
        self.staged = Array(VEC4, _even(widest) * self.chunk)
        self._groups = {}

    def show(self, net):
        for texture, layer, tile in zip(self.weights, net.layers, self.tiles, strict=True):
            texture.write(code.pack_lanes(layer, tile))

    def record(self, encoder, points, values, first, count):
        self._enter(encoder, points, first, count)
        last = len(self.kernels) - 1
        for i in range(last):
            self._layer(encoder, i, self._middle(i, count), count)
            self._copy(encoder, self.groups[i], count)
        g = self.groups[last]
        plain = dict(by_row=self.lanes * g, by_lane=g, by_group=1, offset=first * g, count=count)
        self._layer(encoder, last, self._bind(last, values, **plain), count)

    def _rows(self, count):
        """Rows of the image that hold so many points, for whole tiles."""
        points = self.tiles[0].points
        return -(-count // (self.lanes * points)) * points

    def _enter(self, encoder, points, first, count):
        row = _even(self.inputs[0])
        blocks = row * self.lanes * self._rows(count)
        uniform = ENTER_PRODUCT.new(row=row, blocks=blocks, inputs=self.inputs[0], count=count, first=first)
        kernel = _enter_kernel(self.lanes)
        group = kernel.bind(product=Array.of(uniform, "uniform"), points=points, kept=self.staged)
        kernel.dispatch(encoder, group, -(-blocks // 64))
        self._copy(encoder, self.inputs[0], count)

    def _middle(self, i, count):
        key = i, self._rows(count)
        if key not in self._groups:
            row = _even(self.groups[i])
            kept = dict(by_row=row * self.lanes, by_lane=1, by_group=self.lanes, count=key[1] * self.lanes)
            self._groups[key] = self._bind(i, self.staged, **kept)
        return self._groups[key]

    def _bind(self, i, kept, **places):
        uniform = LANES_PRODUCT.new(
            inputs=self.inputs[i], groups=self.groups[i], rows=code.image_rows(self.inputs[i]), **places
        )
        return self.kernels[i].bind(
            product=Array.of(uniform, "uniform"), responses=self.image, weights=self.weights[i], kept=kept
        )

    def _layer(self, encoder, i, group, count):
        tile = self.tiles[i]
        self.kernels[i].dispatch(encoder, group, (self._rows(count) // tile.points, -(-self.groups[i] // tile.groups)))

    def _copy(self, encoder, blocks, count):
        wide, rows = _even(blocks) * self.lanes, self._rows(count)
        encoder.copy_buffer_to_texture(
            {"buffer": self.staged.buffer, "bytes_per_row": wide * 16, "rows_per_image": rows},
            {"texture": self.image.handle},
            (wide, rows, 1),
        )


class _Slabs:
    """Workgroups take tiles through their memory; responses pass from layer to layer as rows of points."""

    POINTS = 128

    def __init__(self, net):
        self.groups = [blocks_of(len(x.bias)) for x in net.layers]
        self.inputs = [blocks_of(x.weights.shape[1]) for x in net.layers]
        self.kernels = [_slabs_kernel(x.activation) for x in net.layers]
        self.weights = [Array.of(code.pack_slabs(x).reshape(-1, 4)) for x in net.layers]
        widest = max([1, *self.groups[:-1]])
        room = device().limits["max-storage-buffer-binding-size"]
        most = min(min(HELD, room) // (16 * widest), WORK // max(x.weights.size for x in net.layers))
        self.chunk = max(1, min(most // self.POINTS, MAX_GROUPS)) * self.POINTS
        self.widest, self.held = widest, []

    def show(self, net):
        for array, layer in zip(self.weights, net.layers, strict=True):
            array.write(code.pack_slabs(layer).reshape(-1, 4))

    def record(self, encoder, points, values, first, count):
        last = len(self.kernels) - 1
        need = min(self.chunk, -(-count // self.POINTS) * self.POINTS) * self.widest
        if not self.held or self.held[0].count < need:
            self.held = [Array(VEC4, need) for _ in range(min(2, last))] or [points]
        for i, kernel in enumerate(self.kernels):
            kept = values if i == last else self.held[i % 2]
            slabs = -(-self.inputs[i] // code.SLAB)
            row = -(-self.groups[i] // code.SLAB_GROUPS) * code.SLAB_GROUPS
            uniform = SLABS_PRODUCT.new(
                inputs=self.inputs[i], groups=self.groups[i], slabs=slabs, row=row, count=count,
                first=first if i == 0 else 0, offset=first if i == last else 0,
            )  # fmt: skip
            group = kernel.bind(
                product=Array.of(uniform, "uniform"), responses=points, weights=self.weights[i], kept=kept
            )
            kernel.dispatch(encoder, group, (-(-count // self.POINTS), row // code.SLAB_GROUPS))
            points = kept


IMAGE = "texture_storage_2d<rgba32float, read>"


@cache
def _lanes_kernel(tile, activation):
    bindings = (
        Binding("product", "uniform", LANES_PRODUCT),
        Binding("responses", "storage_texture", IMAGE),
        Binding("weights", "storage_texture", IMAGE),
        Binding("kept", "write", "array<vec4f>"),
    )
    return _kernel("product_lanes", bindings, product=code.product_module(tile, activation))


@cache
def _enter_kernel(lanes):
    bindings = (
        Binding("product", "uniform", ENTER_PRODUCT),
        Binding("points", "read", "array<vec4f>"),
        Binding("kept", "write", "array<vec4f>"),
    )
    return _kernel("product_enter", bindings, lanes=f"const LANES = {lanes}u;\n")


@cache
def _slabs_kernel(activation):
    bindings = (
        Binding("product", "uniform", SLABS_PRODUCT),
        Binding("responses", "read", "array<vec4f>"),
        Binding("weights", "read", "array<vec4f>"),
        Binding("kept", "write", "array<vec4f>"),
    )
    return _kernel("product", bindings, product=code.product_module(code.SLAB_TILE, activation))


@cache
def _softmax_kernel():
    bindings = (Binding("product", "uniform", SOFTMAX_PRODUCT), Binding("kept", "write", "array<vec4f>"))
    return _kernel("product_softmax", bindings)


def _kernel(file, bindings, **generated):
    return Kernel(compose(f"kernels/{file}", {"bindings": declare(bindings), **generated}), bindings)


def _even(n):
    return n + n % 2
