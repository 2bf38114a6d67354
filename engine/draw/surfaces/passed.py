"""How far a search has come along the rays of a picture: the mean part that they have passed."""

import time

from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.search.arrays import WORKGROUP

# Rays that are looked at, and seconds between two looks.
LOOKED_AT, BETWEEN = 1024, 0.2
PASSED = struct("Passed", rays="u32", count="u32", answers="u32")
BINDINGS = (
    Binding("passed", "uniform", PASSED), Binding("rays", "read", "array<vec4f>"),
    Binding("states", "write", "array<vec4u>"), Binding("parts", "write", "array<f32>"),
)  # fmt: skip


class Passed:
    """The share of a search that is done.

    rays, count   two vec4f a ray, see `draw.surfaces.crossings`
    answers       wanted of each ray

    Unlike the number of decided rays it grows from the start: of many levels along each ray, most rays end late.
    """

    def __init__(self, rays: Array, count: int, answers: int):
        looked_at = min(count, LOOKED_AT)
        self.rays, self.passed = rays, PASSED.new(rays=count, count=looked_at, answers=answers)
        self._parts = Array("f4", looked_at)
        self._first: float | None = None
        self._share, self._next = 0.0, 0.0

    def share(self, states: Array) -> float:
        """The share, 0 to 1, of what the first look found to be left; waits for the GPU.

        states   of the rays, see Casting
        """
        if time.monotonic() >= self._next:
            groups = -(-self._parts.count // WORKGROUP)
            _kernel().run(groups, passed=self.passed, rays=self.rays, states=states, parts=self._parts)
            parts = self._parts.read()
            mean = float(parts[parts >= 0].mean()) if (parts >= 0).any() else 1.0
            self._first = min(mean, 0.99) if self._first is None else self._first
            self._share = max(self._share, (mean - self._first) / (1.0 - self._first))
            self._next = time.monotonic() + BETWEEN
        return self._share


@kept
def _kernel() -> Kernel:
    return Kernel.of("draw/rays_passed", BINDINGS)
