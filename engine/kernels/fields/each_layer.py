"""Layers at many points, plain or with derivatives along three directions, layer by layer, computed on the GPU."""

from engine.codegen.matmul.product import ROW_BLOCKS, image_rows, pack_lanes
from engine.codegen.mlp.arithmetics import Arithmetic
from engine.codegen.mlp.each_layer import PARTS, TILE_GROUPS, layer_kinds, layer_module, layer_tile, unit_kinds
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import groups_of
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Kernel, subgroup_size
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.product import CACHED, HELD, LANES, VEC4, same_layer
from engine.network.mlp import Layer, Mlp

ONE_LAYER = struct("Layer", inputs="u32", blocks="u32", groups="u32", count="u32", first="u32", offset="u32")
WORKGROUP = 64


class EachLayer:
    """A network's layers, none of them a softmax, at points.

    net         any Mlp of such layers
    arithmetic  PLAIN; or TANGENT, where the points' inputs have derivatives

    One kernel serves every network of the same activations. With derivatives 3-32x8-1 took 0.46 s for 60,000 points on
    two cores, and 0.2 s to compile; as a whole, an invocation a point, 0.68 s and 1.0 s.

    Between layers the responses of some points at a time lie in its own memory, however many points there are.
    """

    def __init__(self, net: Mlp, arithmetic: Arithmetic):
        self.net, self.parts = net, len(PARTS[arithmetic.name])
        lanes = subgroup_size() if device().is_software else 0
        self.lanes = lanes if lanes in LANES else 0
        self._kinds = layer_kinds(net.activations)
        self.kernel = _kernel(self._kinds, self.lanes, arithmetic)
        self._inputs = [groups_of(layer.weights.shape[1]) for layer in net.layers]
        self._groups = [groups_of(len(layer.bias)) for layer in net.layers]
        self._weights = [Array.of(self._packed(layer)) for layer in net.layers]
        self._units = [Array.of(unit_kinds(self._kinds, layer)) for layer in net.layers]
        self._between: list[Array | None] = [None, None]
        # Points whose responses stay in a processor's cache, or keep a GPU busy.
        self._widest = max([1, *self._groups[:-1]])
        most = (CACHED if device().is_software else HELD) // (16 * self.parts * self._widest)
        self.chunk = max(1, min(most // WORKGROUP, MAX_GROUPS * (self.lanes or WORKGROUP) // WORKGROUP)) * WORKGROUP

    def show(self, net: Mlp) -> None:
        """Takes another network of the same shape; compiles nothing, and copies only the layers that differ."""
        for array, old, new in zip(self._weights, self.net.layers, net.layers, strict=True):
            if not same_layer(old, new):
                array.write(self._packed(new))
        self.net = net

    def record(self, encoder: Encoder, points: Array, values: Array, count: int) -> None:
        """Records the evaluation of all points.

        points   an Array of (count, groups of four inputs, parts) vec4f: the value, and three derivatives
        values   an Array of (count, groups of four outputs, parts) vec4f, to be written
        """
        last = len(self._groups) - 1
        for first in range(0, count, self.chunk):
            n, responses = min(self.chunk, count - first), points
            for i, groups in enumerate(self._groups):
                output = values if i == last else self._responses(i % 2, n)
                layer = ONE_LAYER.new(
                    inputs=self._inputs[i], blocks=image_rows(self._inputs[i]) * ROW_BLOCKS, groups=groups, count=n,
                    first=0 if i else first, offset=first if i == last else 0,
                )  # fmt: skip
                self.kernel.prepared(
                    (-(-n // (self.lanes or WORKGROUP)), -(-groups // TILE_GROUPS)), layer=layer, responses=responses,
                    weights=self._weights[i], kinds=self._units[i], output=output,
                ).record(encoder)  # fmt: skip
                responses = output

    def _responses(self, which, count):
        array = self._between[which] = grown(self._between[which], VEC4, self.parts * count * self._widest)
        return array

    def _packed(self, layer: Layer):
        return pack_lanes(layer, layer_tile(self.lanes)).reshape(-1, 4)


@kept
def _kernel(kinds, lanes, arithmetic):
    bindings = (
        Binding("layer", "uniform", ONE_LAYER),
        Binding("responses", "read", "array<vec4f>"),
        Binding("weights", "read", "array<vec4f>"),
        Binding("kinds", "read", "array<vec4u>"),
        Binding("output", "write", "array<vec4f>"),
    )
    return Kernel.of("kernels/field_layer", bindings, layer=layer_module(kinds, lanes, arithmetic))
