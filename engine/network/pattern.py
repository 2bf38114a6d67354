"""What the neurons of a piecewise linear network do at points: which are active, and the affine map that leaves."""

import numpy as np

# Points taken at once: three numbers a point and neuron of a layer of 128 are then 3 MB, and stay near the processor.
CHUNK = 1024


def codes(layers, deciding, points):
    """(N,) bytes: equal for points in one region, unequal for others.

    layers     of folding
    deciding   Layer whose order decides, or None
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


def chosen(sums, tolerance):
    """(N,): the largest of (N, C) sums, the first of those equal to rounding; of one sum, whether it is above 0."""
    if sums.shape[1] == 1:
        return sums[:, 0] > tolerance[0]
    return np.argmax(sums + 2 * tolerance >= sums.max(1, keepdims=True), 1)


def active(layers, points):
    """(N, neurons) bool: whose sum is above 0, and not just by rounding."""
    h, found = points, []
    for layer in layers[:-1]:
        h = layer.sums(h)
        found.append(h > layer.tolerance)
        h = layer.bent(h)
    return np.concatenate(found, axis=1) if found else np.empty((len(points), 0), bool)


def affine(layers, points):
    """(N, outputs, 3): the map (A | c) of the last sums, A p + c, that holds round each point."""
    found = np.empty((len(points), len(layers[-1].bias), 3))
    for at in range(0, len(points), CHUNK):
        x, y = points[at : at + CHUNK].T
        # (inputs, 3, points): the slopes along x and y and the constant share one product a layer.
        maps = np.repeat(np.eye(2, 3)[:, :, None], len(x), axis=2)
        for layer in layers:
            maps = (layer.weights @ maps.reshape(len(maps), -1)).reshape(len(layer.bias), 3, len(x))
            maps[:, 2] += layer.bias[:, None]
            if layer.bends:
                active = maps[:, 0] * x + maps[:, 1] * y + maps[:, 2] > np.reshape(layer.tolerance, (-1, 1))
                maps *= np.where(active, 1.0, layer.slope)[:, None]
        found[at : at + CHUNK] = maps.transpose(2, 0, 1)
    return found
