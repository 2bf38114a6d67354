"""A tree of boxes, each bounded by planes, split where a level may lie: space that is proven once, not by every ray."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import SettingError
from engine.gpu.array import Array, grown
from engine.kernels.tree.boxes import NONE, Batch, Boxes
from engine.kernels.tree.layers import MEMBERS, bounded_net
from engine.network.mlp import Mlp

# Of each box: a plane below f and one above, the range of f, and the first of its eight children; 0 for none.
NODE = np.dtype([("slopes", "f4", 3), ("low", "f4"), ("high", "f4"), ("least", "f4"), ("most", "f4"), ("child", "u4")])
FAR = np.float32(3e38)
# Origins of rays further out, in half sides, are not taken through a tree; and the ulp of such a place by which boxes
# are bounded beyond their faces: what rounding may move a ray's points by is inside. Also in the shader.
FAR_OUT, BEYOND = 32.0, 16 * 2.0**-23
# Cells a side at the deepest, as a power of 2.
DEEPEST = 12
# Boxes a tree holds unless told: 64 MiB.
MOST_BOXES = 1 << 21
# Bytes for the ranges that the boxes of one depth leave to those inside.
STORED = 1 << 27
# Boxes that are tried at a depth, and the share of them that must be proven for it to begin there.
TRIED, USEFUL = 256, 0.1
# Segments that a ray takes through leaves, for each part of space that is open: 70 to 220 for six trained networks. And
# for each layer of activations without a tree, at most: 5 to 35 for these.
SEGMENTS, LAYER_SEGMENTS = 150, 10
# Products with a layer's weights that a segment takes; and multiply-adds that a box takes for each unit besides those
# of its rows, to relax it and to move its ranges, as measured on two cores.
PRODUCTS, UNIT = 3, 128
# Multiply-adds in the time that a tree's kernels take to be compiled, 2 s on two cores; and the part of the segments
# that it may save that it saves about.
COMPILING, USUAL = 1.2e10, 0.25
# The children of a box, by the halves of x, y and z they are in: x goes fastest.
OCTANTS = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)])


# Of leaves by number: their place in a store of ranges, and which units boxes inside should have closer.
Kept: TypeAlias = dict[int, tuple[int, np.ndarray]]


class HeldLevels(Protocol):
    """Which values of the output are levels: `level` + k `spacing` for every whole k, or `level` alone if `single`."""

    @property
    def level(self) -> float: ...

    @property
    def spacing(self) -> float: ...

    @property
    def single(self) -> bool: ...


def holds_level(least: np.ndarray, most: np.ndarray, levels: HeldLevels) -> np.ndarray:
    """Whether a level may lie in [least, most], elementwise."""
    low, high = least.astype(float) - levels.level, most.astype(float) - levels.level
    if levels.single:
        return (low <= 0) & (high >= 0)
    slack = 1e-9 * (np.abs(low) + np.abs(high) + abs(levels.level)) / levels.spacing
    return np.ceil(low / levels.spacing - slack) <= np.floor(high / levels.spacing + slack)


@dataclass(frozen=True)
class Growth:
    """How far a tree has been refined.

    boxes    how many it has bounded so far
    depth    of those that are being bounded: 2^depth cells a side
    open     the share of space where a level may lie; what is not bounded yet counts as such
    spent    what the boxes have taken, in segments of a ray
    why      "" while it goes on; at the end why it is not refined further: done, most, rays, nothing is proven
    """

    boxes: int
    depth: int
    open: float
    spent: float = 0.0
    why: str = ""


class Tree:
    """The tree of the box |p| <= half of a network's inputs: what is known of the output's values in it.

    net    an Mlp with three inputs
    half   half of the box's sides

    Raises ShapeError and NetworkError as `bounded_net` does, SettingError for sides that are not above 0.

    Levels are proven absent from a leaf whose planes, cut by its range, hold none. What is known stays when other
    levels are asked for. Weights that change need another tree.
    """

    def __init__(self, net: Mlp, half: ArrayLike, *, output: int = 0):
        self.half = np.broadcast_to(np.asarray(half, np.float32), (3,)).copy()
        if not (np.isfinite(self.half).all() and (self.half > 0).all()):
            raise SettingError(f"A tree of half sides {self.half} was asked for; all must be finite and above 0.")
        self.net = bounded_net(net, output)
        self.nodes = np.zeros(1, NODE)
        self.nodes[0] = (0, -FAR, FAR, -FAR, FAR, 0)
        self.depths = np.zeros(1, np.uint8)
        self.cells = np.zeros((1, 3), np.int32)
        self.bounded = 0
        self._boxes: Boxes | None = None
        self._array: Array | None = None
        self._sent = 0

    def fits(self, net: Mlp, output: int = 0) -> bool:
        """Whether it is of this network, to the bit."""
        return self.net.equals(bounded_net(net, output))

    @property
    def boxes(self) -> Boxes:
        """What bounds its boxes; compiled when it is first wanted."""
        if self._boxes is None:
            self._boxes = Boxes(self.net)
        return self._boxes

    def array(self) -> Array:
        """The nodes on the GPU, up to date."""
        if self._sent != len(self.nodes):
            self._array = grown(self._array, NODE, len(self.nodes))
            self._array.write(self.nodes)
            self._sent = len(self.nodes)
        elif self._array is None:
            self._array = Array.of(self.nodes)
        return self._array

    def leaves(self, levels: HeldLevels | None = None) -> np.ndarray:
        """Numbers of its leaves; of those only that may hold one of the levels, if some are given."""
        leaf = self.nodes["child"] == 0
        if levels is not None:
            leaf &= holds_level(self.nodes["least"], self.nodes["most"], levels)
        return np.flatnonzero(leaf)

    def share_open(self, levels: HeldLevels) -> float:
        """The share of space in leaves that may hold one of the levels."""
        return float((8.0 ** -self.depths[self.leaves(levels)].astype(float)).sum())

    def refine(
        self, levels: HeldLevels, finest: float, *, most: int = MOST_BOXES, rays: int | None = None
    ) -> Generator[Growth, None, Growth]:
        """Splits leaves that may hold a level, coarse to fine: a Growth after each batch of boxes.

        finest   the side of the smallest boxes, world units
        most     boxes the tree may have in all
        rays     for so many rays: it ends where boxes take more than they save these

        It begins at the first depth at which a few boxes that are tried prove something; where none proves anything,
        it stays one box. Closing the generator leaves a tree that is right, and refined so far.

        Raises SettingError for sides that are not above 0.
        """
        if not (np.isfinite(finest) and finest > 0):
            raise SettingError(f"Boxes down to sides of {finest} were asked for; give a side above 0.")
        deepest = int(np.clip(np.ceil(np.log2(2 * float(self.half.max()) / finest)), 1, DEEPEST))
        if len(self.nodes) == 1:
            start, why = yield from self._start(levels, deepest, most, rays)
            if start == 0:
                return self._growth(0, levels, why)
            yield from self._split_to(start, levels)
        store: Array | None = None
        held: Kept = {}
        for depth in range(int(self.depths.min()), deepest):
            at = self.leaves(levels)
            at = at[self.depths[at] == depth]
            room = (most - len(self.nodes)) // MEMBERS
            if len(at) and depth and not self._is_worth(depth, levels, rays, held):
                return self._growth(depth, levels, "rays")
            if len(at):
                store, held = yield from self._split(at[: max(room, 0)], levels, store, held, depth + 1 < deepest)
            if len(at) > room:
                return self._growth(depth, levels, "most")
        return self._growth(deepest, levels, "done")

    def _growth(self, depth, levels, why=""):
        spent = 0.0 if self._boxes is None else self._boxes.done / (PRODUCTS * self.net.weight_count)
        return Growth(self.bounded, depth, self.share_open(levels), spent, why)

    def worth(self, rays: int) -> float:
        """Segments that a tree saves so many rays at most, and so may take."""
        return self._saved(1.0) * rays

    def _is_worth(self, depth, levels, rays, held):
        """Whether splitting the open leaves of a depth costs less than the segments it saves so many rays."""
        if rays is None:
            return True
        boxes = self.nodes[self.depths == depth]
        known = boxes["least"] > -FAR
        if not known.any():
            return True
        # About as many will be proven of their children.
        proven = 1 - holds_level(boxes["least"][known], boxes["most"][known], levels).mean()
        rows = np.mean([needs for _, needs in held.values()], axis=0) if held else self.boxes.used
        share = float((self.depths[self.leaves(levels)] == depth).sum() / 8.0**depth)
        return 8.0 ** (depth + 1) * share * self._segments(rows) <= self._saved(share) * proven * rays

    def _saved(self, share):
        """Segments of a ray that are saved at most where this share of space is open."""
        return min(SEGMENTS * share, LAYER_SEGMENTS * (len(self.net.layers) - 1))

    def _segments(self, rows):
        """What a box of which these rows are wanted costs, in segments of a ray."""
        work = rows @ self.boxes.costs + self.boxes.output_cost + UNIT * self.boxes.used.sum()
        return work / (PRODUCTS * self.net.weight_count)

    def _start(self, levels, deepest, most, rays):
        """The first depth at which boxes that are tried prove something; 0 for none, and why."""
        saved = np.inf if rays is None else USUAL * self._saved(1.0) * rays
        if saved * PRODUCTS * self.net.weight_count < COMPILING:
            return 0, "rays"
        rng = np.random.default_rng(0)
        for depth in range(1, deepest + 1):
            cost = 8.0**depth * self._segments(self.boxes.used)
            if 8**depth > most or (rays is not None and cost > self._saved(1.0) * rays):
                return 0, "most" if 8**depth > most else "rays"
            every = 8 ** (depth - 1)
            places = np.arange(every) if 8 * every <= TRIED else rng.integers(0, every, TRIED // 8)
            side = 2 ** (depth - 1)
            parents = np.stack([places % side, places // side % side, places // side**2], axis=1)
            found = []
            for part in self.boxes.split(self._batch(parents, depth)):
                found.append(self.boxes.bound(part))
                self.bounded += found[-1].size
                yield self._growth(depth, levels)
            planes = np.concatenate(found)
            proven = 1 - holds_level(planes["least"], planes["most"], levels).mean()
            if proven >= USEFUL and (rays is None or cost <= self._saved(1.0) * proven * rays):
                return depth, ""
        return 0, "nothing is proven"

    def _batch(self, cells, depth, rows=None, parents=None):
        """The eight boxes of `depth` in each of (Q, 3) cells of the depth before."""
        boxes = np.zeros((len(cells), MEMBERS, 2, 4), np.float32)
        side = 2.0 * self.half.astype(float) / 2**depth
        corner = 2 * cells[:, None].astype(float) + OCTANTS
        boxes[:, :, 0, :3] = (corner + 0.5) * side - self.half
        boxes[:, :, 1, :3] = side / 2 + BEYOND * (1 + FAR_OUT) * self.half
        if rows is None:
            rows = np.broadcast_to(self.boxes.used, (len(cells), len(self.boxes.used)))
        parents = np.full(len(cells), NONE, np.uint32) if parents is None else parents
        return Batch(boxes, rows, parents)

    def _split_to(self, depth, levels):
        """Splits all boxes above a depth without bounding them, then bounds those of that depth."""
        for above in range(depth - 1):
            at = np.flatnonzero(self.depths == above)
            unknown = np.zeros((len(at), MEMBERS), NODE)
            unknown["low"] = unknown["least"] = -FAR
            unknown["high"] = unknown["most"] = FAR
            self._append(at, unknown)
        yield from self._split(np.flatnonzero(self.depths == depth - 1), levels, None, {}, False)

    def _append(self, at, children):
        """Children of some leaves, (Q,) numbers and (Q, 8) NODE."""
        first = len(self.nodes)
        self.nodes["child"][at] = first + MEMBERS * np.arange(len(at))
        self.nodes = np.concatenate([self.nodes, children.reshape(-1)])
        self.depths = np.concatenate([self.depths, np.repeat(self.depths[at] + 1, MEMBERS).astype(np.uint8)])
        cells = 2 * self.cells[at][:, None] + OCTANTS.astype(np.int32)
        self.cells = np.concatenate([self.cells, cells.reshape(-1, 3)])

    def _split(self, at, levels, store, held, keeps):
        """Bounds the children of some leaves of one depth; of the last call's store takes what it `held`, by leaf.

        keeps     whether boxes inside come next
        returns   (store, held) of the children that may hold a level
        """
        boxes, depth = self.boxes, int(self.depths[at[0]]) + 1 if len(at) else 0
        places = np.array([held.get(int(i), (NONE, None))[0] for i in at], np.uint32)
        rows = np.broadcast_to(boxes.used, (len(at), len(boxes.used)))
        if held:
            rows = np.stack([held[int(i)][1] if int(i) in held else boxes.used for i in at])
        batch = self._batch(self.cells[at], depth, rows, places)
        room = min(STORED // (boxes.groups * 32), len(at) * MEMBERS) if keeps else 0
        now: Kept = {}
        kept, done, used = boxes.store(room) if room else None, 0, 0
        for part in boxes.split(batch):
            count = len(part.boxes)
            found = boxes.bound(part, store)
            children = np.zeros((count, MEMBERS), NODE)
            for name in ("slopes", "low", "high", "least", "most"):
                children[name] = found[name]
            first = len(self.nodes)
            self._append(at[done : done + count], children)
            self.bounded += children.size
            some = np.flatnonzero(holds_level(found["least"], found["most"], levels))[: room - used]
            if kept is not None and len(some):
                needs = boxes.needs(count * MEMBERS)
                boxes.keep(some, kept, used)
                now |= {first + int(i): (used + n, needs[i]) for n, i in enumerate(some)}
                used += len(some)
            done += count
            yield self._growth(depth, levels)
        return kept, now
