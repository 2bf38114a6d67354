"""A network's values, and their derivatives, over a grid of points in a plane through its inputs."""

from dataclasses import dataclass

import numpy as np

from engine.gpu.array import Array
from engine.gpu.device import device
from engine.kernels.field import Field
from engine.network.parts import sliced


@dataclass(frozen=True)
class Plane:
    """Where the samples of a grid lie in the space of a network's inputs.

    centre         (inputs,), the middle of the grid
    across, down   (inputs,), the way from one sample to the next in a row, and from one row to the next

    Sample (i, j) of a grid of (width, height) lies at
    centre + (i + 0.5 - width / 2) across + (j + 0.5 - height / 2) down.
    """

    centre: np.ndarray
    across: np.ndarray
    down: np.ndarray

    def points(self, size, tile=None):
        """(height, width, inputs) float64: where the samples of a tile lie."""
        i, j = coordinates(size, tile or (0, 0, *size))
        return self.centre + i[None, :, None] * np.asarray(self.across) + j[:, None, None] * np.asarray(self.down)


def coordinates(size, tile):
    """Steps from the grid's middle to the columns and rows of a tile, exact in float32."""
    x, y, width, height = tile
    return np.arange(x, x + width) + 0.5 - size[0] / 2, np.arange(y, y + height) + 0.5 - size[1] / 2


class Grid:
    """A network ready to be evaluated over grids.

    net        any Mlp
    gradient   whether derivatives come with the values
    """

    def __init__(self, net, *, gradient=False):
        self.gradient = gradient
        self.net = net
        self._fields = {}

    def show(self, net):
        """Takes another network; one of the same shape compiles nothing."""
        self.net = net

    @property
    def groups(self):
        """vec4f a sample."""
        return -(-self.net.outputs // 4) * (3 if self.gradient else 1)

    def record(self, encoder, plane, size, tile=None):
        """Records the evaluation of a tile; returns an Array that the next call overwrites.

        size      (width, height) of the whole grid
        tile      (x, y, width, height) in it; all of it unless told
        returns   Array of vec4f, row by row, for each sample `groups` of them: the outputs four by four; with gradient
                  their derivatives by a step across follow, then those by a step down
        """
        values = self.values(plane, size, tile)
        return Array.of(values.reshape(-1, 4))

    def values(self, plane, size, tile=None):
        """The same as a numpy array: (samples, groups * 4)."""
        tile = tile or (0, 0, *size)
        i, j = coordinates(size, tile)
        u, v = np.meshgrid(i, j)
        net = sliced(self.net, plane.centre, [plane.across, plane.down])
        count, groups = u.size, -(-net.outputs // 4)
        field = Field(net, "carried" if self.gradient else "plain")
        parts = []
        for rows in field.parts(count):
            n = rows.stop - rows.start
            points = np.zeros((n, 4, 4) if self.gradient else (n, 4), np.float32)
            if self.gradient:
                points[:, 0, 0], points[:, 0, 1] = u.ravel()[rows], v.ravel()[rows]
                points[:, 1, 0] = points[:, 2, 1] = 1.0
                found = field.run(Array.of(points.reshape(-1, 4)), n).read().reshape(n, groups, 4, 4)
                parts.append(found[:, :, :3].transpose(0, 2, 1, 3).reshape(n, -1))
            else:
                points[:, 0], points[:, 1] = u.ravel()[rows], v.ravel()[rows]
                parts.append(field.run(Array.of(points), n).read().reshape(n, -1))
        return np.concatenate(parts)


def evaluate_grid(net, plane, size, *, gradient=False):
    """The network's values over a grid, computed on the GPU.

    size      (width, height) in samples
    returns   (height, width, outputs) float32; with gradient=True a pair of that and (height, width, outputs, 2), the
              derivatives by a step across and by a step down
    """
    grid = Grid(net, gradient=gradient)
    encoder = device().encoder()
    array = grid.record(encoder, plane, size)
    device().submit(encoder)
    found = array.read().reshape(size[1], size[0], 3 if gradient else 1, -1)[..., : net.outputs]
    return (found[:, :, 0], np.moveaxis(found[:, :, 1:], 2, -1)) if gradient else found[:, :, 0]
