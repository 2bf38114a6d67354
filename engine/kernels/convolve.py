"""Convolutions, each a product of matrices over the windows of all places, computed on the GPU."""

from collections.abc import Iterator, MutableMapping, Sequence

from engine.codegen.matmul import convolve as code
from engine.codegen.matmul import product
from engine.codegen.matmul.activation import activated
from engine.errors import NetworkError, SettingError
from engine.gpu.array import Array
from engine.gpu.bindings import TABLE, Binding
from engine.gpu.channel_map import ChannelMap, MapStep, map_bindings
from engine.gpu.device import device
from engine.gpu.kernel import MOST_ITERATIONS, Kernel, subgroup_size
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels import elementwise
from engine.network.activations import Activation
from engine.network.graph import nodes

# Sizes of subgroups for which tiles are laid out.
LANES = (4, 8, 16)
# Places of a workgroup of `slabs`.
SLAB_PLACES = 128
IDENTITY = Activation("identity")
# Sums of a tile from which on an activation that is no number in the kernel has a kernel of its own: llvmpipe would
# compile the tile once more for it, half a second long, and the other costs a layer 5 to 15%.
LARGE = 28

CONVOLUTION = struct(
    "Convolution", stride="vec2u", padding="vec2i", dilation="vec2u", source="vec2u", source_places="u32",
    source_blocks="u32", source_first="u32", nothing="u32", width="u32", places="u32", channels="u32", groups="u32",
    offset="u32", iterations="u32", blocks="u32", columns="u32", outputs_share="u32", inputs_share="u32",
    rows="u32", row="u32", slabs="u32", limits="u32", most="f32",
)  # fmt: skip


def variants(node: nodes.Convolution, source: ChannelMap, output: ChannelMap) -> tuple[str, ...]:
    """How this adapter can compute a convolution, the best first.

    returns  some of "channels", if each output channel sees one input channel; "lanes", where invocations of a subgroup
             share loads, best on software drivers; "slabs", where those of a workgroup do, possible everywhere
    """
    alone = ["channels"] if node.groups == len(node.bias) == source.shape[0] else []
    shared = ["lanes"] if _fits(node, source, output) else []
    # Software drivers read images so much faster that products with zeros do not matter; but an infinite response times
    # these zeros makes the other three of its four channels NaN.
    return (*shared, *alone, "slabs") if device().is_software else (*alone, "slabs", *shared)


def _fits(node, source, output):
    """Whether subgroups have one of LANES, and images of weights and responses are no larger than textures may be."""
    lanes = subgroup_size()
    if lanes not in LANES:
        return False
    side, tile = device().limits["max-texture-dimension-2d"], code.lanes_tile(node, output.places, lanes)
    return max(code.lanes_rows(node, tile), MapImage.rows_of(source)) <= side


