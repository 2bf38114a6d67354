"""The layers of a network as the kernels that bound boxes read them."""

import numpy as np

from engine.codegen.bounds.ranges import check_bounded
from engine.codegen.bounds.rows import GROUPS
from engine.errors import NetworkError, ShapeError
from engine.gpu.array import Array
from engine.gpu.texture import Texture
from engine.kernels.tree.variants import ENTRY
from engine.network.activations import JOINT
from engine.network.mlp import Layer, Mlp
from engine.network.parts import linear_end, observed
from engine.network.units.mixed import runs

MEMBERS = 8  # boxes of an octet, which share rows; also in the shaders
NO_KIND = 0xFFFFFFFF
# The largest width of images on every adapter.
SIDE = 8192
# Rows of so many units, of as many coefficients each, still fit one image of 128 MiB for an octet.
MOST_UNITS = 2048
ROW_GROUPS = 256  # groups of units in a row of an image of weights; also in the shader


def bounded_net(net: Mlp, output: int = 0) -> Mlp:
    """The network of three inputs and one output that boxes are bounded through, whose last layer is linear.

    Raises ShapeError for other inputs than three, NetworkError where no planes hold: activations that jump, end or
    have a pole, those of a whole layer, and layers of more than MOST_UNITS units.
    """
    if net.inputs != 3:
        raise ShapeError(f"{net} has {net.inputs} inputs; boxes of space need a network of 3, its x, y and z.")
    net = observed(net, output)
    check_bounded(net.shape)
    if net.activations[-1].is_whole:
        raise NetworkError(f"{net} ends in {net.activations[-1]}, which boxes of space are not bounded through.")
    if max(net.shape.sizes) > MOST_UNITS:
        raise NetworkError(
            f"{net} has a layer of {max(net.shape.sizes)} units; boxes are bounded through {MOST_UNITS}."
        )
    return linear_end(net)


def groups_of(units: int) -> int:
    """Groups of four units, an even number of them: rows of copies begin at multiples of 256 bytes."""
    return -(-units // 8) * 2


class LayerOnGpu:
    """A layer's weights in the forms that the kernels read, and its sizes."""

    def __init__(self, layer: Layer, index: int):
        outputs, inputs = layer.weights.shape
        self.units, self.groups, self.before = outputs, groups_of(outputs), groups_of(inputs)
        self.kinds = layer.activation.kinds
        self.pairs = any(kind.name in JOINT for kind in self.kinds)
        self.parts = 5 if self.pairs else 4
        self.columns = -(-self.before // GROUPS)
        self.rows = -(-self.groups // ROW_GROUPS)
        self.across = SIDE // (self.groups * MEMBERS)
        self.first_weights = index == 0
        shape = self._pack(layer)
        self.weights = Texture.of(shape[0], "rgba32float", "STORAGE_BINDING")
        self.starts = Texture.of(shape[1], "rgba32float", "STORAGE_BINDING")
        self.biases = Array.of(shape[2].reshape(-1))
        self.entries = Array.of(shape[3])

    def _pack(self, layer):
        full = np.zeros((4 * self.groups, max(4 * self.before, 4 * GROUPS * self.columns)), np.float32)
        full[: self.units, : layer.weights.shape[1]] = layer.weights
        bias = np.zeros(4 * self.groups, np.float32)
        bias[: self.units] = layer.bias
        starts = full[:, : 4 * self.before].reshape(4 * self.groups, self.before, 4)
        if self.first_weights:
            weights = full[None, :, :4]
        else:
            wide = np.zeros((4 * self.rows * ROW_GROUPS, full.shape[1]), np.float32)
            wide[: len(full)] = full
            # From (unit, column, group, 4) to rows of the image, a column's after another.
            tiled = wide.reshape(self.rows, 4 * ROW_GROUPS, self.columns, GROUPS, 4)[..., :, :]
            weights = tiled.transpose(2, 0, 1, 3, 4).reshape(self.columns * self.rows, 4 * ROW_GROUPS * GROUPS, 4)
            weights = weights[:, : 4 * min(ROW_GROUPS, self.groups) * GROUPS]
        entries = np.zeros(self.groups, ENTRY.dtype)
        kinds = np.full(4 * self.groups, NO_KIND, np.uint32)
        for activation, at, count in runs(layer.activation, self.units):
            kinds[at : at + count] = self.kinds.index(activation)
        # What underflows is inside too: of the sizes of all inputs a little.
        norm = np.linalg.norm(full.astype(float), axis=1) * (1 + 1e-6) + 1e-6 * np.sqrt(layer.weights.shape[1])
        entries["kinds"], entries["bias"], entries["norm"] = (
            kinds.reshape(-1, 4),
            bias.reshape(-1, 4),
            norm.reshape(-1, 4),
        )
        return np.ascontiguousarray(weights), np.ascontiguousarray(starts), bias, entries
