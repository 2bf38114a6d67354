"""How far float32 is from a network's value, found by computing it both ways."""

import numpy as np


def float32_error(net, points):
    """The largest difference between the outputs in float32 and in float64, both by numpy.

    points   (N, inputs)

    Any order of summation errs by about as much, so it tells what to expect of a GPU: deep steep networks multiply
    every rounding of their first layers.
    """
    h = np.asarray(points, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for layer in net.layers:
            z = (h @ layer.weights.T + layer.bias).astype(np.float32)
            h = np.asarray(layer.activation.value(z), np.float32)
        found = abs(h - net(np.asarray(points, np.float32)))
    found = found[np.isfinite(found)]
    return float(found.max()) if found.size else 0.0
