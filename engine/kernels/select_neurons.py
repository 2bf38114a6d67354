"""The visible neurons of blocks, as a list in a fixed order, on the GPU."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from engine.errors import SettingError, near
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import ChannelMap, groups_of
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.block_statistics import STATISTICS, BlockStatistics
from engine.kernels.prefix_sums import PrefixSums

# Numbers as in the shader.
LOOKS = {"features": 0, "pooled": 1, "classes": 2}
# The original shows no neuron that is less opaque than this.
FAINT = 0.01

BLOCK = struct(
    "PlacedBlock",
    origin="vec4f",  # of channel 0, row 0, column 0; w: between columns and between rows
    steps="vec4f",  # of channels across, down and in depth; most that a depth is off
    divisors="vec4u",  # channel / divisor % parts is a channel's place in steps; columns
    parts_of="vec4u",  # in depth there is no end; tokens that are added, or 0
    shape="vec4u",  # channels, rows times columns, columns, runs in all
    firsts="vec4u",  # of the cloud's vec4f, rows of the table and runs; the block's number
    first_value="u32",  # vec4f of the responses' array
    parts="u32",  # runs of one group of four channels
    faint="f32",  # least opacity that is seen
    first_listed="u32",  # the block's first place in the list
    listed="u32",
)
NEURON = struct(
    "Neuron",
    place="vec4f",  # in the cloud's space; w: the response
    look="vec2u",  # halves: opacity, size, tone, unused
    number="u32",  # four times the number of its vec4f in the cloud, plus its component
    block="u32",
)
BINDINGS = (
    Binding("block", "uniform", BLOCK),
    Binding("values", "read", "array<vec4f>"),
    Binding("table", "read", ("array", STATISTICS)),
    Binding("counts", "write", "array<u32>"),
    Binding("chosen", "write", ("array", NEURON)),
)
RUN = 16  # vec4f an invocation; also in the shader
WORKGROUP = 64
ENDLESS = 2**32 - 1


class Placement(Protocol):
    """Where a block's neurons lie, as engine.draw.cloud.cloud_layout gives it."""

    origin: tuple
    step: float
    split: tuple
    offset: tuple
    deep: float
    jitter: float
    grid: tuple
    tokens: tuple


