"""A dense layer of one vector, computed on the GPU."""

from collections.abc import Iterator, MutableMapping, Sequence

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
# An iteration takes four inputs of every share.
MOST_INPUTS = 4 * SHARES * MOST_ITERATIONS


def variants(node: nodes.Dense) -> tuple[str, ...]:
    """How this adapter can compute a dense layer, the best first.

    returns  some of "rows", where an invocation goes through the rows of its outputs in an image, best on software
             drivers; "shares", where those of a workgroup each sum a share of the inputs, possible everywhere
    """
    fits = groups_of(node.weights.shape[1]) < device().limits["max-texture-dimension-2d"]
    return ("rows", "shares") if fits and device().is_software else ("shares", "rows") if fits else ("shares",)


def steps(
    node: nodes.Dense,
    sources: Sequence[ChannelMap],
    output: ChannelMap,
    activation: Activation | None = None,
    *,
    variant: str | None = None,
    images: MutableMapping[ChannelMap, MapImage] | None = None,
) -> Iterator[MapStep]:
    """The steps of one dense layer.

    sources      one ChannelMap of (I, 1, 1)
    output       the ChannelMap of (O, 1, 1) that is written, in separate memory
    activation   of the sums, or None
    variant      one of `variants`, the first unless given
    images       the copies of maps that exist already; this layer adds its own

    Weights that are larger than an adapter binds at once lie in several arrays or images, with some outputs each.
    Raises NetworkError past MOST_INPUTS inputs.
    """
    (source,) = sources
    outputs, inputs = node.weights.shape
    if inputs > MOST_INPUTS:
        raise NetworkError(f"Node `{node.name}` takes {inputs} numbers; at most {MOST_INPUTS} can be.")
    by_rows = (variant or variants(node)[0]) == "rows"
    blocks = groups_of(inputs)
    room = device().limits["max-storage-buffer-binding-size"] // (16 * (4 * blocks + 1))
    if by_rows:
        # `image_height` may add a row.
        room = (device().limits["max-texture-dimension-2d"] - 1) // 4
        images = {} if images is None else images
        if source not in images:
            images[source] = MapImage(source)
            yield images[source]
    some = 4 * max(OUTPUTS, room // OUTPUTS * OUTPUTS)
    for first in range(0, outputs, some):
        rows = slice(first, min(first + some, outputs))
        groups = groups_of(rows.stop - first)
        uniform = DENSE.new(
            groups=groups, channels=rows.stop - first, blocks=blocks, iterations=-(-blocks // SHARES),
            source_first=source.first, offset=output.first + first // 4,
        )  # fmt: skip
        given = {"dense": uniform, "output": output.array}
        if by_rows and images is not None:
            given |= {"responses": images[source].texture, "weights": _image(node.weights[rows])}
            given |= {"bias": Array.of(np.pad(node.bias[rows], (0, -(rows.stop - first) % 4)))}
        else:
            given |= {"responses": source.array, "weights": Array.of(_packed(node.weights[rows], node.bias[rows]))}
        yield _kernel(activation, by_rows).prepared(-(-groups // OUTPUTS), **given)


def _image(weights):
    """Weights as they are, a row of texels for each output; a few MiB at a time."""
    outputs, inputs = weights.shape
    texels = groups_of(inputs)
    texture = Texture((image_height(texels), image_height(outputs)), "rgba32float", "STORAGE_BINDING")
    some = max(1, PIECE // (16 * texels))
    for first in range(0, outputs, some):
        piece = weights[first : first + some]
        piece = np.pad(piece, ((0, 0), (0, -inputs % 4))) if inputs % 4 else piece
        texture.write(piece.reshape(len(piece), texels, 4), first)
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
