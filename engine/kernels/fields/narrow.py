"""A narrow network at many points, with derivatives along three directions, in registers, where lanes share loads."""

import numpy as np

from engine.codegen.matmul.product import narrow_columns, pack_narrow
from engine.codegen.mlp.narrow import narrow_groups, narrow_tangents, tangents_module
from engine.gpu.array import Array
from engine.gpu.bindings import TABLE, Binding
from engine.gpu.channel_map import groups_of
from engine.gpu.device import device
from engine.gpu.kernel import Kernel, spread, subgroup_size
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels.product import LANES
from engine.network.mlp import Mlp, Shape

# Groups of four units in a layer, at most; and up to how many the kernel compiles as fast as EachLayer's.
GROUPS, SOON = (2, 4, 8, 16), 8
NARROW = struct("Narrow", count="u32", layers="u32", columns="u32")


class NarrowTangents:
    """A network for which `fits`, at points; what it finds has the same bits as EachLayer's.

    Of 3-32x3-1 tanh a point took 1.1 us of a core in place of 3.0, and both compile in 0.3 s; of 3-64x3-1 tanh 4.9 in
    place of 14, but it takes 1.0 s to compile in place of 0.5.
    """

    def __init__(self, net: Mlp):
        self.groups, self.lanes = narrow_groups(net.shape, GROUPS), subgroup_size()
        self.kernel = _kernel(narrow_tangents(net.shape), self.groups, self.lanes)
        self._of_layers = Array.of(np.array([groups_of(n) for n in net.shape.sizes[1:]], np.uint32))
        self._weights = Texture.of(pack_narrow(net, self.groups, self.lanes), "rgba32float", "STORAGE_BINDING")

    def show(self, net: Mlp) -> None:
        """Takes another network of the same shape; compiles nothing."""
        self._weights.write(pack_narrow(net, self.groups, self.lanes))

    def record(self, encoder: Encoder, points: Array, values: Array, count: int) -> None:
        """Records the evaluation of all points; arrays are as EachLayer has them."""
        columns = narrow_columns(self.groups, self.lanes)
        narrow = NARROW.new(count=count, layers=self._of_layers.count, columns=columns)
        self.kernel.prepared(
            spread(-(-count // self.lanes)), narrow=narrow, groups=self._of_layers, points=points,
            weights=self._weights, values=values,
        ).record(encoder)  # fmt: skip


def fits(shape: Shape, *, later: bool = False) -> bool:
    """Whether NarrowTangents takes networks of a Shape on this adapter; `later`: where it may compile for longer."""
    groups = narrow_groups(shape, GROUPS if later else GROUPS[: GROUPS.index(SOON) + 1])
    return bool(groups) and device().is_software and subgroup_size() in LANES and narrow_tangents(shape) is not None


@kept
def _kernel(activation, groups, lanes):
    bindings = (
        Binding("narrow", "uniform", NARROW),
        Binding("groups", "read", "array<u32>"),
        Binding("points", "read", "array<vec4f>"),
        Binding("weights", "storage_texture", TABLE),
        Binding("values", "write", "array<vec4f>"),
    )
    text = f"const LANES = {lanes}u;\n" + tangents_module(activation, groups, lanes)
    return Kernel.of("kernels/field_narrow", bindings, tangents=text)
