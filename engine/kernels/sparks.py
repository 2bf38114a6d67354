"""Sparks: short paths along a network's gradient, each vertex with the value there, computed on the GPU."""

from collections.abc import Iterator
from contextlib import nullcontext

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.mlp.arithmetics import DUAL
from engine.codegen.mlp.body import is_written_out
from engine.codegen.mlp.layout import upload, weights_binding
from engine.codegen.mlp.network import network_module
from engine.errors import SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, Kernel
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.field import Field
from engine.kernels.search.pace import Pace
from engine.network.mlp import Mlp
from engine.network.parts import observed

# first, begins, ends: of one step of some vertices.
SPARKS = struct(
    "SparksRun", step="f32", count="u32", vertices="u32", output="u32", first="u32", begins="u32", ends="u32"
)
# Loops of one invocation must end.
MOST_STEPS = 60_000
# Multiply-adds of the first submission of a step.
WORK = 1 << 26
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
    for _ in paths.traced():
        pass
    found = paths.array.read(paths.count).reshape(-1, vertices, 4)
    return found[..., :3], found[..., 3]


class TracedPaths:
    """Paths that stay on the GPU: `array` holds count vertices as vec4f (position, value), seed by seed.

    Arguments and errors as for `trace`. `traced` computes paths; `show` takes another network for the next time. A tiny
    network follows a path to its end in one kernel; any other takes a step of many paths at once.
    """

    def __init__(
        self, net: Mlp, seeds: ArrayLike, *, vertices: int = 10, steps: int = 20, step: float = 0.02, output: int = 0
    ):
        seeds = np.asarray(seeds, np.float32)
        if seeds.ndim != 2 or seeds.shape[1] != 3:
            raise ShapeError(f"Seeds are {seeds.shape}; sparks need (N, 3), a row a seed.")
        if vertices < 1 or not 0 <= steps <= MOST_STEPS:
            raise SettingError(
                f"Sparks of {vertices} vertices and {steps} steps were asked for; give 1 or more and 0 to {MOST_STEPS}."
            )
        self.vertices, self.steps, self.step = int(vertices), int(steps), float(step)
        self.count = len(seeds) * self.vertices
        if self.count > MAX_GROUPS * WORKGROUP:
            raise SettingError(f"{self.count} vertices were asked for; one run takes {MAX_GROUPS * WORKGROUP}.")
        self._seeds = Array.of(np.pad(seeds, ((0, 0), (0, 1))))
        self.array = Array(VERTEX, self.count)
        self._weights: Array | None = None
        self._field: Field | None = None
        self.show(net, output)

    def show(self, net: Mlp, output: int = 0) -> None:
        """Takes another network, or the same one edited; nothing is computed until `traced`. Raises as `trace` does."""
        if net.inputs != 3:
            raise ShapeError(f"Sparks need a network with three inputs; {net} has {net.inputs}.")
        if not 0 <= output < net.outputs:
            raise SettingError(f"Output {output} of {net} was asked for; it has {net.outputs}, counted from 0.")
        self._run = {"step": self.step, "vertices": self.vertices, "output": output}
        self.is_tiny = is_written_out(net.shape)
        if self.is_tiny:
            self._weights = upload(net, self._weights)
            run = SPARKS.new(**self._run, count=self.count)
            self._dispatch = _kernel(net.shape, self.steps).prepared(
                -(-self.count // WORKGROUP), weights=self._weights, sparks=run, seeds=self._seeds, vertices=self.array
            )
        else:
            seen = observed(net, output)
            if self._field is not None and self._field.net.shape == seen.shape:
                self._field.show(seen)
            else:
                self._field = Field(seen, "tangent")
                self._pace = Pace(WORK // (4 * seen.weight_count), WORKGROUP)
        self.is_traced = False

    def traced(self, encoder: Encoder | None = None) -> Iterator[float]:
        """Computes the paths if the network has changed since the last time; the array then holds them.

        encoder   for a tiny network's kernel; else all is submitted, in parts, and it waits before it yields the share
                  that is done
        """
        if self.is_traced or not self.count:
            return
        if self._field is None or self.is_tiny:
            with device().recording() if encoder is None else nullcontext(encoder) as own:
                self._dispatch.record(own)
        else:
            most = self._field.parts(self.count)[0].stop
            for step in range(self.steps + 1):
                for first, last in self._pace.parts(self.count, most):
                    with self._pace.timed(last - first):
                        self._take(self._field, step, first, last - first)
                        self.array.read(1)
                    yield (step * self.count + last) / ((self.steps + 1) * self.count)
        self.is_traced = True

    def _take(self, field, step, first, count):
        """One step of some vertices; of the first they begin at their seeds, of the last they get their values."""
        run = SPARKS.new(**self._run, count=count, first=first, begins=int(step == 0), ends=int(step == self.steps))
        points, groups = Array(VERTEX, 4 * count), -(-count // WORKGROUP)
        with device().recording("sparks") as encoder:
            _step_kernel("enter").prepared(
                groups, sparks=run, seeds=self._seeds, vertices=self.array, points=points
            ).record(encoder)
            values = field.record(encoder, points, count)
            _step_kernel("leave").prepared(groups, sparks=run, values=values, vertices=self.array).record(encoder)


BINDINGS = {
    name: Binding(name, access, "array<vec4f>")
    for name, access in (("seeds", "read"), ("vertices", "write"), ("points", "write"), ("values", "read"))
}


@kept
def _kernel(shape, steps):
    bindings = weights_binding(shape), Binding("sparks", "uniform", SPARKS), BINDINGS["seeds"], BINDINGS["vertices"]
    return Kernel.of("kernels/sparks", bindings, constants={"STEPS": steps}, network=network_module(shape, (DUAL,)))


@kept
def _step_kernel(name):
    arrays = {"enter": ("seeds", "vertices", "points"), "leave": ("values", "vertices")}[name]
    return Kernel.of(f"kernels/sparks_{name}", (Binding("sparks", "uniform", SPARKS), *(BINDINGS[x] for x in arrays)))
