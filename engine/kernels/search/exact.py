"""A network's values in float64, for places where float32 leaves open on which side of a level they are."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from engine.codegen.bounds.rounding import NONE, ULP64, output_limit, rounding_limits
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.kept import once
from engine.kernels.product import VEC4
from engine.kernels.search.arrays import ray_array
from engine.kernels.search.layered import Layered
from engine.kernels.search.straight import ROUNDINGS, is_piecewise_linear, strays
from engine.kernels.tree.tree import HeldLevels
from engine.reference.enclosure import end_within, remainder

# Pieces that show what bounds still leave where they are short, and their length, as a part of where rays go; and of
# such as show how fast f changes.
SAMPLES, SHORT, STEP = 64, 2.0**-20, 2.0**-7
# Contacts this short, as a part of where rays go, are hits in float32 too: then float64 would only cost time.
BRIEF = 2.0**-10
# What bounds leave, as a part of the rounding of f: below the first, there is nothing to gain; above the next, bounds
# are wanted in float64 as well; above the last, they would not help but where the network consists of straight pieces.
LEAST, ENOUGH, MOST = 2.0**-10, 2.0**-5, 1.0
# Bends are left out that move f by less than this part of its change: about an ulp of t beside a kink, as pieces end.
LOST = 2.0**-24
# Where bounds are of float64 too, f need not be known better than to this part of float32's error, or of its change.
FINE = 2.0**-17
# Pieces that a thread bounds together: at least so many where there are more threads, and at most.
TOGETHER = 128, 512
# A range is wider by this part, so that it holds what rounding it to float32 moves.
OUTWARDS = 2.0**-22


class ExactValues:
    """Output 0 of a network in float64, on the processor, and what that is worth.

    layered   the network, with its reach
    reach     of every ray the length of its origin and its own length are at most this together, world units

    Float32 moves f by more than its bounds over a short piece are wide, often by a hundred times. With f known in
    float64 the bounds are what is left: `share` is which part of float32's error they are, with room; 0 where
    values in float64 are not worth it. Along a ray it is a guess, but certain answers do not rest on it: bounds do
    what they can, and what is then open is a graze. Where rounding is most of the bounds too, or the network consists
    of straight pieces, they are of float64 as well, and `rounding` is float32's error bound; else 0.
    """

    def __init__(self, layered: Layered, reach: float):
        self.net, self.reach = layered.net, reach
        self.error = output_limit(self.net, reach, ULP64) if np.isfinite(reach) else NONE
        self._straight, self._slack = is_piecewise_linear(self.net), self.error
        # Whether its bounds take less time than float32's: those of straight pieces, beside a software driver.
        self.walks = self._straight and device().is_software and self.error < NONE
        if self.walks:
            # Nothing is asked of float32, whose kernels take seconds to be compiled.
            self._slack = max(self.error, LOST * _change(self.net, reach))
            found = LEAST, output_limit(self.net, reach), 0.0
        else:
            found = _share(layered, reach) if self.error < NONE else (0.0, 0.0, 0.0)
        self.share, self.rounding, change = found
        if not self._straight and self.share > MOST:
            self.share = 0.0
        if self.share > (0.0 if self._straight else ENOUGH):
            self.error = max(ROUNDINGS * self.error + self._slack, FINE * min(self.rounding, change))
        else:
            self.rounding = 0.0

    @property
    def has_bounds(self) -> bool:
        """Whether calls say more than f at the far end."""
        return self.rounding > 0.0

    @once
    def _layers(self):
        # The error bounds are of Layer by Layer, as `Mlp.__call__` computes them too.
        return [(x.weights.T.astype(float), x.bias.astype(float), x.activation) for x in self.net.layers]

    @once
    def _limits(self):
        return rounding_limits(self.net, self.reach, ULP64)

    def __call__(self, pieces: np.ndarray, levels: HeldLevels) -> np.ndarray:
        """(N, 8) float32 of pieces (N, 8), origin, t; direction, t: f at both ends, the range off its chord, the far t.

        Where `walks` pieces are cut short beside the first of the `levels` that f passes; else the far t is as given.
        Without `has_bounds` f at the far end alone, and 0.
        """
        rays, found = pieces.astype(float), np.zeros((len(pieces), 8), np.float32)
        if not self.has_bounds:
            h = rays[:, :3] + rays[:, 7:] * rays[:, 4:7]
            for weights, bias, activation in self._layers:
                h = activation.value(h @ weights + bias)
            found[:, 1] = h[:, 0]
            return found
        (least, most), threads = TOGETHER, _processors()
        size = min(max(least, -(-len(rays) // threads)), most)
        parts = [slice(first, first + size) for first in range(0, len(rays), size)]

        def bound(part):
            with np.errstate(over="ignore"):
                found[part, :5] = self._bounds(rays[part], levels)

        # A product of each thread's own is shared out over no more of them.
        with _libraries().limit(limits=1, user_api="blas"):
            list((map if threads == 1 or len(parts) == 1 else _threads(threads).map)(bound, parts))
        return found

    def _bounds(self, rays, levels):
        t = rays[:, 3:8:4]
        near, far = (rays[:, :3] + t[:, k : k + 1] * rays[:, 4:7] for k in (0, 1))
        if self._straight:
            found = strays(self.net, near, far, self._slack, t, levels)
        else:
            ends = [end_within(self.net, points, self._limits) for points in (near, far)]
            found = np.stack([*(end.value for end in ends), *remainder(self.net, *ends), t[:, 1]], axis=1)
        found[:, 2:4] += OUTWARDS * abs(found[:, 2:4]) * [-1.0, 1.0]
        return found


def _processors() -> int:
    """How many may be busy: in a window's worker all but one, on which the window answers."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return count if threading.current_thread() is threading.main_thread() else max(1, count - 1)


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "bounds")


