"""A compute kernel: composed WGSL, its bindings, and how to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import wgpu

from engine.errors import DeviceLimitError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module, compose
from engine.gpu.device import device
from engine.gpu.passes import compute_pass
from engine.gpu.shader import Resource, bind_group, cached, compiled, layout_key, layouts, shader_module
from engine.kept import kept

MAX_GROUPS = 65535  # WebGPU's limit of workgroups a dimension
# llvmpipe silently ends an invocation's loops after so many iterations, all its loops summed.
MOST_ITERATIONS = 65535


def spread(workgroups: int) -> tuple[int, int]:
    """(across, down): a grid of at least so many workgroups, each side within MAX_GROUPS."""
    rows = max(1, -(-workgroups // MAX_GROUPS))
    return -(-workgroups // rows), rows


class Kernel:
    """A compute entry point.

    module      from compose
    bindings    in the order of their numbers
    entry       name of the entry point
    constants   values of the module's overrides

    Raises ShaderError with the file and line when it does not compile.
    """

    def __init__(
        self,
        module: Module,
        bindings: Sequence[Binding],
        *,
        entry: str = "main",
        constants: Mapping[str, float] | None = None,
    ):
        self.module = module
        self.bindings = tuple(bindings)
        self.label = module.name.removesuffix(".wgsl")
        self._entry, self._constants = entry, dict(constants or {})
        self._key = module.code, entry, tuple(sorted(self._constants.items())), layout_key(self.bindings, "compute")
        _ = self.pipeline

    @property
    def pipeline(self) -> wgpu.GPUComputePipeline:
        """Compiled for the present device; kept as long as there is room."""
        return cached(self._key, self.module, f"compute pipeline {self._constants}", self._create)

    def _create(self):
        stage = {"module": shader_module(self.module), "entry_point": self._entry, "constants": self._constants}
        handle, layout = device().handle, layouts(self.bindings, "compute")[1]
        make = partial(handle.create_compute_pipeline, label=self.module.name, layout=layout, compute=stage)
        return compiled(make, self.module)

    @classmethod
    def of(
        cls,
        name: str,
        bindings: Sequence[Binding],
        *,
        entry: str = "main",
        constants: Mapping[str, float] | None = None,
        **generated: str,
    ) -> Kernel:
        """The Kernel of the file wgsl/<name>.wgsl; `generated` are further texts to import, by name."""
        module = compose(name, {"bindings": declare(bindings), **generated})
        return cls(module, bindings, entry=entry, constants=constants)

    def bind(self, **resources: Resource | np.ndarray) -> wgpu.GPUBindGroup:
        """The bind group of Arrays and Textures by the names of the bindings; a numpy struct is copied to a uniform."""
        given = {
            name: Array.of(value, "uniform") if isinstance(value, np.ndarray) else value
            for name, value in resources.items()
        }
        return bind_group(self.bindings, "compute", given, self.module.name)

    def prepared(self, workgroups: int | Sequence[int], **resources: Resource | np.ndarray) -> Dispatch:
        """A Dispatch of so many workgroups with these resources."""
        return Dispatch(self, self.bind(**resources), workgroups)

    def run(self, workgroups: int | Sequence[int], **resources: Resource | np.ndarray) -> None:
        """Binds, dispatches once and submits."""
        encoder = device().encoder(self.label)
        self.prepared(workgroups, **resources).record(encoder)
        device().submit(encoder)


@dataclass(frozen=True, eq=False)
class Dispatch:
    """A Kernel with its resources bound, which can be recorded any number of times.

    workgroups   1 to 3 counts, one per dimension
    """

    kernel: Kernel
    group: wgpu.GPUBindGroup
    workgroups: int | Sequence[int]

    @property
    def counts(self) -> tuple[int, ...]:
        """Workgroups by dimension. Raises DeviceLimitError past 65535 of them."""
        counts = tuple(self.workgroups) if isinstance(self.workgroups, Sequence) else (self.workgroups,)
        name = self.kernel.module.name
        if max(counts) > MAX_GROUPS:
            raise DeviceLimitError(f"{name} was asked for {counts} workgroups; the limit is {MAX_GROUPS} a side.")
        return counts

    def record(self, encoder: wgpu.GPUCommandEncoder) -> None:
        """Records the dispatch in its own pass. Raises DeviceLimitError past 65535 workgroups in a dimension."""
        record_in_turn(encoder, [self], 1)


def record_in_turn(encoder: wgpu.GPUCommandEncoder, dispatches: Sequence[Dispatch], times: int) -> None:
    """Records dispatches one after the other, so many times over, in one pass; each sees what those before it wrote."""
    step = compute_pass(encoder, dispatches[0].kernel.label)
    for _ in range(times):
        for dispatch in dispatches:
            step.set_pipeline(dispatch.kernel.pipeline)
            step.set_bind_group(0, dispatch.group)
            step.dispatch_workgroups(*dispatch.counts)
    step.end()


@kept
def subgroup_size() -> int:
    """Invocations of a subgroup in our compute kernels; 0 where the adapter has no subgroups.

    Measured by a kernel, once per process: adapters state only the range in which it lies.
    """
    if "subgroup" not in device().features:
        return 0
    bindings = (Binding("sizes", "write", "array<u32>"),)
    sizes = Array("u4", 1)
    Kernel.of("gpu/subgroup_size", bindings).run(1, sizes=sizes)
    return int(sizes.read()[0])
