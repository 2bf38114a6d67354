"""A network's values, and their derivatives, over a grid of points in a plane through its inputs."""

from dataclasses import dataclass

import numpy as np

from engine.codegen.mlp.batched import batched_module, weights_bindings
from engine.codegen.mlp.batched_layout import WIDEST, pack_layer
from engine.errors import DeviceLimitError
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import groups_of
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Kernel
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels.field import WORK, WORKGROUP, Field, batched_weights, best_variant, write_part
from engine.kernels.product import check_half, same_layer
from engine.network.mlp import Layer, Mlp
from engine.network.parts import sliced

GRID = struct("Grid", first="u32", end="u32", width="u32", stride="u32", corner="vec2f")
VEC4 = np.dtype(("f4", 4))
# Values that `evaluate_grid` holds on the GPU at once, in bytes.
HELD = 1 << 26
# Weights times samples of a grid above which faster code is worth its longer compilation: some 1024 x 1024
# samples of 2-30x27-3.
LARGE = 20_000_000_000


# (width, height) of a grid, and (x, y, width, height) of a part of it.
Size = tuple[int, int]
Tile = tuple[int, int, int, int]


@dataclass(frozen=True)
class Plane:
    """Where the samples of a grid lie in the space of a network's inputs.

    centre         (inputs,), the middle of the grid
    across, down   (inputs,), the step from one sample to the next in a row, and from one row to the next

    Sample (i, j) of a grid of (width, height) lies at
    centre + (i + 0.5 - width / 2) across + (j + 0.5 - height / 2) down.
    """

    centre: np.ndarray
    across: np.ndarray
    down: np.ndarray

    def points(self, size: Size, tile: Tile | None = None) -> np.ndarray:
        """(height, width, inputs) float64: where the samples of a tile lie."""
        i, j = coordinates(size, tile or (0, 0, *size))
        return self.centre + i[None, :, None] * np.asarray(self.across) + j[:, None, None] * np.asarray(self.down)


def coordinates(size: Size, tile: Tile) -> tuple[np.ndarray, np.ndarray]:
    """Steps from the grid's middle to the columns and rows of a tile, exact in float32."""
    x, y, width, height = tile
    return np.arange(x, x + width) + 0.5 - size[0] / 2, np.arange(y, y + height) + 0.5 - size[1] / 2


class Grid:
    """A network ready to be evaluated over grids.

    net         any Mlp
    gradient    whether derivatives come with the values
    precision   f32; or f16, where the adapter has it: past the first layer weights, responses and the sums of eight
                products are float16, sums of those, biases and activations float32. Where a layer is wider than 64, as
                in `product.Wide`, for runs of such layers, and only for values

    Raises SettingError for another precision, DeviceLimitError where f16 cannot be had, NetworkError where a weight is
    larger than float16 holds.
    """

    def __init__(self, net: Mlp, *, gradient: bool = False, precision: str = "f32"):
        check_half(net, precision, biases=False)
        if precision == "f16" and "shader-f16" not in device().features:
            raise DeviceLimitError(f"f16 was asked for, but {device().adapter} has none. Take f32.")
        self.gradient, self.precision = gradient, precision
        self.net = net
        self._workers: dict[bool, _Fused | _Staged] = {}

    def show(self, net: Mlp) -> None:
        """Takes another network; one of the same shape compiles nothing, the same one again copies nothing."""
        check_half(net, self.precision, biases=False)
        if self.net.shape != net.shape:
            self._workers = {}
        self.net = net

    @property
    def groups(self) -> int:
        """vec4f a sample."""
        return groups_of(self.net.outputs) * (3 if self.gradient else 1)

    def record(self, encoder: Encoder, plane: Plane, size: Size, tile: Tile | None = None) -> Array:
        """Records the evaluation of a tile; returns an Array that the next call overwrites.

        size      (width, height) of the whole grid
        tile      (x, y, width, height) in it; all of it unless given
        returns   Array of vec4f, row by row, for each sample `groups` of them: the outputs four by four; with gradient
                  their derivatives by a step across follow, then those by a step down
        """
        return self._ready(plane, size).record(encoder, size, tile or (0, 0, *size))

    def _ready(self, plane, size):
        first = self.net.layers[0]
        # The plane goes into the first layer only: the others do not depend on it.
        entry = sliced(Mlp([first.weights], [first.bias], [first.activation]), plane.centre, [plane.across, plane.down])
        large = size[0] * size[1] * self.net.weight_count >= LARGE
        if large not in self._workers:
            self._workers[large] = _worker(self.net, entry, self.gradient, self.precision, large)
        self._workers[large].show(self.net, entry.layers[0])
        return self._workers[large]


def _worker(net, entry, gradient, precision, large):
    how = best_variant(gradient=gradient, half=precision == "f16", large=large)
    shape = _entered(net, entry.layers[0]).shape
    cut = how.plan(shape)
    if cut is not None:
        return _Fused(shape, how, cut)
    if how.half and (gradient or max(shape.sizes) <= WIDEST):
        what = "derivatives in f16" if gradient else "f16"
        raise DeviceLimitError(
            f"{net} was asked for {what}, which is for layers up to {WIDEST} wide, few of them different. Take f32."
        )
    return _Staged(net, entry.layers[0], gradient, precision)


