"""What the neurons of a piecewise linear network do at points: which are active, and the affine map that leaves."""

import numpy as np

# Points taken at once: a layer of 128 with three numbers a point then takes 12 MB, which stays near the processor.
CHUNK = 4096


def codes(layers, deciding, points):
    """(N,) bytes: equal for points in one region, unequal for others.

    layers     of folding
    deciding   (weights, bias) whose order decides, or None
    points     (N, 2)
    """
    found = []
    for at in range(0, max(len(points), 1), CHUNK):
        h, bits = points[at : at + CHUNK], []
        for layer in layers[:-1]:
            h = layer.sums(h)
            if layer.bends:
                bits.append(np.packbits(h > 0, axis=1))
            h = layer.bent(h)
        if deciding is not None:
            bits.append(_choice(h @ deciding[0].T + deciding[1]))
        found.append(np.concatenate([*bits, np.ones((len(h), 1), np.uint8)], axis=1))
    all_bits = np.ascontiguousarray(np.concatenate(found))
    return all_bits.view(f"S{all_bits.shape[1]}")[:, 0]


def _choice(sums):
    chosen = sums[:, 0] > 0 if sums.shape[1] == 1 else np.argmax(sums, 1)
    return chosen.astype(np.uint16)[:, None].view(np.uint8)


def active(layers, points):
    """(N, neurons) bool: whose sum is above 0."""
    h, found = points, []
    for layer in layers[:-1]:
        h = layer.sums(h)
        found.append(h > 0)
        h = layer.bent(h)
    return np.concatenate(found, axis=1) if found else np.empty((len(points), 0), bool)


def affine(layers, points):
    """(N, outputs, 3): the map (A | c) of the last sums, A p + c, that holds round each point."""
    found = np.empty((len(points), len(layers[-1].bias), 3))
    for at in range(0, len(points), CHUNK):
        some = points[at : at + CHUNK]
        # (inputs, points, 3): x, y and the constant share one product a layer.
        maps = np.broadcast_to(np.eye(2, 3)[:, None], (2, len(some), 3))
        homogeneous = np.column_stack([some, np.ones(len(some))])
        for layer in layers:
            maps = (layer.weights @ maps.reshape(len(maps), -1)).reshape(len(layer.bias), len(some), 3)
            maps[:, :, 2] += layer.bias[:, None]
            if layer.bends:
                below = np.einsum("npk,pk->np", maps, homogeneous) <= 0
                maps[below] *= layer.slope
        found[at : at + CHUNK] = maps.transpose(1, 0, 2)
    return found
