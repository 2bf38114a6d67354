"""A stable sort of whole numbers with their values, on the GPU: the same order on every run."""

import numpy as np
from numpy.typing import ArrayLike

from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.prefix_sums import PrefixSums

PASS = struct("Pass", count="u32", shift="u32", length="u32", stretches="u32")
BINDINGS = (
    Binding("pass_now", "uniform", PASS),
    Binding("keys", "read", "array<u32>"),
    Binding("values", "read", "array<u32>"),
    Binding("sorted_keys", "write", "array<u32>"),
    Binding("sorted_values", "write", "array<u32>"),
    Binding("counters", "write", "array<u32>"),
)
DIGITS = 256
WORKGROUP = 64
# Keys of one invocation. A software driver runs few invocations at a time, so long stretches and few counters are
# best; a graphics card needs thousands. All loops together stay within a software driver's 65,535 iterations.
LENGTH = {True: 2048, False: 256}


class RadixSort:
    """Sorts keys, with memory that later calls use again."""

    def __init__(self):
        self._keys: Array | None = None
        self._values: Array | None = None
        self._counters: Array | None = None
        self._sums = PrefixSums()

    def record(self, encoder: Encoder, keys: Array, values: Array, count: int, bits: int = 32) -> tuple[Array, Array]:
        """Sorts the first `count` of two Arrays of u32 by the keys' lowest bytes; equal ones keep their order.

        bits      of the keys to sort by, in whole bytes
        returns   the two Arrays that hold them in order: those given, or after an odd number of passes others, which
                  the next call overwrites

        A pass a byte, after Knuth, The Art of Computer Programming 3, section 5.2.5.
        """
        if not count:
            return keys, values
        length = LENGTH[device().is_software]
        stretches = -(-count // length)
        self._keys, self._values = grown(self._keys, "u4", count), grown(self._values, "u4", count)
        self._counters = grown(self._counters, "u4", DIGITS * stretches)
        here, there = (keys, values), (self._keys, self._values)
        for shift in range(0, bits, 8):
            now = Array.of(PASS.new(count=count, shift=shift, length=length, stretches=stretches), "uniform")
            resources = dict(
                pass_now=now, keys=here[0], values=here[1], sorted_keys=there[0], sorted_values=there[1],
                counters=self._counters,
            )  # fmt: skip
            groups = -(-stretches // WORKGROUP)
            _kernel("count").prepared(groups, **resources).record(encoder)
            self._sums.record(encoder, self._counters, DIGITS * stretches)
            _kernel("move_keys").prepared(groups, **resources).record(encoder)
            here, there = there, here
        return here


@kept
def _kernel(entry):
    return Kernel.of("kernels/radix_sort", BINDINGS, entry=entry)


def radix_sort(keys: ArrayLike, values: ArrayLike, bits: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """((N,), (N,)) uint32: (N,) keys in the order of their lowest bytes, and their values; waits for the GPU."""
    keys, values = np.asarray(keys, np.uint32), np.asarray(values, np.uint32)
    if not len(keys):
        return keys, values
    with device().recording() as encoder:
        ordered = RadixSort().record(encoder, Array.of(keys), Array.of(values), len(keys), bits)
    return ordered[0].read(len(keys)), ordered[1].read(len(keys))
