"""What the neurons of a piecewise linear network do at points: which are active, and the affine map that leaves."""

from collections.abc import Sequence

import numpy as np

from engine.regions.plane import PlaneLayer

# Points taken at once: three numbers a point and neuron of a layer of 128 are then 3 MB, and stay near the processor.
CHUNK = 1024


def codes(layers: Sequence[PlaneLayer], deciding: PlaneLayer | None, points: np.ndarray) -> np.ndarray:
    """(N,) bytes: equal for points in one region, unequal for others.

    layers     of folding
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
    """(N, neurons) bool: whose sum is above 0, and not just by rounding."""
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

    A layer's sums are linear on each face of the layers before: they are computed once for it, not for all its parts.
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
