"""A piecewise linear network on a plane of its inputs, in float64: its sums, how far rounding may move them, which
neurons are active at points, and the affine maps of its regions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.errors import NetworkError
from engine.network.history import Domain
from engine.network.mlp import Mlp

# Twice the rounding of one float64 operation.
EPSILON = 2.0**-52
# A sum's tolerance in estimated deviations. A boundary's vertex is computed by up to three weighted means, each off by
# a rounding or two, and neurons with common sources err together.
SAFETY = 32.0

# Points taken at once: three numbers a point and neuron of a layer of 128 are then 3 MB, and stay near the processor.
CHUNK = 1024


@dataclass(frozen=True)
class PlaneLayer:
    """z = weights h + bias; then h = z above 0 and slope * z below.

    weights, bias   float64
    slope           0 for relu, 1 where nothing bends (identity)
    tolerance       (n,), smaller sums are 0 to rounding; set once the points are known
    """

    weights: np.ndarray
    bias: np.ndarray
    slope: float
    tolerance: np.ndarray = field(default_factory=lambda: np.zeros(1))

    @property
    def bends(self) -> bool:
        return self.slope != 1.0

    def sums(self, h: np.ndarray) -> np.ndarray:
        """(N, n): the weighted sums of (N, m) inputs."""
        return h @ self.weights.T + self.bias

    def bent(self, z: np.ndarray) -> np.ndarray:
        """The responses to sums z; z may be overwritten."""
        if self.slope == 0.0:
            return np.maximum(z, 0.0, out=z)
        return np.where(z > 0, z, self.slope * z) if self.bends else z

    def deviation(self, before: np.ndarray, h: np.ndarray) -> np.ndarray:
        """(n,): one standard deviation of the sums' rounding errors, estimated, the largest over the points.

        before   (m,), the deviation of each input
        h        (N, m), the inputs

        Errors of different inputs are taken for independent (Higham and Mary, "A new approach to probabilistic rounding
        error analysis", 2019): the bound of the worst case grows tenfold with each layer of 128, and would hide real
        crossings.
        """
        largest = np.abs(h).max(0)
        own = EPSILON * (np.abs(self.weights) @ largest + np.abs(self.bias))
        return np.sqrt(self.weights**2 @ before**2 + own**2) * max(1.0, abs(self.slope))


def folded(net: Mlp, domain: Domain | None = None) -> list[PlaneLayer]:
    """The layers of `net` as functions of world x and y; the plane is multiplied into the first layer, in float64.

    domain   Domain, the plane; None takes a network of two inputs as it is

    Raises NetworkError for hidden layers that are not piecewise linear and for a plane that does not fit the inputs.
    """
    inputs = 2 if domain is None else domain.origin.size
    if inputs != net.inputs:
        what = "no plane" if domain is None else f"a plane through {inputs} inputs"
        raise NetworkError(f"{net} has {net.inputs} inputs, but {what} was given. Give a Domain.plane of its inputs.")
    layers = []
    for number, layer in enumerate(net.layers):
        slope = 1.0 if number == len(net.layers) - 1 else _slope(layer.activation, number, net)
        layers.append(PlaneLayer(layer.weights.astype(float), layer.bias.astype(float), slope))
    if domain is not None:
        first = layers[0]
        layers[0] = PlaneLayer(first.weights @ domain.axes.T, first.sums(domain.origin), first.slope)
    return layers


def _slope(activation, number, net):
    if activation.name not in ("relu", "leaky_relu", "identity"):
        raise NetworkError(
            f"Layer {number + 1} of {net} is {activation}, which bends everywhere: it has no linear regions. Exact "
            "regions need relu, leaky_relu or identity; boundaries on the screen are there for every activation."
        )
    return {"relu": 0.0, "identity": 1.0}.get(activation.name, sum(activation.parameters))


def codes(layers: Sequence[PlaneLayer], deciding: PlaneLayer | None, points: np.ndarray) -> np.ndarray:
    """(N,) bytes: equal for points in one region, unequal for others.

    layers     from `folded`
    deciding   PlaneLayer whose order decides, or None
    points     (N, 2)
    """
    found = []
    for at in range(0, max(len(points), 1), CHUNK):
        h, bits = points[at : at + CHUNK], []
        for layer in layers[:-1]:
            h = layer.sums(h)
            if layer.bends:
                bits.append(np.packbits(h > layer.tolerance, axis=1))
            h = layer.bent(h)
        if deciding is not None:
            bits.append(chosen(deciding.sums(h), deciding.tolerance).astype(np.uint16)[:, None].view(np.uint8))
        found.append(np.concatenate([*bits, np.ones((len(h), 1), np.uint8)], axis=1))
    all_bits = np.ascontiguousarray(np.concatenate(found))
    return all_bits.view(f"S{all_bits.shape[1]}")[:, 0]


def chosen(sums: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """(N,): the largest of (N, C) sums, the first of those equal to rounding; of one sum, whether it is above 0."""
    if sums.shape[1] == 1:
        return sums[:, 0] > tolerance[0]
    return np.argmax(sums + 2 * tolerance >= sums.max(1, keepdims=True), 1)


def active(layers: Sequence[PlaneLayer], points: np.ndarray) -> np.ndarray:
    """(N, neurons) bool: whether the sum is above 0 by more than rounding."""
    h, found = points, []
    for layer in layers[:-1]:
        h = layer.sums(h)
        found.append(h > layer.tolerance)
        h = layer.bent(h)
    return np.concatenate(found, axis=1) if found else np.empty((len(points), 0), bool)


def affine(layers: Sequence[PlaneLayer], points: np.ndarray, parents: Sequence[np.ndarray]) -> np.ndarray:
    """(N, outputs, 3): the map (A | c) of the last sums, A p + c, that holds round each point.

    layers    L of them
    points    (N, 2), one in each region
    parents   L arrays: for each face after a layer's cuts, the face before them that it is a part of; the last array
              has the faces of the points

    A layer's sums are linear on each face of the layers before: they are computed once per face, not for all its parts.
    """
    inside = [np.arange(len(points))]
    for parent in reversed(parents):
        # Any point of a face is one of the face it is part of.
        some = np.empty(parent.max(initial=0) + 1, int)
        some[parent] = inside[0]
        inside.insert(0, some)
    maps = np.eye(3, 2)[None]  # (faces, 3, inputs): the slopes along x and y and the constant
    for layer, parent, some in zip(layers, parents, inside[1:], strict=True):
        maps = maps @ layer.weights.T
        maps[:, 2] += layer.bias
        maps = _bent_maps(maps, layer, parent, points[some])
    return maps.transpose(0, 2, 1)


def _bent_maps(maps, layer, parent, points):
    """The maps of faces after a layer, from those of its sums on the faces before."""
    if not layer.bends:
        return maps[parent]
    bent = np.empty((len(parent), *maps.shape[1:]))
    for at in range(0, len(parent), CHUNK):
        own, (x, y) = maps[parent[at : at + CHUNK]], points[at : at + CHUNK, :, None].transpose(1, 0, 2)
        active = own[:, 0] * x + own[:, 1] * y + own[:, 2] > layer.tolerance
        np.multiply(own, np.where(active, 1.0, layer.slope)[:, None], out=bent[at : at + CHUNK])
    return bent
