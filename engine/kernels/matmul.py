"""The matrix product of two arrays, batched and broadcast, computed on the GPU."""

from collections.abc import Sequence
from math import prod

import numpy as np

from engine.errors import NetworkError
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS, MOST_ITERATIONS, Dispatch, Kernel
from engine.gpu.layout.stored import Stored
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.graph.nodes import MatMul

# Rows and columns of a workgroup, and how many factors it loads at once: wgsl/kernels/matmul.wgsl has the same.
TILE, SLAB = 32, 16
AXES = 4
MATMUL = struct(
    "MatMul", batch=f"array<vec4u, {AXES}>", firsts="vec4u", rows="u32", columns="u32", length="u32", slabs="u32"
)  # fmt: skip
# Iterations of a slab, the loops in it summed.
MOST = MOST_ITERATIONS // 40 * SLAB


VARIANTS = {"slabs": ("kernels/matmul", TILE, TILE), "alone": ("kernels/matmul_alone", 32, 64)}


def steps(node: MatMul, sources: Sequence[Stored], output: Stored, *, variant: str | None = None) -> list[Dispatch]:
    """The Dispatch of one product of arrays in numpy's order; the output in separate memory.

    variant   one of VARIANTS: "slabs", where invocations of a workgroup share loads; "alone", where none waits for
              another, best on software drivers; the adapter's best unless given

    Raises NetworkError past MOST factors, and for more matrices or axes than a dispatch has.
    """
    a, b = (source.dims for source in sources)
    a, b = (1, *a) if len(a) == 1 else a, (*b, 1) if len(b) == 1 else b
    (rows, length), columns = a[-2:], b[-1]
    axes = _batch(a[:-2], b[:-2])
    count = prod(n for n, *_ in axes)
    if length > MOST or len(axes) > AXES or max(count, -(-rows // TILE), -(-columns // TILE)) > MAX_GROUPS:
        raise NetworkError(f"Node `{node.name}` multiplies {a} and {b}, which is more than the kernel takes.")
    batch = np.array([*axes, *[(1, 0, 0)] * (AXES - len(axes))], np.uint32)
    batch = np.pad(batch, ((0, 0), (0, 1)))
    uniform = MATMUL.new(
        batch=batch, firsts=[*(source.first for source in sources), output.first, 0], rows=rows, columns=columns,
        length=length, slabs=-(-length // SLAB),
    )  # fmt: skip
    left, right = sources
    file, high, wide = VARIANTS[variant or ("alone" if device().is_software else "slabs")]
    counts = (-(-columns // wide), -(-rows // high), count)
    return [_kernel(file).prepared(counts, product=uniform, left=left.array, right=right.array, output=output.array)]


def _batch(a, b):
    """(length, distance of matrices in a, in b, which are 0 where it is broadcast) of each axis, the last first."""
    rank = max(len(a), len(b))
    a, b = ((1,) * (rank - len(x)) + tuple(x) for x in (a, b))
    found: list[tuple[int, int, int]] = []
    steps = [1, 1]
    for n, m in zip(a[::-1], b[::-1], strict=True):
        own = [0 if k == 1 else step for k, step in zip((n, m), steps, strict=True)]
        steps = [step * k for step, k in zip(steps, (n, m), strict=True)]
        if max(n, m) == 1:
            continue
        last = found[-1] if found else None
        if last and own == [last[0] * last[1], last[0] * last[2]]:
            found[-1] = (last[0] * max(n, m), last[1], last[2])
        else:
            found.append((max(n, m), *own))
    return found


@kept
def _kernel(file):
    bindings = (
        Binding("product", "uniform", MATMUL),
        Binding("left", "read", "array<f32>"),
        Binding("right", "read", "array<f32>"),
        Binding("output", "write", "array<f32>"),
    )
    return Kernel.of(file, bindings)
