"""A network's values in float64, for places where float32 leaves open on which side of a level they are."""

import numpy as np

from engine.codegen.bounds.rounding import NONE, ULP64, rounding_limits
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.kept import once
from engine.kernels.product import VEC4
from engine.kernels.search.arrays import ray_array
from engine.kernels.search.layered import Layered

# Pieces that show what bounds still leave where they are short, and their length, as a part of where rays go; and of
# such as show how fast f changes.
SAMPLES, SHORT, STEP = 64, 2.0**-20, 2.0**-7
# Contacts this short, as a part of where rays go, are hits in float32 too: then float64 would only cost time.
BRIEF = 2.0**-10
# What bounds leave, as a part of the rounding of f: below, there is nothing to gain; above, too little.
LEAST, MOST = 2.0**-10, 0.25


class ExactValues:
    """Output 0 of a network in float64, on the processor, and what that is worth.

    layered   the network, with its reach
    reach     of every ray the length of its origin and its own length are at most this together, world units

    Float32 moves f by more than its bounds over a short piece are wide, often by a hundred times. With f known in
    float64 the bounds are what is left: `share` is which part of float32's error they are, with room; 0 where
    values in float64 are not worth it. Along a ray it is a guess, but certain answers do not rest on it: bounds do
    what they can, and what is then open is a graze.
    """

    def __init__(self, layered: Layered, reach: float):
        self.net, self.reach = layered.net, reach
        self.error = rounding_limits(self.net, reach, ULP64)[-1] if np.isfinite(reach) else NONE
        self.share = 0.0 if self.error >= NONE else _share(layered, reach)

    @once
    def _layers(self):
        # The error bounds are of Layer by Layer, as `Mlp.__call__` computes them too.
        return [(x.weights.T.astype(float), x.bias.astype(float), x.activation) for x in self.net.layers]

    def __call__(self, pieces: np.ndarray) -> np.ndarray:
        """The values (N,) at the places of pieces (N, 8): origin, t; direction, -."""
        rays = pieces.astype(float)
        h = rays[:, :3] + rays[:, 3:4] * rays[:, 4:7]
        for weights, bias, activation in self._layers:
            h = activation.value(h @ weights + bias)
        return h[:, 0]


def _share(layered, reach):
    """Which part of float32's error the bounds of short pieces are, with room; 0 where float64 is not worth it."""
    short, long = (_bounds(layered, reach, part) for part in (SHORT, STEP))
    error = np.maximum(short[:, 0, 1], 1e-37)
    slope = abs(long[:, 0, 2] - long[:, 0, 0]) / STEP
    if np.median(4.0 * error) <= BRIEF * np.median(slope):
        return 0.0
    left = abs(short[:, 1, :2]).max(axis=1) / error
    share = max(4.0 * float(np.quantile(left, 0.9)), LEAST)
    return share if share <= MOST else 0.0


def _bounds(layered, reach, part):
    """(SAMPLES, 2, 4) what Layered finds of pieces around the origin, so long as a part of reach."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(2, SAMPLES, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    origins = directions[0] * rng.uniform(0.0, reach / 4, (SAMPLES, 1))
    pieces = ray_array(origins, directions[1], np.zeros(SAMPLES))
    pieces[:, 1, 3] = part * reach
    given, bounds = Array.of(pieces.reshape(-1, 4)), Array(VEC4, 2 * SAMPLES)
    with device().recording("rays") as encoder:
        layered.record(encoder, given, bounds, SAMPLES)
    return bounds.read().reshape(SAMPLES, 2, 4).astype(float)
