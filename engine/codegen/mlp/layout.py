"""Where an Mlp's weights lie in a buffer of vec4f, and how they get there."""

from dataclasses import dataclass

import numpy as np

from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.kept import kept
from engine.network.mlp import Mlp, Shape

# A uniform buffer holds this on every adapter; on software drivers reading one at a uniform index is 2-3 times faster
# than reading storage.
UNIFORM_BYTES = 65536


@dataclass(frozen=True)
class LayerBlocks:
    """One layer's place: `outputs` by `inputs` blocks of four by four, then `outputs` vec4f of bias.

    inputs, outputs   counts of groups of four, the last one filled with zeros
    at                the layer's first vec4f
    width             neurons, without the fill
    """

    inputs: int
    outputs: int
    at: int
    width: int

    @property
    def bias(self) -> int:
        """The first vec4f of the bias."""
        return self.at + 4 * self.inputs * self.outputs

    @property
    def end(self) -> int:
        return self.bias + self.outputs

    @property
    def size(self) -> int:
        return self.end - self.at

    def block(self, output: int, input: int) -> int:
        """The first of the four vec4f of block (output group, input group); each is the column of one input."""
        return self.at + 4 * (output * self.inputs + input)


@dataclass(frozen=True)
class WeightLayout:
    """Places of all layers; `count` vec4f in all.

    Neurons and inputs are taken four at a time, filled with zero weights. Layer by layer, output group by output group,
    input group by input group, a block of 16 weights lies as the columns of a mat4x4f: vec4f number j holds the weights
    from input 4 k + j to outputs 4 g .. 4 g + 3. The layer's bias follows, four neurons a vec4f.
    """

    blocks: tuple[LayerBlocks, ...]

    @property
    def count(self) -> int:
        return self.blocks[-1].end


@kept
def layout(shape: Shape) -> WeightLayout:
    """The WeightLayout of a Shape."""
    blocks, at = [], 0
    for n_in, n_out in zip(shape.sizes, shape.sizes[1:], strict=False):
        blocks.append(LayerBlocks(-(-n_in // 4), -(-n_out // 4), at, n_out))
        at = blocks[-1].end
    return WeightLayout(tuple(blocks))


def weights_binding(shape: Shape) -> Binding:
    """The binding that the generated network reads: uniform where it fits 64 KiB, else storage."""
    count = layout(shape).count
    if count * 16 <= UNIFORM_BYTES:
        return Binding("weights", "uniform", f"array<vec4f, {count}>")
    return Binding("weights", "read", "array<vec4f>")


def pack(net: Mlp) -> np.ndarray:
    """An Mlp's weights as the generated network reads them.

    returns  (layout(shape).count, 4) float32
    """
    places = layout(net.shape)
    data = np.zeros((places.count, 4), np.float32)
    for layer, place in zip(net.layers, places.blocks, strict=True):
        weights, bias = layer.weights, layer.bias
        full = np.zeros((place.outputs * 4, place.inputs * 4), np.float32)
        full[: weights.shape[0], : weights.shape[1]] = weights
        # (g, row, k, column) -> (g, k, column, row): a column's four rows lie together.
        blocks = full.reshape(place.outputs, 4, place.inputs, 4).transpose(0, 2, 3, 1)
        data[place.at : place.bias] = blocks.reshape(-1, 4)
        data[place.bias : place.end].reshape(-1)[: len(bias)] = bias
    return data


def upload(net: Mlp, array: Array | None = None) -> Array:
    """An Array with the weights of an Mlp; an earlier `array` is overwritten and returned if its size and usage fit."""
    data = pack(net)
    usage = "uniform" if weights_binding(net.shape).kind == "uniform" else "storage"
    if array is None or (array.count, array.usage) != (data.size, usage):
        return Array.of(data, usage)
    array.write(data)
    return array
