"""What drawables that sample a network over a grid share."""

import numpy as np

from engine.gpu.device import device
from engine.kernels.grid import Grid, Plane


def ready(grid, net):
    """A Grid with derivatives that shows a network: the one there is, unless the network has another shape."""
    if grid is None or grid.net.shape != net.shape:
        return Grid(net, gradient=True)
    grid.show(net)
    return grid


def corners(plane, size):
    """The Plane by whose samples a rectangle is filled, edges and corners included.

    plane   its `across` and `down` are the rectangle's sides
    size    (columns, rows), each at least 2
    """
    return Plane(plane.centre, plane.across / (size[0] - 1), plane.down / (size[1] - 1))


def evaluate(grid, plane, size):
    """(samples, 3, outputs): values and derivatives by a step across and a step down, row by row; waits for the GPU."""
    encoder = device().encoder()
    array = grid.record(encoder, plane, size)
    device().submit(encoder)
    # An array may be larger than this grid.
    count = size[0] * size[1]
    found = array.read().reshape(-1)
    per_sample = -(-grid.net.outputs // 4) * 12
    return found[: count * per_sample].reshape(count, 3, -1)[:, :, : grid.net.outputs]


def extent(plane, side, name=None):
    """(start, end, name): what numbers stand along a side of a rectangle.

    Along one input they are that input's, named x1, x2 ...; aslant they are lengths from the rectangle's middle.
    """
    side = np.asarray(side, float)
    k = int(np.argmax(abs(side)))
    length = float(np.linalg.norm(side))
    if abs(side[k]) > (1.0 - 1e-12) * length:
        middle = float(plane.centre[k])
        return middle - side[k] / 2.0, middle + side[k] / 2.0, f"x{k + 1}" if name is None else name
    return -length / 2.0, length / 2.0, name
