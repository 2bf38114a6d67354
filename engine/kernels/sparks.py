"""Sparks: short paths along a network's gradient, each vertex with the value there, computed on the GPU."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.mlp.arithmetics import DUAL
from engine.codegen.mlp.body import loop_iterations
from engine.codegen.mlp.layout import upload, weights_binding
from engine.codegen.mlp.network import network_module
from engine.errors import SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, MOST_ITERATIONS, Kernel
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.network.mlp import Mlp

SPARKS = struct("SparksRun", step="f32", count="u32", vertices="u32", output="u32")
WORKGROUP = 64
VERTEX = np.dtype(("f4", 4))


def trace(
    net: Mlp, seeds: ArrayLike, *, vertices: int = 10, steps: int = 20, step: float = 0.02, output: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Paths along the gradient through seeds; vertex k is `steps` steps of length step (k - vertices // 2 + 1) away.

    net        Mlp with three inputs
    seeds      (N, 3), world
    steps      normalised gradient steps to each vertex, uphill for positive lengths; where the gradient is 0 it stays
    output     which of the network's outputs
    returns    positions (N, vertices, 3) and the output's values there (N, vertices), float32
    Raises ShapeError for seeds that are not (N, 3) or a network without three inputs, SettingError for bad counts.
    """
    paths = TracedPaths(net, seeds, vertices=vertices, steps=steps, step=step, output=output)
    with device().recording() as encoder:
        paths.record(encoder)
    found = paths.array.read(paths.count).reshape(-1, vertices, 4)
    return found[..., :3], found[..., 3]


class TracedPaths:
    """Paths that stay on the GPU: `array` holds count vertices as vec4f (position, value), seed by seed.

    Arguments and errors as for `trace`. `record` computes paths; `show` takes another network for the next `record`.
    """

    def __init__(
        self, net: Mlp, seeds: ArrayLike, *, vertices: int = 10, steps: int = 20, step: float = 0.02, output: int = 0
    ):
        seeds = np.asarray(seeds, np.float32)
        if seeds.ndim != 2 or seeds.shape[1] != 3:
            raise ShapeError(f"Seeds are {seeds.shape}; sparks need (N, 3), a row a seed.")
        if vertices < 1 or steps < 0:
            raise SettingError(
                f"Sparks of {vertices} vertices and {steps} steps were asked for; give 1 or more, and 0 or more."
            )
        self.vertices, self.steps, self.step = int(vertices), int(steps), float(step)
        self.count = len(seeds) * self.vertices
        if self.count > MAX_GROUPS * WORKGROUP:
            raise SettingError(f"{self.count} vertices were asked for; one run takes {MAX_GROUPS * WORKGROUP}.")
        self._seeds = Array.of(np.pad(seeds, ((0, 0), (0, 1))))
        self.array = Array(VERTEX, self.count)
        self._weights: Array | None = None
        self.show(net, output)

    def show(self, net: Mlp, output: int = 0) -> None:
        """Takes another network, or the same one edited; nothing is computed until `record`. Raises as `trace` does."""
        if net.inputs != 3:
            raise ShapeError(f"Sparks need a network with three inputs; {net} has {net.inputs}.")
        if not 0 <= output < net.outputs:
            raise SettingError(f"Output {output} of {net} was asked for; it has {net.outputs}, counted from 0.")
        iterations = (self.steps + 1) * (loop_iterations(net.shape) + 1)
        if iterations > MOST_ITERATIONS:
            raise SettingError(
                f"{self.steps} steps through {net} are {iterations} iterations of loops; one run takes "
                f"{MOST_ITERATIONS}. Take fewer steps, or a smaller network."
            )
        self._weights = upload(net, self._weights)
        run = SPARKS.new(step=self.step, count=self.count, vertices=self.vertices, output=output)
        self._dispatch = _kernel(net.shape, self.steps).prepared(
            -(-self.count // WORKGROUP), weights=self._weights, sparks=run, seeds=self._seeds, vertices=self.array
        )
        self._traced = False

    def record(self, encoder: Encoder) -> None:
        """Records the computation if the network has changed since the last time; the array then holds the paths."""
        if not self._traced and self.count:
            self._dispatch.record(encoder)
        self._traced = True


@cache
def _kernel(shape, steps):
    bindings = (
        weights_binding(shape),
        Binding("sparks", "uniform", SPARKS),
        Binding("seeds", "read", "array<vec4f>"),
        Binding("vertices", "write", "array<vec4f>"),
    )
    return Kernel.of("kernels/sparks", bindings, constants={"STEPS": steps}, network=network_module(shape, (DUAL,)))