class MapImage:
    """A copy of a ChannelMap as an image, rows of code.ROW texels; zero past the map's last number."""

    def __init__(self, source: ChannelMap):
        self.source = source
        self.texture = Texture((code.ROW, self.rows_of(source)), "rgba32float", "STORAGE_BINDING")

    @staticmethod
    def rows_of(source: ChannelMap) -> int:
        """Rows that the image of a map has."""
        return product.image_height(source.count // code.ROW + 1)

    def record(self, encoder: Encoder) -> None:
        """Copies the map's present numbers."""
        whole, rest = divmod(self.source.count, code.ROW)
        for rows, width, at in ((whole, code.ROW, 0), (1 if rest else 0, rest, whole)):
            if rows:
                offset = 16 * (self.source.first + at * code.ROW)
                layout = {"offset": offset, "bytes_per_row": 16 * code.ROW, "rows_per_image": rows}
                encoder.copy_buffer_to_texture(
                    {"buffer": self.source.array.buffer, **layout},
                    {"texture": self.texture.handle, "origin": (0, at, 0)},
                    (width, rows, 1),
                )


def steps(
    node: nodes.Convolution,
    sources: Sequence[ChannelMap],
    output: ChannelMap,
    activation: Activation | None = None,
    *,
    variant: str | None = None,
    images: MutableMapping[ChannelMap, MapImage] | None = None,
) -> Iterator[MapStep]:
    """The steps of one convolution: a copy of the source as an image, if the variant reads one, and a Dispatch.

    sources, output   one ChannelMap that is read and one that is written, in separate memory
    activation        of the sums, or None
    variant           one of `variants`, the first unless given
    images            the copies of maps that exist already; this convolution adds its own

    Raises NetworkError where a window holds more than a loop of a shader may take, SettingError for a variant that is
    not possible here.
    """
    (source,) = sources
    possible = variants(node, source, output)
    variant = variant or possible[0]
    if variant not in possible:
        raise SettingError(
            f"Node `{node.name}` was to be computed by `{variant}`; here it can be by {', '.join(possible)}."
        )
    activation = activation or IDENTITY
    responses: Array | Texture = source.array
    weights: Array | Texture
    tile_groups, row, limits = product.SLAB_GROUPS, 0, 0
    if variant == "lanes":
        tile = code.lanes_tile(node, output.places, subgroup_size())
        limits = code.LIMITS.index(activation.name) if activation.name in code.LIMITS else 0
        if not limits and activation != IDENTITY and tile.points * tile.groups >= LARGE:
            between = ChannelMap(output.shape)
            yield from steps(node, sources, between, variant=variant, images=images)
            yield from elementwise.steps(nodes.Elementwise(node.name, node.inputs, activation), [between], output)
            return
        tile_groups, kernel = tile.groups, _lanes_kernel(tile, IDENTITY if limits else activation)
        size = (4 * product.ROW_BLOCKS * tile_groups, code.lanes_rows(node, tile))
        weights = Texture(size, "rgba32float", "STORAGE_BINDING")
        for first, some in code.packed_lanes(node, tile):
            weights.write(some, first)
        counts = (-(-output.groups // tile_groups), -(-output.places // (tile.points * tile.lanes)))
        images = {} if images is None else images
        if source not in images:
            images[source] = MapImage(source)
            yield images[source]
        responses = images[source].texture
    elif variant == "slabs":
        row = -(-output.groups // tile_groups) * tile_groups
        packed = product.pack_slabs(code.matrix(node, tile_groups))
        kernel, weights = _slabs_kernel(activation), Array.of(packed)
        counts = (-(-output.places // SLAB_PLACES), row // tile_groups)
    else:
        kernel, weights = _channels_kernel(activation), Array.of(code.pack_channels(node))
        counts = (-(-output.places // 64), output.groups)
    blocks = 1 if variant == "channels" else code.blocks_seen(node, tile_groups)
    iterations = node.weights[0, 0].size * blocks
    if iterations > MOST_ITERATIONS:
        raise NetworkError(
            f"Node `{node.name}` sums {4 * iterations} numbers at a place; at most {4 * MOST_ITERATIONS} can be. "
            "Use a smaller window."
        )
    uniform = CONVOLUTION.new(
        stride=node.stride, padding=node.padding[:2], dilation=node.dilation, source=source.shape[1:],
        source_places=source.places, source_blocks=source.groups, source_first=source.first, nothing=source.count,
        width=output.shape[2], places=output.places, channels=output.shape[0], groups=output.groups,
        offset=output.first, iterations=iterations, blocks=blocks, columns=node.weights.shape[3],
        outputs_share=len(node.bias) // node.groups, inputs_share=node.weights.shape[1],
        rows=product.image_rows(iterations), slabs=-(-iterations // product.SLAB), row=row,
        limits=limits, most=activation.parameters[0] if limits == 2 else 0.0,
    )  # fmt: skip
    yield kernel.prepared(counts, convolution=uniform, responses=responses, weights=weights, output=output.array)


BUFFERS = map_bindings("convolution", CONVOLUTION, "weights")


@kept
def _lanes_kernel(tile, activation):
    images = (Binding(name, "storage_texture", TABLE) for name in ("responses", "weights"))
    text = product.product_module(tile, activation, looped=True, keeps_nan=True) + code.corners_text(tile)
    return Kernel.of("kernels/convolve_lanes", (BUFFERS[0], *images, BUFFERS[-1]), product=text)


@kept
def _slabs_kernel(activation):
    text = product.product_module(product.SLAB_TILE, activation, keeps_nan=True)
    return Kernel.of("kernels/convolve", BUFFERS, product=text)


@kept
def _channels_kernel(activation):
    return Kernel.of("kernels/convolve_channels", BUFFERS, activated=activated(activation))
