"""Exclusive prefix sums of whole numbers on the GPU: where each of many lists of different lengths begins."""

import numpy as np
from numpy.typing import ArrayLike

from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.kept import kept

SCAN = struct("Scan", count="u32")
BINDINGS = (
    Binding("scan", "uniform", SCAN),
    Binding("values", "write", "array<u32>"),
    Binding("sums", "write", "array<u32>"),
)
RUN = 64  # numbers an invocation; also in the shader
WORKGROUP = 64


class PrefixSums:
    """Computes prefix sums, with memory that later calls use again."""

    def __init__(self):
        self._sums: Array | None = None

    def record(self, encoder: Encoder, values: Array, count: int) -> tuple[Array, int]:
        """Replaces the first `count` of an Array of u32 by their exclusive prefix sums, modulo 2^32.

        returns   (Array, index) of the sum of all
        """
        runs = -(-count // RUN)
        self._sums = grown(self._sums, "u4", runs + 1)
        groups = max(1, -(-runs // WORKGROUP))
        for entry, workgroups in (("sum_runs", groups), ("sum_sums", 1), ("fill_runs", groups)):
            scan = SCAN.new(count=count)
            _kernel(entry).prepared(workgroups, scan=scan, values=values, sums=self._sums).record(encoder)
        return self._sums, runs


@kept
def _kernel(entry):
    return Kernel.of("kernels/prefix_sums", BINDINGS, entry=entry)


def prefix_sums(values: ArrayLike) -> tuple[np.ndarray, int]:
    """((N,) uint32, int): the exclusive prefix sums of (N,) whole numbers and the sum of all; waits for the GPU."""
    values = np.asarray(values, np.uint32)
    array = Array.of(values) if len(values) else Array("u4", 1)
    with device().recording() as encoder:
        sums, last = PrefixSums().record(encoder, array, len(values))
    return array.read(len(values)), int(sums.read(1, last)[0])
