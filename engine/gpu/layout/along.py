"""How a kernel goes through an array along some of its axes: those that are kept, and those that are gone through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from engine.errors import NetworkError
from engine.gpu.device import device
from engine.gpu.kernel import MOST_ITERATIONS, spread
from engine.gpu.layout.stored import Stored
from engine.gpu.structs import struct

AXES = 4
ALONG = struct(
    "Along", kept=f"array<vec4u, {AXES}>", through=f"array<vec4u, {AXES}>", count="u32", length="u32", row="u32",
    first="u32", offset="u32", scale="f32",
)  # fmt: skip
SHARING = 64
# A kernel goes through the same numbers three times.
MOST_ALONE = MOST_ITERATIONS // 3 - 1
MOST = MOST_ALONE * SHARING


@dataclass(frozen=True)
class Stride:
    """One axis: its length, the distance in memory from one place to the next, and that of an array beside."""

    length: int
    step: int
    beside: int = 0


def axes_of(offsets: np.ndarray, beside: int = 0) -> list[Stride] | None:
    """The axes, one or two, along which offsets are equally far apart; None if there are none.

    The channels of a map are two: groups, and four in each; the last may be incomplete.
    """
    n = len(offsets)
    step = int(offsets[1] - offsets[0]) if n > 1 else 0
    if np.array_equal(offsets, offsets[0] + step * np.arange(n)):
        return [Stride(n, step, beside)]
    groups = -(-n // 4)
    far = int(offsets[4] - offsets[0]) if n > 4 else 0
    whole = np.add.outer(far * np.arange(groups), np.arange(4)).reshape(-1)[:n]
    return (
        [Stride(groups, far, 4 * beside), Stride(4, 1, beside)] if np.array_equal(offsets - offsets[0], whole) else None
    )


def merged(axes: Sequence[Stride]) -> list[Stride]:
    """The same places with as few axes as possible."""
    found: list[Stride] = []
    for axis in axes:
        if axis.length == 1:
            continue
        before = found[-1] if found else None
        if before and (before.step, before.beside) == (axis.length * axis.step, axis.length * axis.beside):
            found[-1] = Stride(before.length * axis.length, axis.step, axis.beside)
        else:
            found.append(axis)
    return found


@dataclass(frozen=True)
class Along:
    """What a kernel goes through.

    kept      the axes of its results, the last fastest; count: how many results
    through   the axes that each result goes through; length: how many numbers that are
    """

    kept: tuple[Stride, ...]
    through: tuple[Stride, ...]
    count: int
    length: int

    @classmethod
    def of(
        cls, kept: Sequence[np.ndarray], through: Sequence[np.ndarray], beside: Sequence[Sequence[int]] = ((), ())
    ) -> Along | None:
        """From the offsets along axes of each kind; None where they are not equally far apart.

        beside   of axes of each kind, the distances in an array beside; none: zeros
        """
        lists: list[list[Stride]] = []
        for offsets, steps in zip((kept, through), beside, strict=True):
            found = [axes_of(x, s) for x, s in zip(offsets, steps or [0] * len(offsets), strict=True)]
            if None in found:
                return None
            # Channels first, since their last group may be incomplete.
            if offsets is through:
                found.sort(key=lambda axes: -len(axes or ()))
            many = [axes for axes in found if axes and axes[0].length * axes[-1].length > 1]
            uneven = any(
                len(axes) == 2 and len(x) % 4 for axes, x in zip(found, offsets, strict=True) if axes in many[1:]
            )
            if offsets is kept and uneven:
                return None
            lists.append(merged([axis for axes in found for axis in axes or ()]))
        counts = [prod(len(x) for x in offsets) for offsets in (kept, through)]
        return cls(tuple(lists[0]), tuple(lists[1]), *counts) if max(map(len, lists)) <= AXES else None

    @property
    def sharing(self) -> int:
        """How many invocations share what a result goes through."""
        if self.length <= 32 or (device().is_software and self.length <= MOST_ALONE):
            # Software drivers are slow where invocations wait for each other.
            return 1
        return 8 if self.length <= 512 else SHARING

    @property
    def sums(self) -> str:
        """The text of `generated/sharing`: how what the invocations of a result found is joined."""
        return f"#import lib/{'own' if self.sharing == 1 else 'shared'}_sums\n"

    def dispatch(self, first: int, offset: int, scale: float = 0.0) -> tuple[tuple[int, int], np.ndarray]:
        """(workgroups, uniform) of a run over arrays that begin at `first` and `offset`.

        Raises NetworkError where loops of a shader would be too long.
        """
        if self.length > MOST:
            raise NetworkError(f"{self.length} numbers are to be taken together; at most {MOST} can be.")
        across, down = spread(-(-self.count * self.sharing // SHARING))
        uniform = ALONG.new(
            kept=_table(self.kept), through=_table(self.through), count=self.count, length=self.length,
            row=across * SHARING // self.sharing, first=first, offset=offset, scale=scale,
        )  # fmt: skip
        return (across, down), uniform


def over(source: Stored, axes: Iterable[int]) -> Along | None:
    """Going through a stored array along some of its axes, which may be counted from the end."""
    through, offsets = {axis % len(source.dims) for axis in axes}, source.offsets()
    kept, gone = ([x for i, x in enumerate(offsets) if (i in through) is inside] for inside in (False, True))
    return Along.of(kept, gone)


def _table(axes):
    table = np.zeros((AXES, 4), np.uint32)
    table[:, 0] = 1
    # The fastest first, as the kernel takes them.
    for i, axis in enumerate(reversed(axes)):
        table[i, :3] = axis.length, axis.step, axis.beside
    return table
