"""The search along open rays, moved on by a tree of boxes to where a level may lie: what comes before costs nothing."""

from collections.abc import Mapping

import numpy as np

from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.kernel import Dispatch, Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.search.arrays import BINDINGS as SEARCH
from engine.kernels.search.arrays import PART, workgroups
from engine.kernels.tree.tree import HeldLevels, Tree

TREE = struct("Tree", half="vec3f", single="u32", level="f32", scale="f32", rays="u32", brackets="u32")
# What `lib/tree` needs.
BINDINGS = (Binding("tree", "uniform", TREE), Binding("nodes", "read", "array<vec4f>"))


def uniform(tree: Tree, levels: HeldLevels, *, rays: int = 0, brackets: int = 0) -> np.ndarray:
    """The struct `tree` of `lib/tree`."""
    scale = 1.0 if levels.single else 1.0 / levels.spacing
    return TREE.new(
        half=tree.half, single=int(levels.single), level=levels.level, scale=scale, rays=rays, brackets=brackets
    )


@kept
def _kernel() -> Kernel:
    names = (
        *BINDINGS,
        *SEARCH,
        Binding("part", "uniform", PART),
        Binding("open", "read", "array<u32>"),
    )
    return Kernel.of("kernels/tree_skip", names, bounds="#import arithmetic/parabola_pace\n")


def skip(
    tree: Tree, levels: HeldLevels, casting: Array, arrays: Mapping[str, Array], open: Array, first: int, count: int
) -> Dispatch:
    """The Dispatch that moves `count` rays of a list on, from its `first`; those that something is near stay.

    casting   the CASTING struct of the search, whose levels are `levels`
    arrays    its `rays`, `crossings`, `costs`, `states`
    open      a list: how many rays go on and how many wait, then the numbers of the former
    """
    return _kernel().prepared(
        workgroups(count), tree=uniform(tree, levels), nodes=tree.array(), casting=casting,
        part=PART.new(first=first, count=count), open=open, **arrays,
    )  # fmt: skip
