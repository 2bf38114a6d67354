"""A piecewise linear network on a plane of its inputs, in float64: its sums, how far rounding may move them, which
neurons are active at points, and the affine maps of its regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from engine.errors import NetworkError
from engine.kept import once
from engine.network.activations import Activation
from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.network.units.bends import is_straight, kinks
from engine.network.units.mixed import LayerActivation, runs

# Twice the rounding of one float64 operation.
EPSILON = 2.0**-52
# A sum's tolerance in estimated deviations. A boundary's vertex is computed by up to three weighted means, each off by
# a rounding or two, and neurons with common sources err together.
SAFETY = 32.0

IDENTITY = Activation("identity")
STRAIGHT = "relu, leaky_relu, identity or others of straight pieces"

# Points taken at once: three numbers a point and neuron of a layer of 128 are then 3 MB, and stay near the processor.
CHUNK = 1024


@dataclass(frozen=True)
class Bends:
    """The activations of a layer of n units, of straight pieces joined at F kinks.

    activation   gives the responses
    units        (F,): the unit of each kink; the kinks of one are ascending
    places       (F,): the sum at which it is
    slopes       (n, K): s' on each piece of a unit's activation, the lowest first, as often as some unit has pieces
    offsets      (n, K): there s is slope z + offset
    """

    activation: LayerActivation
    units: np.ndarray
    places: np.ndarray
    slopes: np.ndarray
    offsets: np.ndarray

    @once
    def first(self) -> np.ndarray:
        """(n,): the place of each unit's first kink, 0 without one."""
        found = np.zeros(len(self.slopes))
        found[self.units[::-1]] = self.places[::-1]
        return found

    @once
    def has_kink(self) -> np.ndarray:
        """(n,) bool: whether a unit bends."""
        return np.isin(np.arange(len(self.slopes)), self.units)

    def piece(self, on: np.ndarray) -> np.ndarray:
        """(N, n): the piece of each unit, from (N, F), whether its sum is above each kink."""
        if self.has_kink.all() and len(self.units) == len(self.slopes):
            return on.astype(np.intp)
        found = np.zeros((len(on), len(self.slopes)), np.intp)
        np.add.at(found.T, self.units, on.T)
        return found


def bends(activation: LayerActivation, units: int) -> Bends:
    """The Bends of a layer of so many units; of a last layer, whose sums are taken, those of identity."""
    kinked: list[tuple[int, float]] = []
    slopes: list[list[float]] = []
    offsets: list[list[float]] = []
    for each, first, count in runs(activation, units):
        at = kinks(each)
        inside = [(p + q) / 2 for p, q in pairwise(at)]
        z = np.array([at[0] - 1, *inside, at[-1] + 1] if at else [0.0])
        slope, value = each.slope(z), each.value(z)
        kinked += [(unit, place) for unit in range(first, first + count) for place in at]
        slopes += [list(slope)] * count
        offsets += [list(value - slope * z)] * count
    most = max(map(len, slopes))
    filled = lambda rows: np.array([row + row[-1:] * (most - len(row)) for row in rows])
    who, where = (np.array(x) for x in zip(*kinked, strict=True)) if kinked else (np.zeros(0, int), np.zeros(0))
    return Bends(activation, who, where, filled(slopes), filled(offsets))


@dataclass(frozen=True)
class PlaneLayer:
    """z = weights h + bias; then h is what the activations give.

    weights, bias   float64
    bend            Bends
    tolerance       (n,), smaller sums are 0 to rounding; set once the points are known
    """

    weights: np.ndarray
    bias: np.ndarray
    bend: Bends
    tolerance: np.ndarray = field(default_factory=lambda: np.zeros(1))

    @classmethod
    def last(cls, weights: np.ndarray, bias: np.ndarray) -> PlaneLayer:
        """A layer whose sums are taken."""
        return cls(weights, bias, bends(IDENTITY, len(bias)))

    @property
    def bends(self) -> bool:
        return len(self.bend.units) > 0

    @property
    def tolerances(self) -> np.ndarray:
        """(F,): how close to each kink a sum is on it, to rounding."""
        return self.tolerance[self.bend.units] + SAFETY * EPSILON * np.abs(self.bend.places)

    def on(self, z: np.ndarray) -> np.ndarray:
        """(N, F) bool: whether sums z are above each kink by more than rounding."""
        if len(self.bend.units) == z.shape[1]:
            return z - self.bend.places > self.tolerances
        return z[:, self.bend.units] - self.bend.places > self.tolerances

    def active(self, z: np.ndarray) -> np.ndarray:
        """(N, n) bool: whether sums z are above each unit's first kink; without one they always are."""
        return (z - self.bend.first > self.tolerance) | ~self.bend.has_kink

    def sums(self, h: np.ndarray) -> np.ndarray:
        """(N, n): the weighted sums of (N, m) inputs."""
        return h @ self.weights.T + self.bias

    def bent(self, z: np.ndarray) -> np.ndarray:
        """The responses to sums z."""
        return self.bend.activation.value(z) if self.bends else z

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
        return np.sqrt(self.weights**2 @ before**2 + own**2) * np.maximum(1.0, np.abs(self.bend.slopes).max(1))


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
        last = number == len(net.layers) - 1
        if not (last or is_straight(layer.activation)):
            raise NetworkError(
                f"Layer {number + 1} of {net} is {layer.activation}, which is curved or jumps: it has no linear "
                f"regions. Exact regions need {STRAIGHT}; boundaries on the screen are there for every activation."
            )
        weights, bias = layer.weights.astype(float), layer.bias.astype(float)
        layers.append(PlaneLayer(weights, bias, bends(IDENTITY if last else layer.activation, len(bias))))
    if domain is not None:
        first = layers[0]
        layers[0] = PlaneLayer(first.weights @ domain.axes.T, first.sums(domain.origin), first.bend)
    return layers


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
                bits.append(np.packbits(layer.on(h), axis=1))
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
    """(N, neurons) bool: whether the sum is above the first kink by more than rounding, or there is none."""
    h, found = points, []
    for layer in layers[:-1]:
        h = layer.sums(h)
        found.append(layer.active(h))
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
        piece = layer.bend.piece(layer.on(own[:, 0] * x + own[:, 1] * y + own[:, 2]))
        slopes, offsets = (
            np.take_along_axis(rows.T, piece, axis=0) for rows in (layer.bend.slopes, layer.bend.offsets)
        )
        part = bent[at : at + CHUNK]
        np.multiply(own, slopes[:, None], out=part)
        part[:, 2] += offsets
    return bent