def _entered(net, first):
    """The network in a plane, given its first layer there."""
    return net.changed(weights=[first.weights, *net.weights[1:]], biases=[first.bias, *net.biases[1:]])


class _Fused:
    """All layers in one kernel, which computes a sample's outputs from its number."""

    def __init__(self, shape, variant, cut):
        self.shape, self.variant, self.cut = shape, variant, cut
        self.groups = groups_of(shape.sizes[-1]) * variant.channels
        self.net: Mlp | None = None
        self.first: Layer | None = None
        self.weights: dict[str, Array | Texture] = {}
        self.values: Array | None = None

    def show(self, net, first):
        if self.net is not net or self.first is None:
            self.weights = batched_weights(self.cut, [first, *net.layers[1:]])
        elif not same_layer(first, self.first):
            for part, data in pack_layer(self.cut.segments[0], first):
                write_part(self.weights, part, data)
        self.net, self.first = net, first

    def record(self, encoder, size, tile):
        count, points = tile[2] * tile[3], WORKGROUP * self.variant.points
        self.values = _exactly(self.values, count * self.groups)
        kernel, sizes = _fused_kernel(self.shape, self.variant), self.shape.sizes
        work = WORK // (self.variant.channels * sum(a * b for a, b in zip(sizes, sizes[1:], strict=False)))
        most = max(1, min(MAX_GROUPS, work // points)) * points
        for at in range(0, count, most):
            end = min(at + most, count)
            part = _describe(size, tile, at, end, self.groups)
            kernel.prepared(-(-(end - at) // points), **self.weights, grid=part, values=self.values).record(encoder)
        return self.values


class _Staged:
    """Stage by stage through memory, some samples at a time."""

    def __init__(self, net, first, gradient, precision):
        self.gradient = gradient
        self.groups = groups_of(net.outputs)
        self.field = Field(_entered(net, first), "tangent" if gradient else "batched", precision)
        self.net, self.first, self.values = net, first, None
        self.points = None

    def show(self, net, first):
        if self.net is not net:
            self.field.show(_entered(net, first))
        elif not same_layer(first, self.first):
            self.field.show(_entered(net, first), entered=True)
        self.net, self.first = net, first

    def record(self, encoder, size, tile):
        count, each = tile[2] * tile[3], self.groups * (3 if self.gradient else 1)
        self.values = _exactly(self.values, count * each)
        parts = self.field.parts(count)
        self.points = grown(self.points, VEC4, (parts[0].stop if parts else 0) * self.field.group)
        enter, leave = _enter_kernel(self.gradient), _leave_kernel(self.gradient)
        for rows in parts:
            n = rows.stop - rows.start
            part, counts = _describe(size, tile, rows.start, rows.stop, self.groups), -(-n // WORKGROUP)
            enter.prepared(counts, grid=part, points=self.points).record(encoder)
            found = self.field.record(encoder, self.points, n)
            leave.prepared(counts, grid=part, found=found, values=self.values).record(encoder)
        return self.values


def _describe(size, tile, first, end, stride):
    x, y, width, _ = tile
    corner = (x + 0.5 - size[0] / 2, y + 0.5 - size[1] / 2)
    return GRID.new(first=first, end=end, width=width, stride=stride, corner=corner)


def _exactly(array, count):
    return array if array is not None and array.count == count else Array(VEC4, count)


GRID_BINDING = Binding("grid", "uniform", GRID)
VALUES = Binding("values", "write", "array<vec4f>")


@kept
def _fused_kernel(shape, variant):
    bindings = (*weights_bindings(variant.plan(shape)), GRID_BINDING, VALUES)
    return Kernel.of("kernels/grid", bindings, network=batched_module(shape, variant))


@kept
def _enter_kernel(gradient):
    bindings = (GRID_BINDING, Binding("points", "write", "array<vec4f>"))
    return Kernel.of("kernels/grid_enter", bindings, constants={"GRADIENT": gradient})


@kept
def _leave_kernel(gradient):
    bindings = (GRID_BINDING, Binding("found", "read", "array<vec4f>"), VALUES)
    return Kernel.of("kernels/grid_leave", bindings, constants={"GRADIENT": gradient})


def evaluate_grid(
    net: Mlp, plane: Plane, size: Size, *, gradient: bool = False, precision: str = "f32"
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """The network's values over a grid, computed on the GPU.

    size      (width, height) in samples
    returns   (height, width, outputs) float32; with gradient=True a pair of that and (height, width, outputs, 2), the
              derivatives by a step across and by a step down
    gradient, precision   as for Grid
    """
    grid, (width, height) = Grid(net, gradient=gradient, precision=precision), size
    channels = 3 if gradient else 1
    found = np.empty((height, width, channels, net.outputs), np.float32)
    rows = max(1, HELD // max(1, width * grid.groups * 16))
    for y in range(0, height, rows):
        tile = (0, y, width, min(rows, height - y))
        with device().recording() as encoder:
            array = grid.record(encoder, plane, size, tile)
        part = array.read(width * tile[3] * grid.groups).reshape(tile[3], width, channels, -1)
        found[y : y + rows] = part[..., : net.outputs]
    return (found[:, :, 0], np.moveaxis(found[:, :, 1:], 2, -1)) if gradient else found[:, :, 0]
