"""The search with its network in one kernel: an invocation follows a ray, all in registers."""

import numpy as np

from engine.codegen.bounds.enclosure import enclosure_module
from engine.codegen.mlp.arithmetics import PLAIN, Arithmetic
from engine.codegen.mlp.layout import weights_binding
from engine.codegen.mlp.network import network_module
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.kernel import Dispatch, Kernel
from engine.gpu.passes import Encoder, compute_pass
from engine.kept import kept
from engine.kernels.search.arrays import BINDINGS, workgroups
from engine.network.mlp import Shape

# Few rays take longer; the others of a workgroup need not wait for these.
FIRST_TURNS = 256
# What a dispatch may take at most: a second or less, and within what software drivers allow of loops.
MOST_TURNS = 50_000


def search_modules(shape: Shape, *more: Arithmetic) -> dict[str, str]:
    """The generated texts that `arithmetic/search/alone` imports, for `compose`: with `bindings` they make a kernel.

    more   arithmetics the kernel wants of the network besides those of the search
    """
    return {
        "network": network_module(shape, (PLAIN, *more)),
        "enclosure": enclosure_module(shape),
        "bounds": "#import arithmetic/slope_bounds\n",
    }


@kept
def kernels(shape: Shape) -> tuple[Kernel, Kernel]:
    """The Kernels that begin all rays and that take the open ones further."""
    names = (
        weights_binding(shape),
        *BINDINGS,
        Binding("open", "write", "array<atomic<u32>>"),
        Binding("workgroups", "write", "array<atomic<u32>>"),
    )
    module = compose("kernels/rays", {"bindings": declare(names), **search_modules(shape)})
    begin, go_on = (Kernel(module, names, entry=entry) for entry in ("begin", "go_on"))
    return begin, go_on


class FusedPasses:
    """The passes of one casting: `begin` once, then `go_on` until `left()` is 0, or the rest is given up.

    shape    of the network, whose weights are in `weights`
    casting  a CASTING struct; its turns are replaced
    arrays   `rays`, `crossings`, `costs`, `states`, `open`, `workgroups`
    """

    def __init__(self, shape: Shape, weights: Array, casting: np.ndarray, arrays: dict[str, Array]):
        self.shape, self.casting, self.arrays = shape, casting, arrays | {"weights": weights}

    def begin(self, encoder: Encoder, turns: int) -> None:
        """Records the first pass: no ray is listed as open before it."""
        for name in ("open", "workgroups"):
            encoder.clear_buffer(self.arrays[name].buffer, 0, 16)
        groups = workgroups(int(self.casting["rays"].item()))
        kernel = kernels(self.shape)[0]
        Dispatch(kernel, kernel.bind(casting=self._casting(turns), **self.arrays), groups).record(encoder)

    def go_on(self, encoder: Encoder, turns: int) -> None:
        """Records a further pass over the open rays, without waiting for their number; 0 turns give them up."""
        kernel = kernels(self.shape)[1]
        # What gives the number of workgroups cannot be written meanwhile; `go_on` does not.
        arrays = self.arrays | {"workgroups": self.arrays["costs"]}
        group = kernel.bind(casting=self._casting(turns), **arrays)
        step = compute_pass(encoder, kernel.label)
        step.set_pipeline(kernel.pipeline)
        step.set_bind_group(0, group)
        step.dispatch_workgroups_indirect(self.arrays["workgroups"].buffer, 0)
        step.end()

    def left(self) -> int:
        """How many rays are open; waits for the GPU."""
        return int(self.arrays["open"].read(1, 1)[0])

    def _casting(self, turns):
        casting = self.casting.copy()
        casting["turns"] = turns
        return Array.of(casting, "uniform")
