"""Where along rays a level may lie, by the leaves of a tree of boxes, on the GPU: empty space costs no evaluation."""

import numpy as np
from numpy.typing import ArrayLike

from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.kernel import Kernel
from engine.kept import kept
from engine.kernels.rays import check_rays
from engine.kernels.search.arrays import RAYS, ray_array, workgroups
from engine.kernels.tree.skip import BINDINGS, uniform
from engine.kernels.tree.tree import HeldLevels, Tree


@kept
def _kernel() -> Kernel:
    names = (
        *BINDINGS,
        RAYS,
        Binding("brackets", "write", "array<vec2f>"),
        Binding("counts", "write", "array<u32>"),
    )
    return Kernel.of("kernels/tree_brackets", names)


def brackets(
    tree: Tree,
    origins: ArrayLike,
    directions: ArrayLike,
    lengths: ArrayLike,
    levels: HeldLevels,
    *,
    most: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """The pieces of rays where a level may lie: none lies elsewhere.

    origins, directions, lengths   as for `rays.cast`
    most       brackets a ray that are given; a ray that has as many may have more

    returns    ((N, most, 2) float32: from and to, front to back; (N,) how many of them there are)

    Raises what `check_rays` raises.
    """
    o, d, length = check_rays(origins, directions, lengths)
    count = len(o)
    if count == 0:
        return np.zeros((0, most, 2), np.float32), np.zeros(0, np.uint32)
    found, counts = Array("f4", count * most * 2), Array("u4", count)
    _kernel().run(
        workgroups(count), tree=uniform(tree, levels, rays=count, brackets=most), nodes=tree.array(),
        rays=Array.of(ray_array(o, d, length)), brackets=found, counts=counts,
    )  # fmt: skip
    return found.read().reshape(count, most, 2), counts.read()
