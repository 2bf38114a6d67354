"""Convolutions, each a product of matrices over the windows of all places, computed on the GPU."""

from functools import cache

import numpy as np

from engine.codegen.matmul import convolve as code
from engine.codegen.matmul import product
from engine.codegen.matmul.activation import activated
from engine.errors import NetworkError, SettingError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.channel_map import ChannelMap
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import Kernel, subgroup_size
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.network.activations import Activation

# Sizes of subgroups for which tiles are laid out.
LANES = (4, 8, 16)
# llvmpipe ends loops after so many turns.
MOST_TURNS = 65535
IDENTITY = Activation("identity")

CONVOLUTION = struct(
    "Convolution", stride="vec2u", padding="vec2i", dilation="vec2u", source="vec2u", source_places="u32",
    source_blocks="u32", source_first="u32", nothing="u32", width="u32", places="u32", channels="u32", groups="u32",
    offset="u32", turns="u32", blocks="u32", columns="u32", outputs_share="u32", inputs_share="u32",
    rows="u32", row="u32", slabs="u32",
)  # fmt: skip


def evaluate(node, values, activation=None, *, by=None):
    """A convolution of one array of channels.

    node     a Convolution of engine.network.nodes
    values   (C, H, W)
    returns  (O, rows, columns) float32
    activation, by   as for Convolve
    """
    source = ChannelMap(np.shape(values))
    source.write(values)
    kept = ChannelMap(node.shape(source.shape))
    step = Convolve(node, source, kept, activation, by=by)
    encoder = device().encoder()
    if step.image is not None:
        step.image.record(encoder)
    step.record(encoder)
    device().submit(encoder)
    return kept.read()


def ways(node, source, kept):
    """How this adapter can compute a convolution, the best first.

    returns  some of "channels", where each channel sees but itself; "lanes", where invocations of a subgroup share
             loads, which is best on software drivers; "slabs", where workgroups do, which is everywhere
    """
    alone = ["channels"] if node.groups == len(node.bias) == source.shape[0] else []
    shared = ["lanes"] if _fits(node, source, kept) else []
    # Software drivers read images so much faster that products with zeros do not matter; but where a response is
    # infinite, these are no numbers in the other three of its four channels.
    return (*shared, *alone, "slabs") if device().is_software else (*alone, "slabs", *shared)


def _fits(node, source, kept):
    """Whether there are subgroups, and images of weights and responses are no larger than textures may be."""
    lanes = subgroup_size()
    if lanes not in LANES:
        return False
    side, tile = device().limits["max-texture-dimension-2d"], code.lanes_tile(node, kept.places, lanes)
    return max(code.lanes_rows(node, tile), Image.rows_of(source)) <= side


