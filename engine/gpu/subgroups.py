"""How many invocations an adapter runs side by side, and can hand values between."""

from functools import cache

from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import Kernel


@cache
def subgroup_size() -> int:
    """Invocations of a subgroup in our compute kernels; 0 where the adapter has no subgroups.

    Asked of a kernel, once a process: adapters state only the range in which it lies.
    """
    if "subgroup" not in device().features:
        return 0
    bindings = (Binding("sizes", "write", "array<u32>"),)
    kernel = Kernel(compose("gpu/subgroup_size", {"bindings": declare(bindings)}), bindings)
    sizes = Array("u4", 1)
    kernel.run(1, sizes=sizes)
    return int(sizes.read()[0])