@cache
def _libraries() -> ThreadpoolController:
    """numpy's products, and how many threads each of them takes."""
    return ThreadpoolController()


def _share(layered: Layered, reach: float) -> tuple[float, float, float]:
    """Which part of float32's error bounds of short pieces are, with room; that error; how far f changes over reach.

    All are 0 where contacts are brief.
    """
    short, long = (_bounds(layered, reach, part) for part in (SHORT, STEP))
    error = np.maximum(short[:, 0, 1], 1e-37)
    slope = abs(long[:, 0, 2] - long[:, 0, 0]) / STEP
    if np.median(4.0 * error) <= BRIEF * np.median(slope):
        return 0.0, 0.0, 0.0
    left = abs(short[:, 1, :2]).max(axis=1) / error
    return max(4.0 * float(np.quantile(left, 0.9)), LEAST), float(np.quantile(error, 0.9)), float(np.median(slope))


def _change(net, reach):
    """How far f changes over reach."""
    pieces = _pieces(reach, STEP).astype(float)
    near, far = (net(pieces[:, 0, :3] + t * reach * pieces[:, 1, :3])[:, 0] for t in (0.0, STEP))
    return float(np.median(abs(far - near))) / STEP


def _bounds(layered, reach, part):
    """(SAMPLES, 2, 4) what Layered finds of `_pieces`."""
    given, bounds = Array.of(_pieces(reach, part).reshape(-1, 4)), Array(VEC4, 2 * SAMPLES)
    with device().recording("rays") as encoder:
        layered.record(encoder, given, bounds, SAMPLES)
    return bounds.read().reshape(SAMPLES, 2, 4).astype(float)


def _pieces(reach, part):
    """(SAMPLES, 2, 4) pieces around the origin, so long as a part of reach."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(2, SAMPLES, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    origins = directions[0] * rng.uniform(0.0, reach / 4, (SAMPLES, 1))
    pieces = ray_array(origins, directions[1], np.zeros(SAMPLES))
    pieces[:, 1, 3] = part * reach
    return pieces