class Image:
    """A copy of a ChannelMap as an image, rows of code.ROW texels; zero past the map's last number."""

    def __init__(self, source):
        self.source = source
        self.texture = Texture((code.ROW, self.rows_of(source)), "rgba32float", "STORAGE_BINDING")

    @staticmethod
    def rows_of(source):
        return product.image_height(source.count // code.ROW + 1)

    def record(self, encoder):
        """Copies what is in the map now."""
        whole, rest = divmod(self.source.count, code.ROW)
        for rows, width, at in ((whole, code.ROW, 0), (1 if rest else 0, rest, whole)):
            if rows:
                offset = 16 * (self.source.first + at * code.ROW)
                encoder.copy_buffer_to_texture(
                    {
                        "buffer": self.source.array.buffer,
                        "offset": offset,
                        "bytes_per_row": 16 * code.ROW,
                        "rows_per_image": rows,
                    },
                    {"texture": self.texture.handle, "origin": (0, at, 0)},
                    (width, rows, 1),
                )

    def resource(self):
        return self.texture.resource()


class Convolve:
    """One convolution, ready to be recorded.

    node           a Convolution of engine.network.nodes
    source, kept   ChannelMaps, which it reads and writes; in memory of their own, both
    activation     of its sums, or None
    by             one of `ways`, the first unless told
    image          an Image of the source that others use too; "lanes" makes its own unless given

    Where `image` is not None, its `record` comes before this one's.
    Raises NetworkError where a window holds more than a loop of a shader may take turns, SettingError for a way that
    this adapter has not.
    """

    def __init__(self, node, source, kept, activation=None, *, by=None, image=None):
        possible = ways(node, source, kept)
        by = by or possible[0]
        if by not in possible:
            raise SettingError(
                f"Node `{node.name}` was to be computed by `{by}`; here it can be by {', '.join(possible)}."
            )
        activation = activation or IDENTITY
        self.image = (image or Image(source)) if by == "lanes" else None
        make = {"lanes": self._lanes, "slabs": self._slabs, "channels": self._channels}[by]
        self.kernel, weights, counts, tile_groups, more = make(node, kept, activation)
        blocks = 1 if by == "channels" else code.blocks_seen(node, tile_groups)
        turns = node.weights[0, 0].size * blocks
        if turns > MOST_TURNS:
            raise NetworkError(
                f"Node `{node.name}` sums {4 * turns} numbers at a place; at most {4 * MOST_TURNS} can be. "
                "Use a smaller window."
            )
        uniform = CONVOLUTION.new(
            stride=node.stride, padding=node.padding[:2], dilation=node.dilation, source=source.shape[1:],
            source_places=source.places, source_blocks=source.groups, source_first=source.first, nothing=source.count,
            width=kept.shape[2], places=kept.places, channels=kept.shape[0], groups=kept.groups, offset=kept.first,
            turns=turns, blocks=blocks, columns=node.weights.shape[3], outputs_share=len(node.bias) // node.groups,
            inputs_share=node.weights.shape[1], rows=product.image_rows(turns), slabs=-(-turns // product.SLAB), **more,
        )  # fmt: skip
        self.counts = counts
        self.group = self.kernel.bind(
            convolution=Array.of(uniform, "uniform"),
            responses=self.image or source.array,
            weights=weights,
            kept=kept.array,
        )

    def record(self, encoder):
        self.kernel.dispatch(encoder, self.group, self.counts)

    def _lanes(self, node, kept, activation):
        tile = code.lanes_tile(node, kept.places, subgroup_size())
        weights = Texture.of(code.pack_lanes(node, tile), "rgba32float", "STORAGE_BINDING")
        counts = (-(-kept.groups // tile.groups), -(-kept.places // (tile.points * tile.lanes)))
        return _lanes_kernel(tile, activation), weights, counts, tile.groups, {}

    def _slabs(self, node, kept, activation):
        row = -(-kept.groups // product.SLAB_GROUPS) * product.SLAB_GROUPS
        counts = (-(-kept.places // SLAB_PLACES), row // product.SLAB_GROUPS)
        weights = Array.of(code.pack_slabs(node))
        return _slabs_kernel(activation), weights, counts, product.SLAB_GROUPS, {"row": row}

    def _channels(self, node, kept, activation):
        counts = (-(-kept.places // 64), kept.groups)
        return _channels_kernel(activation), Array.of(code.pack_channels(node)), counts, 1, {}


# Of a workgroup of `slabs`.
SLAB_PLACES = 128
UNIFORM = Binding("convolution", "uniform", CONVOLUTION)
KEPT = Binding("kept", "write", "array<vec4f>")


@cache
def _lanes_kernel(tile, activation):
    image = "texture_storage_2d<rgba32float, read>"
    images = (Binding(name, "storage_texture", image) for name in ("responses", "weights"))
    text = product.product_module(tile, activation, looped=True) + code.corners_text(tile)
    return _kernel("convolve_lanes", (UNIFORM, *images, KEPT), product=text)


@cache
def _slabs_kernel(activation):
    return _kernel("convolve", _buffers(), product=product.product_module(product.SLAB_TILE, activation))


@cache
def _channels_kernel(activation):
    return _kernel("convolve_channels", _buffers(), activated=activated(activation))


def _buffers():
    return (UNIFORM, Binding("responses", "read", "array<vec4f>"), Binding("weights", "read", "array<vec4f>"), KEPT)


def _kernel(file, bindings, **generated):
    return Kernel(compose(f"kernels/{file}", {"bindings": declare(bindings), **generated}), bindings)
