"""Exclusive prefix sums of whole numbers on the GPU: where each of many lists of different lengths begins."""

from functools import cache

import numpy as np

from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct

SCAN = struct("Scan", count="u32")
BINDINGS = (
    Binding("scan", "uniform", SCAN),
    Binding("values", "write", "array<u32>"),
    Binding("sums", "write", "array<u32>"),
)
RUN = 64  # numbers an invocation; also in the shader
WORKGROUP = 64


class PrefixSums:
    """Keeps the room that summing needs from one call to the next."""

    def __init__(self):
        self._sums = None

    def record(self, encoder, values, count):
        """Replaces the first `count` of an Array of u32 by their exclusive prefix sums, modulo 2^32.

        returns   (Array, index) where the sum of all stands
        """
        runs = -(-count // RUN)
        self._sums = grown(self._sums, "u4", runs + 1)
        scan = Array.of(SCAN.new(count=count), "uniform")
        groups = max(1, -(-runs // WORKGROUP))
        for entry, workgroups in (("sum_runs", groups), ("sum_sums", 1), ("fill_runs", groups)):
            kernel = _kernel(entry)
            kernel.dispatch(encoder, kernel.bind(scan=scan, values=values, sums=self._sums), workgroups)
        return self._sums, runs


@cache
def _kernel(entry):
    return Kernel(compose("kernels/prefix_sums", {"bindings": declare(BINDINGS)}), BINDINGS, entry=entry)


def prefix_sums(values):
    """((N,) uint32, int): the exclusive prefix sums of (N,) whole numbers and the sum of all; waits for the GPU."""
    values = np.asarray(values, np.uint32)
    array, encoder = Array.of(values) if len(values) else Array("u4", 1), device().encoder()
    sums, last = PrefixSums().record(encoder, array, len(values))
    device().submit(encoder)
    return array.read(len(values)), int(sums.read(1, last)[0])
