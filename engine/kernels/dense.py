"""A dense layer of one vector, computed on the GPU."""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.codegen.matmul.activation import activated
from engine.codegen.matmul.convolve import PIECE
from engine.codegen.matmul.product import image_height
from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.bindings import TABLE, Binding
from engine.gpu.channel_map import ChannelMap, MapStep, groups_of, map_bindings
from engine.gpu.device import device
from engine.gpu.kernel import MOST_ITERATIONS, Kernel
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels.convolve import MapImage
from engine.network.activations import Activation
from engine.network.graph import nodes

DENSE = struct(
    "DenseRun", groups="u32", channels="u32", blocks="u32", iterations="u32", source_first="u32", offset="u32",
)  # fmt: skip
# Groups of outputs of a workgroup, and shares into which it cuts the inputs: wgsl/kernels/dense.wgsl has the same.
OUTPUTS, SHARES = 8, 16
# Blocks of inputs in a row of the image of weights, here and in wgsl/kernels/dense_rows.wgsl: every texture is so wide.
WIDE = 8191
# An iteration takes four inputs of every share.
MOST_INPUTS = 4 * SHARES * MOST_ITERATIONS


def steps(
    node: nodes.Dense,
    sources: Sequence[ChannelMap],
    output: ChannelMap,
    activation: Activation | None = None,
    *,
    variant: str | None = None,
) -> Iterator[MapStep]:
    """The steps of one dense layer.

    sources      one ChannelMap of (I, 1, 1)
    output       the ChannelMap of (O, 1, 1) that is written, in separate memory
    activation   of the sums, or None
    variant      "rows", where an invocation goes through the rows of its outputs in an image, on software drivers
                 unless a loop is too short; or "shares", where those of a workgroup each sum a share of the inputs

    Weights that are larger than an adapter binds at once lie in several arrays or images, with some outputs each.
    Raises NetworkError past MOST_INPUTS inputs.
    """
    (source,) = sources
    outputs, inputs = node.weights.shape
    if inputs > MOST_INPUTS:
        raise NetworkError(f"Node `{node.name}` takes {inputs} numbers; at most {MOST_INPUTS} can be.")
    blocks = groups_of(inputs)
    by_rows = variant == "rows" or (variant is None and device().is_software and blocks <= MOST_ITERATIONS)
    room = device().limits["max-storage-buffer-binding-size"] // (16 * (4 * blocks + 1))
    responses: Array | Texture = source.array
    if by_rows:
        # `image_height` may add a row.
        room = (device().limits["max-texture-dimension-2d"] - 1) // (4 * -(-blocks // WIDE))
        image = MapImage(source)
        responses = image.texture
        yield image
    some = 4 * max(OUTPUTS, room // OUTPUTS * OUTPUTS)
    for first in range(0, outputs, some):
        weights, bias = (array[first : first + some] for array in (node.weights, node.bias))
        groups = groups_of(len(bias))
        uniform = DENSE.new(
            groups=groups, channels=len(bias), blocks=blocks, iterations=-(-blocks // SHARES),
            source_first=source.first, offset=output.first + first // 4,
        )  # fmt: skip
        own = {"weights": _image(weights), "bias": Array.of(np.pad(bias, (0, -len(bias) % 4)))} if by_rows else {}
        own = own or {"weights": Array.of(_packed(weights, bias))}
        yield _kernel(activation, by_rows).prepared(
            -(-groups // OUTPUTS), dense=uniform, responses=responses, output=output.array, **own
        )


def _image(weights):
    """Weights as they are, for each output rows of WIDE texels or one; a few MiB at a time."""
    blocks = groups_of(weights.shape[1])
    rows, width = -(-blocks // WIDE), min(blocks, WIDE)
    fill = 4 * rows * width - weights.shape[1]
    texels = (np.pad(weights, ((0, 0), (0, fill))) if fill else weights).reshape(-1, width, 4)
    texture = Texture((image_height(width), image_height(len(texels))), "rgba32float", "STORAGE_BINDING")
    some = max(1, PIECE // texels[0].nbytes)
    for first in range(0, len(texels), some):
        texture.write(texels[first : first + some], first)
    return texture


def _packed(weights, bias):
    """(4 blocks + 1, 4 groups): a row for each input, filled up, then the bias."""
    outputs, inputs = weights.shape
    rows = np.zeros((4 * groups_of(inputs) + 1, 4 * groups_of(outputs)), np.float32)
    rows[:inputs, :outputs] = weights.T
    rows[-1, :outputs] = bias
    return rows


@kept
def _kernel(activation, by_rows):
    bindings = map_bindings("dense", DENSE, "bias" if by_rows else "weights")
    if by_rows:
        images = (Binding(name, "storage_texture", TABLE) for name in ("responses", "weights"))
        bindings = (bindings[0], *images, *bindings[2:])
    return Kernel.of(f"kernels/dense{'_rows' * by_rows}", bindings, activated=activated(activation))
