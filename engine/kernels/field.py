"""A network's values, and their gradients, at many points, computed on the GPU."""

from functools import cache

import numpy as np

from engine.codegen.arithmetics import CARRIED, FOUR, PLAIN
from engine.codegen.bindings import Binding, declare
from engine.codegen.compose import compose
from engine.codegen.layout import UNIFORM_BYTES, layout, weights_binding
from engine.codegen.network import network_module, points_module
from engine.codegen.structs import struct
from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Kernel
from engine.gpu.weights import upload
from engine.network.mlp import Mlp

FIELD = struct("Field", count="u32", stride="u32", offset="u32")
LANES = 64
# Four points an invocation on software drivers: 2.5 times the points a second of one, since each lane of theirs loads
# each weight by itself; but twice the time to compile, so only where the work is worth it. GPUs share loads as they
# are.
FOUR_POINTS = 1 << 16
# Multiply-adds a dispatch: about 0.2 s on two cores, and far below the 2 s after which desktops stop a GPU.
WORK = 1 << 31
# A layer wider than this is computed slice by slice: see `stages`.
SLICE = 32
UNIFORM_COUNT = UNIFORM_BYTES // 16


def evaluate(net, points, *, gradient=False):
    """The network's value at each point, computed on the GPU.

    net      any Mlp
    points   (N, inputs)
    returns  (N, outputs) float32; with gradient=True a pair of that and (N, outputs, inputs), the derivatives
    Raises ShapeError if points are not as wide as the input layer.
    """
    points = np.asarray(points, np.float32)
    if points.ndim != 2 or points.shape[1] != net.inputs:
        raise ShapeError(f"Points are {points.shape}, but {net} needs (N, {net.inputs}).")
    padded = np.zeros((len(points), _groups(net.inputs) * 4), np.float32)
    padded[:, : net.inputs] = points
    if gradient:
        return _gradients(net, padded)
    field = Field(net, "four" if device().is_software and len(points) >= FOUR_POINTS else "plain")
    result = np.empty((len(points), net.outputs), np.float32)
    for rows in field.parts(len(points)):
        part = padded[rows].reshape(-1, 4)
        values = field.run(Array.of(part), rows.stop - rows.start).read()
        result[rows] = values.reshape(rows.stop - rows.start, -1)[:, : net.outputs]
    return result


def _gradients(net, padded):
    """Values and gradients: the inputs three at a time, by dual numbers."""
    field, count = Field(net, "carried"), len(padded)
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

    net    any Mlp
    kind   of kernel: "plain"; "four", which takes four points an invocation; or "carried", where a group of four
           inputs or outputs is four vec4f, the values and their derivatives along three directions
    """

    def __init__(self, net, kind="plain"):
        self.net, self.kind = net, kind
        # vec4f of one group
        self.group = 4 if kind == "carried" else 1
        split = stages(net)
        self.stages = [[_Piece(piece, kind) for piece in slices] for slices in split]
        self.widths = [_groups(sum(piece.outputs for piece in slices)) for slices in split]
        self._arrays = {}

    def parts(self, count):
        """Slices of `count` points, each small enough for one dispatch and for one buffer."""
        widest = max(_groups(self.net.inputs), *self.widths) * 16 * self.group
        room = device().limits["max-storage-buffer-binding-size"] // widest
        work = WORK // (self.group * self.net.weight_count)
        size = min(room, MAX_GROUPS * LANES, max(LANES, work))
        return [slice(at, min(at + size, count)) for at in range(0, count, size)]

    def run(self, points, count):
        """The values, an Array of (count, groups of four outputs) vec4f that the next call overwrites.

        points   an Array of (count, groups of four inputs) vec4f
        """
        encoder = device().encoder()
        values = self.record(encoder, points, count)
        device().submit(encoder)
        return values

    def record(self, encoder, points, count):
        """As `run`, but recorded with an encoder, to be submitted by the caller."""
        for number, (slices, width) in enumerate(zip(self.stages, self.widths, strict=True)):
            values = self._array(number, count * width * self.group)
            offset = 0
            for piece in slices:
                piece.record(encoder, points, values, count, width, offset)
                offset += _groups(piece.outputs)
            points = values
        return values

    def _array(self, number, items):
        array = self._arrays.get(number)
        if array is None or array.count != items:
            array = self._arrays[number] = Array(np.dtype(("f4", 4)), items)
        return array


def stages(net):
    """The network as networks one after the other, each a list of slices: same inputs, outputs side by side.

    A piece's weights fit a uniform buffer, which software drivers read 2-3 times faster than storage; a wide layer is a
    stage of its own whose slices keep their sums in registers, so that no piece needs large arrays, slow to compile.
    """
    result, run = [], []

    def close():
        if run:
            result.append([_network(run)])
            run.clear()

    last = net.layers[-1]
    for layer in net.layers:
        outputs, inputs = layer.weights.shape
        # A softmax needs its whole layer.
        if outputs > SLICE and (layer is not last or layer.activation.rule.elementwise):
            close()
            room = (UNIFORM_COUNT - 1) // (4 * _groups(inputs) + 1)
            rows = 4 * max(1, min(SLICE // 4, room))
            result.append([_network([layer], slice(at, at + rows)) for at in range(0, outputs, rows)])
            continue
        if inputs > SLICE or (run and layout(_network([*run, layer]).shape).count > UNIFORM_COUNT):
            close()
        run.append(layer)
    close()
    return result


def _network(layers, rows=slice(None)):
    return Mlp([x.weights[rows] for x in layers], [x.bias[rows] for x in layers], [x.activation for x in layers])


class _Piece:
    """One network of `stages` with its weights on the GPU."""

    def __init__(self, net, kind):
        self.outputs = net.outputs
        self.kernel, self.points = _kernel(net.shape, kind), 4 if kind == "four" else 1
        self.weights = upload(net)

    def record(self, encoder, points, values, count, stride, offset):
        uniform = Array.of(FIELD.new(count=count, stride=stride, offset=offset), "uniform")
        group = self.kernel.bind(weights=self.weights, field=uniform, points=points, values=values)
        self.kernel.dispatch(encoder, group, -(-count // (LANES * self.points)))


KINDS = {
    "plain": ("kernels/field", PLAIN),
    "four": ("kernels/field_four", FOUR),
    "carried": ("kernels/field_gradient", CARRIED),
}


@cache
def _kernel(shape, kind):
    bindings = (
        weights_binding(shape),
        Binding("field", "uniform", FIELD),
        Binding("points", "read", "array<vec4f>"),
        Binding("values", "write", "array<vec4f>"),
    )
    file, arithmetic = KINDS[kind]
    generated = {
        "bindings": declare(bindings),
        "points": points_module(shape, carried=kind == "carried"),
        "network": network_module(shape, (arithmetic,)),
    }
    return Kernel(compose(file, generated), bindings)


def _groups(n):
    return -(-n // 4)
