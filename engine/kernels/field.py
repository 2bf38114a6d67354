"""A network's values, and their gradients, at many points, computed on the GPU."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.matmul.product import image_height
from engine.codegen.mlp.arithmetics import PLAIN, TANGENT
from engine.codegen.mlp.batched import LANES, Variant, batched_module, weights_bindings
from engine.codegen.mlp.batched_layout import IMAGE_WIDTH, WIDEST, WRITTEN, BatchedCut, Part, pack
from engine.codegen.mlp.body import is_written_out
from engine.codegen.mlp.layout import UNIFORM_BYTES, layout, upload, weights_binding
from engine.codegen.mlp.network import network_module, points_module
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import groups_of
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Kernel, subgroup_size
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels.fields.each_layer import EachLayer
from engine.kernels.fields.narrow import NarrowTangents, fits
from engine.kernels.product import Wide, padded_points
from engine.network.mlp import Layer, Mlp, Shape

FIELD = struct("Field", count="u32", stride="u32")
WORKGROUP = 64
# Multiply-adds from which several points an invocation are worth their longer compilation: on two cores they take
# 0.04 s in place of 0.25 and compile in up to 1 s in place of 0.4.
BATCHED_WORK = 1 << 30
# Multiply-adds a dispatch: about 0.1 s on two cores, and far below the 2 s after which desktops stop a GPU.
WORK = 1 << 31
# The same where derivatives come with values: half a second of compiling.
MANY_WORK = 1 << 32
# For one point an invocation a network with a wider layer is computed layer by layer: see `stages`.
NARROW = 32
UNIFORM_COUNT = UNIFORM_BYTES // 16


def evaluate(net: Mlp, points: ArrayLike, *, gradient: bool = False) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """The network's value at each point, computed on the GPU.

    net      any Mlp
    points   (N, inputs)
    returns  (N, outputs) float32; with gradient=True a pair of that and (N, outputs, inputs), the derivatives
    Raises ShapeError if points are not as wide as the input layer.
    """
    padded = padded_points(net, points)
    if gradient:
        return _gradients(net, padded)
    much = len(padded) * net.weight_count >= BATCHED_WORK or any(map(_wide_for_batched, net.layers))
    field = Field(net, "batched" if much else "plain")
    result = np.empty((len(padded), net.outputs), np.float32)
    for rows in field.parts(len(padded)):
        part = padded[rows].reshape(-1, 4)
        values = field.run(Array.of(part), rows.stop - rows.start).read()
        result[rows] = values.reshape(rows.stop - rows.start, -1)[:, : net.outputs]
    return result


def _gradients(net, padded):
    """Values and gradients: the inputs three at a time, by dual numbers."""
    field, count = Field(net, "tangent"), len(padded)
    values = np.empty((count, net.outputs), np.float32)
    gradients = np.empty((count, net.outputs, net.inputs), np.float32)
    for rows in field.parts(count):
        n = rows.stop - rows.start
        for first in range(0, net.inputs, 3):
            along = min(3, net.inputs - first)
            # (point, value and three derivatives, input), then groups of four inputs before the derivatives
            duals = np.zeros((n, 4, padded.shape[1]), np.float32)
            duals[:, 0] = padded[rows]
            for j in range(along):
                duals[:, 1 + j, first + j] = 1.0
            duals = duals.reshape(n, 4, -1, 4).transpose(0, 2, 1, 3)
            found = field.run(Array.of(duals.reshape(-1, 4)), n).read()
            found = found.reshape(n, -1, 4, 4).transpose(0, 1, 3, 2).reshape(n, -1, 4)[:, : net.outputs]
            values[rows] = found[..., 0]
            gradients[rows, :, first : first + along] = found[..., 1 : 1 + along]
    return values, gradients


class Field:
    """A network ready to be evaluated at arrays of points that stay on the GPU.

    net         any Mlp
    kind        of kernel: "plain"; "batched", which takes several points an invocation; or "tangent", where a group of
                four inputs or outputs is four vec4f, the values and their derivatives along three directions
    precision   of wide layers in the "batched" kind, as in `product.Wide`
    """

    def __init__(self, net: Mlp, kind: str = "plain", precision: str = "f32"):
        self.net, self.kind = net, kind
        # vec4f of one group
        self.group = 4 if kind == "tangent" else 1
        self.stages = [_piece(piece, kind, precision) for piece in stages(net, kind)]
        self.widths = [groups_of(piece.outputs) for piece in self.stages]
        self._arrays: dict[int, Array] = {}

    def show(self, net: Mlp, *, entered: bool = False) -> None:
        """Takes another network of the same shape; compiles nothing.

        entered   True: only the first layer differs from the network before
        """
        self.net = net
        for piece, part in zip(self.stages, stages(net, self.kind), strict=True):
            piece.show(part)
            if entered:
                return

    def expect(self, count: int) -> None:
        """Says that so many points come: code that runs faster, to the same bits, may then compile for longer."""
        if self.kind == "tangent" and 4 * count * self.net.weight_count >= MANY_WORK:
            for i, part in enumerate(stages(self.net, self.kind)):
                if isinstance(self.stages[i], _LayersPiece) and fits(part.shape, later=True):
                    self.stages[i] = _LayersPiece(part, NarrowTangents(part), part.weight_count)

    def parts(self, count: int) -> list[slice]:
        """Slices that divide `count` points into parts small enough for one dispatch and one buffer."""
        widest = max(groups_of(self.net.inputs), *self.widths) * 16 * self.group
        room = device().limits["max-storage-buffer-binding-size"] // widest
        work = WORK // (self.group * sum(piece.work for piece in self.stages))
        size = min(room, MAX_GROUPS * WORKGROUP, max(WORKGROUP, work))
        return [slice(at, min(at + size, count)) for at in range(0, count, size)]

    def run(self, points: Array, count: int) -> Array:
        """The values, an Array of (count, groups of four outputs) vec4f that the next call overwrites.

        points   an Array of (count, groups of four inputs) vec4f
        """
        with device().recording() as encoder:
            return self.record(encoder, points, count)

    def record(self, encoder: Encoder, points: Array, count: int) -> Array:
        """As `run`, but recorded with an encoder, to be submitted by the caller."""
        for number, (piece, width) in enumerate(zip(self.stages, self.widths, strict=True)):
            values = self._array(number, count * width * self.group)
            piece.record(encoder, points, values, count)
            points = values
        return values

    def _array(self, number, items):
        array = self._arrays.get(number)
        if array is None or array.count != items:
            array = self._arrays[number] = Array(np.dtype(("f4", 4)), items)
        return array


def stages(net: Mlp, kind: str = "plain") -> list[Mlp]:
    """The network as stages, one after the other.

    kind   of Field. For several points layers up to 64 wide are narrow, and a run of those, whose responses stay in
           registers, ends where its code would be too long; a run of wide layers is one stage, of products. Otherwise a
           network that `is_whole` is one stage; of others all layers but a softmax are one, computed layer by layer.
    """
    if kind == "batched":
        return list(_batched_stages(net))
    if is_whole(net.shape, kind):
        return [net]
    return [_network(list(layers)) for _, layers in groupby(net.layers, lambda x: x.activation.is_whole)]


def is_whole(shape: Shape, kind: str) -> bool:
    """Whether a kernel takes all layers, a point an invocation: faster where it compiles fast.

    With derivatives networks that are written out; else those of layers of one activation, up to 32 wide, whose weights
    fit a uniform buffer, which software drivers read 2-3 times faster than storage.
    """
    if kind == "tangent" or is_written_out(shape):
        return is_written_out(shape)
    even = all(len(activation.kinds) == 1 for activation in shape.activations)
    # A softmax needs its whole layer.
    widths = shape.sizes[1:-1] if shape.activations[-1].is_whole else shape.sizes[1:]
    return even and max(widths, default=0) <= NARROW and layout(shape).count <= UNIFORM_COUNT


def _batched_stages(net):
    for wide, layers in groupby(net.layers, _wide_for_batched):
        run = list(layers)
        yield from map(_network, [run] if wide else _runs(run))


def _runs(layers):
    """Lists of consecutive layers, each as long as it fits."""
    run: list[Layer] = []
    for layer in layers:
        if run and best_variant().plan(_network([*run, layer]).shape) is None:
            yield run
            run = []
        run.append(layer)
    yield run


def _wide_for_batched(layer):
    return max(layer.weights.shape) > WIDEST


def _network(layers):
    return Mlp([x.weights for x in layers], [x.bias for x in layers], [x.activation for x in layers])


def _piece(net, kind, precision):
    if kind == "batched" and any(map(_wide_for_batched, net.layers)):
        # It divides the points by itself; this number keeps one submission short.
        return _LayersPiece(net, Wide(net, precision), max(x.weights.size for x in net.layers) // 16)
    if kind == "batched" or net.activations[-1].is_whole or is_whole(net.shape, kind):
        return _Piece(net, kind)
    narrow = kind == "tangent" and fits(net.shape)
    return _LayersPiece(net, NarrowTangents(net) if narrow else EachLayer(net, KINDS[kind][1]), net.weight_count)


class _Piece:
    """One network of `stages` with its weights on the GPU: a point an invocation, or as many as a Variant takes."""

    def __init__(self, net, kind):
        self.outputs, self.work, self.points = net.outputs, net.weight_count, 1
        variant = best_variant()
        self.cut = variant.plan(net.shape) if kind == "batched" else None
        if self.cut is None:
            self.kernel = _kernel(net.shape, "plain" if kind == "batched" else kind)
        else:
            self.kernel, self.points = _batched_kernel(net.shape, variant), variant.points
        self.weights: dict[str, Array | Texture] = {}
        self.show(net)

    def show(self, net):
        if self.cut is None:
            old = self.weights.get("weights")
            self.weights = {"weights": upload(net, old if isinstance(old, Array) else None)}
        else:
            self.weights = batched_weights(self.cut, net.layers)

    def record(self, encoder, points, values, count):
        field = FIELD.new(count=count, stride=groups_of(self.outputs))
        self.kernel.prepared(
            -(-count // (WORKGROUP * self.points)), **self.weights, field=field, points=points, values=values
        ).record(encoder)


class _LayersPiece:
    """Layers of any width, one after the other."""

    def __init__(self, net, layers, work):
        self.outputs, self.layers, self.work = net.outputs, layers, work
        self.show = layers.show

    def record(self, encoder, points, values, count):
        self.layers.record(encoder, points, values, count)


def best_variant(*, gradient: bool = False, half: bool = False, large: bool = False) -> Variant:
    """The Variant that suits this adapter.

    large   whether there is work enough for code that compiles longer and runs faster

    Software drivers load a weight for each lane by itself, so lanes share loads, and three or four points (or one with
    two derivatives) use each load. 2-30x27-3 over 1024 x 1024, and its first use, on two cores: three points 1.03 s
    and 0.87 s, four 0.90 s and 1.17 s, six 0.79 s and 2 s. GPUs are limited by registers. Results have the same bits.
    """
    if not device().is_software:
        return Variant(1 if gradient else 2, gradient, half=half)
    shares = subgroup_size() >= LANES
    if half:
        # Software drivers compute f16 through f32, and compile one f16 product as slowly as five of f32.
        return Variant(1, gradient, shares, half, written=WRITTEN // 5)
    # Without shared loads a product takes three times as long to compile.
    points = 1 if gradient else 4 if large else 3
    return Variant(points, gradient, shares, written=WRITTEN if shares else WRITTEN // 3)


def batched_weights(cut: BatchedCut, layers: Sequence[Layer]) -> dict[str, Array | Texture]:
    """The weights on the GPU by the names of their bindings."""
    if cut.kind == "image":
        rows = pack(cut, layers)[0].reshape(-1, IMAGE_WIDTH, 4)
        image = Texture((IMAGE_WIDTH, image_height(len(rows))), "rgba32float", "STORAGE_BINDING")
        image.write(rows, 0)
        return {"weights0": image}
    usage = "uniform" if cut.kind == "uniform" else "storage"
    return {f"weights{i}": Array.of(data, usage) for i, data in enumerate(pack(cut, layers))}


def write_part(weights: dict[str, Array | Texture], part: Part, data: np.ndarray) -> None:
    """Replaces the numbers of one layer in `batched_weights`: the first layer of the part's segment."""
    target = weights[f"weights{part.buffer}"]
    if isinstance(target, Array):
        target.write(data, part.at * 4)
        return
    rows = np.zeros((-(-len(data) // IMAGE_WIDTH) * IMAGE_WIDTH, 4), np.float32)
    rows[: len(data)] = data
    target.write(rows.reshape(-1, IMAGE_WIDTH, 4), part.at // IMAGE_WIDTH)


KINDS = {"plain": ("kernels/field", PLAIN), "tangent": ("kernels/field_gradient", TANGENT)}


def _bindings(weights):
    return (
        *weights,
        Binding("field", "uniform", FIELD),
        Binding("points", "read", "array<vec4f>"),
        Binding("values", "write", "array<vec4f>"),
    )


@kept
def _kernel(shape, kind):
    file, arithmetic = KINDS[kind]
    return Kernel.of(
        file,
        _bindings([weights_binding(shape)]),
        points=points_module(shape, tangent=kind == "tangent"),
        network=network_module(shape, (arithmetic,)),
    )


@kept
def _batched_kernel(shape, variant):
    bindings = _bindings(weights_bindings(variant.plan(shape)))
    return Kernel.of("kernels/field_batched", bindings, network=batched_module(shape, variant))
