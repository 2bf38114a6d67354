"""Planes that bound a network's output over boxes of space, proven under float32's rounding, on the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.bounds.rows import ROWS
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.gpu.kernel import Dispatch
from engine.gpu.passes import Encoder
from engine.gpu.texture import Texture
from engine.kept import once
from engine.kernels.tree import variants
from engine.kernels.tree.layers import MEMBERS, SIDE, LayerOnGpu, bounded_net
from engine.kernels.tree.variants import MOVING, PLANES, STEP
from engine.network.mlp import Mlp

ULP = 2.0**-23
NO_ROW, NONE = 0xFFFF, 0xFFFFFFFF
# Bytes of rows between two layers: so many stay near a processor's cache, and keep a GPU busy.
HELD, GPU_HELD = 1 << 23, 1 << 26
# Octets of a batch: the height of the images of relaxations bounds them, and the bytes of these.
MOST_OCTETS, RELAXED = SIDE // 5, 1 << 26
# Multiply-adds of a batch: 0.05 s on two cores, or on a GPU that does 2 TFLOP/s.
WORK, GPU_WORK = 1 << 29, 1 << 35


@dataclass(frozen=True)
class Batch:
    """Octets of boxes that are bounded together.

    boxes     (Q, 8, 2, 4) float32: centre and half sides of each
    rows      (Q, groups * 4) bool: units whose ranges are wanted, of all layers one after another, with their fill
    parents   (Q,) uint32: places in the store of boxes around them, NONE for none
    """

    boxes: np.ndarray
    rows: np.ndarray
    parents: np.ndarray

    def part(self, some: slice) -> Batch:
        """Some of the octets."""
        return Batch(self.boxes[some], self.rows[some], self.parents[some])


class Boxes:
    """A network, ready to be bounded over batches of boxes.

    net   an Mlp that `bounded_net` gave

    Compiles by kinds of activations only. `done` counts the multiply-adds so far.
    """

    def __init__(self, net: Mlp):
        self.net = net
        self.layers = [LayerOnGpu(layer, i) for i, layer in enumerate(net.layers)]
        hidden = self.layers[:-1]
        self.firsts = np.cumsum([0, *(x.groups for x in hidden)])
        self.groups = int(self.firsts[-1])
        self.held = HELD if device().is_software else GPU_HELD
        self.work = WORK if device().is_software else GPU_WORK
        rows = [-(-x.units // ROWS) for x in hidden[1:]]
        tallest = max([1, *(-(-n // x.across) for i, n in enumerate(rows, 1) for x in hidden[:i])])
        self.height = ROWS * max(tallest, self.held // (16 * SIDE * ROWS))
        self.most = max(1, min(MOST_OCTETS, RELAXED // (16 * MEMBERS * sum(x.parts * x.groups for x in hidden))))
        self.octets = 0
        self.done = 0.0

    @once
    def used(self) -> np.ndarray:
        """(groups * 4,) bool: units that are not fill."""
        used = np.zeros(4 * self.groups, bool)
        for at, layer in zip(self.firsts, self.layers[:-1], strict=False):
            used[4 * at : 4 * at + layer.units] = True
        return used

    @once
    def costs(self) -> np.ndarray:
        """(groups * 4,) multiply-adds that a row of each unit takes, for a box."""
        sizes, costs = self.net.shape.sizes, np.zeros(4 * self.groups)
        steps = np.cumsum([0, *(a * b for a, b in zip(sizes[:-2], sizes[1:-1], strict=True))])
        for i, at in enumerate(self.firsts[:-1]):
            costs[4 * at : 4 * at + self.layers[i].units] = steps[i]
        return costs

    @property
    def output_cost(self) -> int:
        """Multiply-adds of the output's row, for a box."""
        return int(sum(x.weights.size for x in self.net.layers[:-1]))

    def split(self, batch: Batch) -> Iterator[Batch]:
        """The batch in parts of about the work and memory of one submission."""
        octets = len(batch.boxes)
        tiles = np.ones(octets, np.int64)
        for i, at in enumerate(self.firsts[1:-1], 1):
            counts = batch.rows[:, 4 * at : 4 * (at + self.layers[i].groups)].sum(axis=1)
            tiles = np.maximum(tiles, -(-counts // ROWS))
        room = min(x.across for x in self.layers[:-1]) * (self.height // ROWS)
        work = self._work(batch)
        first, held, done = 0, 0, 0.0
        for i in range(octets):
            full = held + tiles[i] > room or done + work[i] > self.work or i - first >= self.most
            if full and i > first:
                yield batch.part(slice(first, i))
                first, held, done = i, 0, 0.0
            held, done = held + tiles[i], done + work[i]
        if octets > first:
            yield batch.part(slice(first, octets))

    def _work(self, batch):
        """(Q,) multiply-adds of each octet."""
        return MEMBERS * (batch.rows @ self.costs + self.output_cost)

    def bound(self, batch: Batch, store: Array | None = None) -> np.ndarray:
        """(Q, 8) of PLANES: the bounds over each box; `sure` is 0 where there are none. Waits for the GPU.

        batch   one that `split` gave
        store   what `keep` has kept, of the boxes around these
        """
        count = len(batch.boxes)
        self._reserve(count)
        self._boxes.write(batch.boxes)
        for i in range(len(self.layers)):
            self._tiles[i].write(self._tiles_of(batch, i))
        self._parents.write(batch.parents)
        self.done += float(self._work(batch).sum())
        with device().recording() as encoder:
            self._inherit(encoder, count, store)
            self._record(encoder, batch)
        return self._planes.read(count * MEMBERS).reshape(count, MEMBERS)

    def needs(self, count: int) -> np.ndarray:
        """(count, groups * 4) bool: of the last batch's first boxes, units that boxes inside should have closer."""
        found = self._needs.read(count * self.groups).reshape(count, self.groups, 1)
        return (found >> np.arange(4, dtype=np.uint32) & 1).astype(bool).reshape(count, -1)

    def keep(self, some: np.ndarray, store: Array, first: int) -> None:
        """Puts the ranges of some boxes of the last batch, by number, into the store, from place `first` on."""
        moving = MOVING.new(groups=self.groups, count=len(some), first=first)
        places = Array.of(some.astype(np.uint32))
        counts = (-(-len(some) // 64), self.groups)
        variants.ranges("keep").run(counts, moving=moving, places=places, ranges=self._kept, store=store)

    def store(self, count: int) -> Array:
        """Memory for the ranges of so many boxes."""
        return Array("f4", count * self.groups * 8)

    def _reserve(self, octets):
        if octets <= self.octets:
            return
        self.octets = octets
        boxes = MEMBERS * octets
        self._boxes = Array("f4", boxes * 8)
        self._parents = Array("u4", octets)
        self._kept = Array("f4", boxes * self.groups * 8)
        self._norms, self._bad = Array("f4", boxes), Array("u4", boxes)
        self._needs = Array("u4", boxes * self.groups)
        self._planes = Array(PLANES, boxes)
        texels = SIDE * self.height
        widest = max(x.groups * MEMBERS for x in self.layers[:-1])
        self._staged = Array("f4", 4 * max(texels, widest * 5 * octets))
        self._forms = Texture((SIDE, self.height), "rgba32float", "STORAGE_BINDING")
        rows = [-(-min(x.units, 4 * x.groups) // ROWS) * octets for x in self.layers]
        room = max(x.across for x in self.layers[:-1]) * self.height // ROWS
        tiles = [min(max(n, octets), max(room, octets)) for n in rows]
        self._tiles = [Array("u4", 4 * (1 + n)) for n in tiles]
        self._sums = Array("f4", max(tiles) * ROWS * MEMBERS * 4)
        self._relaxed = [
            Texture((x.groups * MEMBERS, x.parts * octets), "rgba32float", "STORAGE_BINDING") for x in self.layers[:-1]
        ]
        self._groups = {}

    def _tiles_of(self, batch, i):
        count = len(batch.boxes)
        if i == 0:
            return np.array([0, MEMBERS * count, 0, 0], np.uint32)
        if i == len(self.layers) - 1:
            octets, units = np.arange(count), np.zeros(count, np.int64)
        else:
            octets, units = np.nonzero(batch.rows[:, 4 * self.firsts[i] : 4 * self.firsts[i + 1]])
        # Each octet's rows fill tiles of their own.
        counts = np.bincount(octets, minlength=count)
        tiles = -(-counts // ROWS)
        place = np.arange(len(octets)) - np.repeat(np.cumsum(counts) - counts, counts)
        at = np.repeat(np.cumsum(tiles) - tiles, counts) * ROWS + place
        rows = np.full((tiles.sum(), ROWS), NO_ROW, np.uint32)
        rows.reshape(-1)[at] = units
        found = np.zeros((1 + len(rows), 4), np.uint32)
        found[0, :2] = len(rows), MEMBERS * count
        found[1:, 0] = np.repeat(np.arange(count), tiles)
        found[1:, 1], found[1:, 2] = rows[:, 0] | rows[:, 1] << 16, rows[:, 2] | rows[:, 3] << 16
        return found

    def _inherit(self, encoder, count, store):
        moving = MOVING.new(groups=self.groups, count=count * MEMBERS)
        resources = dict(places=self._parents, ranges=self._kept, store=store or self._planes)
        counts = (-(-count * MEMBERS // 64), self.groups)
        variants.ranges("inherit").prepared(counts, moving=moving, **resources).record(encoder)

    def _record(self, encoder, batch):
        count = len(batch.boxes)
        boxes = -(-count * MEMBERS // 64)
        last = len(self.layers) - 1
        self._dispatch(encoder, ("enter",), (boxes, self.layers[0].groups))
        self._relax(encoder, 0, count)
        for i in range(1, last + 1):
            tiles = count if i == last else self._tile_count(batch, i)
            if tiles:
                for k in range(i - 1, 0, -1):
                    self._back(encoder, i, k, tiles)
                self._dispatch(encoder, ("finish", i), (-(-tiles // variants.tiles()), 1))
            if i < last:
                self._relax(encoder, i, count)

    def _tile_count(self, batch, i):
        counts = batch.rows[:, 4 * self.firsts[i] : 4 * self.firsts[i + 1]].sum(axis=1)
        return int((-(-counts // ROWS)).sum())

    def _relax(self, encoder, i, count):
        layer = self.layers[i]
        self._dispatch(encoder, ("relax", i), (-(-count * MEMBERS // 64), 1))
        self._copy(encoder, self._relaxed[i], layer.groups * MEMBERS, layer.groups * MEMBERS, layer.parts * count)

    def _back(self, encoder, i, k, tiles):
        layer, groups = self.layers[k], -(-tiles // variants.tiles())
        self._dispatch(encoder, ("back", i, k, True), (groups, 1))
        if layer.columns > 1:
            self._dispatch(encoder, ("back", i, k, False), (groups, layer.columns - 1))
        before = self.layers[k - 1]
        wide = before.groups * MEMBERS
        rows = ROWS * -(-tiles // before.across)
        self._copy(encoder, self._forms, before.across * wide, min(before.across, tiles) * wide, rows)

    def _copy(self, encoder, image, pitch, width, height):
        encoder.copy_buffer_to_texture(
            {"buffer": self._staged.buffer, "bytes_per_row": 16 * pitch, "rows_per_image": height},
            {"texture": image.handle},
            (width, height, 1),
        )

    def _dispatch(self, encoder: Encoder, key: tuple, workgroups: tuple[int, int]) -> None:
        """Records a kernel of this network; its resources are bound once."""
        if key not in self._groups:
            self._groups[key] = getattr(self, f"_bind_{key[0]}")(*key[1:])
        kernel, group = self._groups[key]
        Dispatch(kernel, group, workgroups).record(encoder)

    def _step(self, k):
        """The numbers of a step through layer k, on its way to k - 1."""
        layer, before = self.layers[k], self.layers[max(k - 1, 0)]
        # A product is summed group by group, constants over the layers as well.
        rounding = (layer.groups + len(self.layers) + 6) * ULP
        return STEP.new(
            groups=layer.groups, outputs=before.groups, across=layer.across, outputs_across=before.across,
            rows=layer.rows, parts=layer.parts, width=layer.groups * MEMBERS, first=self.firsts[k],
            all_groups=self.groups, rounding=rounding, sum_rounding=1 + (layer.groups + 16) * ULP,
        )  # fmt: skip

    def _bind_enter(self):
        layer, kernel = self.layers[0], variants.enter()
        return kernel, kernel.bind(
            step=self._step(0), tiles=self._tiles[0], entries=layer.entries, ranges=self._kept, norms=self._norms,
            boxes=self._boxes, bad=self._bad, weights=layer.weights,
        )  # fmt: skip

    def _bind_relax(self, i):
        layer = self.layers[i]
        kernel = variants.relax(layer.kinds, layer.pairs)
        return kernel, kernel.bind(
            step=self._step(i), tiles=self._tiles[i], entries=layer.entries, ranges=self._kept, norms=self._norms,
            bad=self._bad, staged=self._staged, needs=self._needs,
        )  # fmt: skip

    def _rows(self, i, k):
        layer = self.layers[k]
        return dict(
            step=self._step(k), tiles=self._tiles[i], relaxed=self._relaxed[k], starts=self.layers[i].starts,
            forms=self._forms, weights=layer.weights, biases=self.layers[i].biases, sums=self._sums,
        )  # fmt: skip

    def _bind_back(self, i, k, sums):
        kernel = variants.back(k == i - 1, self.layers[k].pairs, sums)
        return kernel, kernel.bind(**self._rows(i, k), staged=self._staged)

    def _bind_finish(self, i):
        kernel = variants.finish(i == 1, self.layers[0].pairs, i == len(self.layers) - 1)
        resources = self._rows(i, 0)
        resources["step"] = self._finish_step(i)
        return kernel, kernel.bind(
            **resources, boxes=self._boxes, bad=self._bad, planes=self._planes, ranges=self._kept
        )  # fmt: skip

    def _finish_step(self, i):
        """Of the step through layer 0 by rows of layer i, whose ranges are written."""
        step = self._step(0)
        step["first"] = self.firsts[min(i, len(self.firsts) - 1)]
        return step


def planes(net: Mlp, centres: ArrayLike, sides: ArrayLike, *, output: int = 0) -> np.ndarray:
    """Planes that bound an output over boxes: slopes . p + low <= f(p) <= slopes . p + high for every p of the box.

    net       an Mlp with three inputs
    centres   (N, 3) float32; sides (N, 3) float32: half of each box's sides, so that it is centres +- sides
    returns   (N,) of PLANES: slopes (N, 3), low, high; least and most: bounds of f over the box; sure: 1, or 0 where
              nothing could be proven and the bounds are infinite for float32

    Raises ShapeError and NetworkError as `bounded_net` does.
    """
    boxes = Boxes(bounded_net(net, output))
    centres, sides = np.asarray(centres, np.float32), np.asarray(sides, np.float32)
    count = len(centres)
    octets = -(-count // MEMBERS)
    # The last box again fills the last octet.
    at = np.minimum(np.arange(octets * MEMBERS), count - 1)
    packed = np.zeros((octets, MEMBERS, 2, 4), np.float32)
    packed[:, :, 0, :3], packed[:, :, 1, :3] = (x[at].reshape(octets, MEMBERS, 3) for x in (centres, sides))
    rows = np.broadcast_to(boxes.used, (octets, len(boxes.used)))
    batch = Batch(packed, rows, np.full(octets, NONE, np.uint32))
    found = [boxes.bound(part).reshape(-1) for part in boxes.split(batch)]
    return np.concatenate([np.zeros(0, PLANES), *found])[:count]