class NeuronSelection:
    """Selects the visible neurons of blocks with given shapes and places.

    shapes    (channels, rows, columns) of each block
    layouts   Placement of each block
    looks     of each block: features, pooled or classes

    After `record_count` and the submission of its encoder `starts()` tells how many there are; then `record_choice`
    writes them to `chosen`, block by block, each in the order in which responses lie in memory.
    Raises SettingError for an unknown look.
    """

    def __init__(self, shapes: Sequence[Sequence[int]], layouts: Sequence[Placement], looks: Sequence[str]):
        self._data: list[np.ndarray] = []
        self._uniforms: list[Array] = []
        self._first_runs = [0]
        vectors = rows = runs = 0
        for number, (shape, layout, look) in enumerate(zip(shapes, layouts, looks, strict=True)):
            if look not in LOOKS:
                raise SettingError(near(look, LOOKS, noun="look"))
            groups, pixels = groups_of(shape[0]), shape[1] * shape[2]
            parts = -(-pixels // RUN)
            data = BLOCK.new(
                **_places(layout, shape[2]),
                shape=(shape[0], pixels, shape[2], groups * parts),
                firsts=(vectors, rows, runs, number),
                parts=parts,
            )
            self._data.append(data)
            self._uniforms.append(Array(BLOCK.dtype, 1, "uniform"))
            vectors, rows, runs = vectors + groups * pixels, rows + groups, runs + groups * parts
            self._first_runs.append(runs)
        self._looks = tuple(looks)
        self._counts, self._sums = Array("u4", runs), PrefixSums()
        self.chosen = Array(NEURON.dtype, 1)

    def record_count(
        self,
        encoder: Encoder,
        maps: Sequence[ChannelMap],
        table: Array,
        *,
        which: Sequence[bool] | None = None,
        faint: float = FAINT,
    ) -> None:
        """Finds how many are seen of each block's responses, by the table of BlockStatistics.

        maps    ChannelMap of each block's responses
        which   (blocks,) bool: the others show none; all unless given
        faint   least opacity that is seen
        """
        self._which = [True] * len(self._data) if which is None else list(which)
        for data, uniform, values in zip(self._data, self._uniforms, maps, strict=True):
            data["first_value"], data["faint"] = values.first, faint
            uniform.write(data)
        # Blocks that are left out count 0.
        encoder.clear_buffer(self._counts.buffer)
        self._run(encoder, "count", maps, table)
        self._total = self._sums.record(encoder, self._counts, self._first_runs[-1])

    def starts(self) -> np.ndarray:
        """(blocks + 1,): where each block's neurons begin in the list, and how many there are in all; waits."""
        sums, last = self._total
        total = sums.read(1, last)
        return np.append(self._counts.read(), total)[self._first_runs].astype(int)

    def record_choice(self, encoder: Encoder, maps: Sequence[ChannelMap], table: Array, starts: np.ndarray) -> None:
        """Writes the neurons to `chosen`, which grows if it is too small."""
        self.chosen = grown(self.chosen, NEURON.dtype, starts[-1])
        for data, uniform, first, end in zip(self._data, self._uniforms, starts[:-1], starts[1:], strict=True):
            data["first_listed"], data["listed"] = first, end - first
            uniform.write(data)
        self._run(encoder, "choose", maps, table)
        self._run(encoder, "describe", maps, table)

    def _run(self, encoder, entry, maps, table):
        for block, values in enumerate(maps):
            runs = self._first_runs[block + 1] - self._first_runs[block]
            invocations = int(self._data[block]["listed"][0]) if entry == "describe" else runs
            if self._which[block] and invocations:
                _kernel(entry, self._looks[block]).prepared(
                    -(-invocations // WORKGROUP), block=self._uniforms[block], values=values.array, table=table,
                    counts=self._counts, chosen=self.chosen,
                ).record(encoder)  # fmt: skip


def _places(layout, columns):
    """How a block's pixels and channels are distributed, as in PlacedBlock."""
    (across, down), step, steps = layout.split, layout.step, layout.offset
    divisors, added = (down, 1, across * down), 0
    if layout.grid[0]:
        # All pixels of a channel stand in one place.
        (across, down), step, steps = layout.grid, 0.0, (step, step)
        divisors = 1, across, across * down
    elif layout.tokens[0]:
        columns, added = layout.tokens
    return {
        "origin": (*layout.origin, step),
        "steps": (*steps, layout.deep, layout.jitter),
        "divisors": (*divisors, columns),
        "parts_of": (across, down, ENDLESS, added),
    }


@kept
def _kernel(entry, look):
    return Kernel.of("kernels/select_neurons", BINDINGS, entry=entry, constants={"LOOK": LOOKS[look]})


def select_neurons(
    blocks: Sequence[np.ndarray],
    layouts: Sequence[Placement],
    looks: Sequence[str],
    over: str = "block",
    *,
    which: Sequence[bool] | None = None,
    faint: float = FAINT,
) -> np.ndarray:
    """(N,) NEURON items: the visible neurons of (C, H, W) blocks; waits for the GPU."""
    maps = [ChannelMap.of(block) for block in blocks]
    shapes = [m.shape for m in maps]
    statistics, selection = BlockStatistics(shapes), NeuronSelection(shapes, layouts, looks)
    with device().recording() as encoder:
        statistics.record(encoder, maps, over)
        selection.record_count(encoder, maps, statistics.table, which=which, faint=faint)
    starts = selection.starts()
    with device().recording() as encoder:
        selection.record_choice(encoder, maps, statistics.table, starts)
    return selection.chosen.read(int(starts[-1]))


def packed_look(opacity: np.ndarray, size: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """(N, 2) uint32: as NEURON holds them."""
    return np.stack([opacity, size, tone, np.zeros_like(tone)], axis=1).astype(np.float16).view(np.uint32)
