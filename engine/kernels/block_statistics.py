"""Mean and standard deviation of blocks of responses, on the GPU: the same bits on every run."""

from collections.abc import Sequence

import numpy as np

from engine.errors import SettingError, ShapeError, near
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.channel_map import ChannelMap, groups_of
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.kept import kept

# What the means are taken over; numbers as in the shader.
OVER = {"block": 0, "channel": 1, "shared": 2}

BLOCK = struct(
    "StatisticsBlock",
    first_row="u32",
    rows="u32",  # groups of four channels
    channels="u32",
    pixels="u32",
    first_part="u32",
    parts="u32",  # of one row
    first_value="u32",  # vec4f of the responses' array
    # To 32 bytes: numpy's items are multiples of 16, and arrays of these on the GPU must be too.
    unused="u32",
)
STATISTICS = struct("Statistics", mean="vec4f", deviation="vec4f")
STAGE = struct("Stage", block="u32", blocks="u32", rows="u32")
BINDINGS = (
    Binding("stage", "uniform", STAGE),
    Binding("blocks", "read", ("array", BLOCK)),
    Binding("values", "read", "array<vec4f>"),
    Binding("parts", "write", ("array", STATISTICS)),
    Binding("wholes", "write", ("array", STATISTICS)),
    Binding("table", "write", ("array", STATISTICS)),
)
WORKGROUP = 64
# Numbers of a channel that one invocation adds: their roundings stay far below 1e-5, and a large block has thousands of
# invocations.
PART = 32


class BlockStatistics:
    """Means and deviations of blocks of given shapes.

    shapes   (channels, rows, columns) of each block

    `table` holds for each group of four channels, block after block, their means and deviations: those of the channel,
    its block, or all blocks, as `record` is asked for. Deviations are a population's: divided by the count.
    Raises ShapeError without blocks.
    """

    def __init__(self, shapes: Sequence[Sequence[int]]):
        if not len(shapes):
            raise ShapeError("There are no blocks to take statistics of.")
        blocks = np.zeros(len(shapes), BLOCK.dtype)
        row = part = 0
        for block, (channels, height, width) in zip(blocks, shapes, strict=True):
            rows, pixels = groups_of(channels), height * width
            parts = -(-pixels // PART)
            names = ("first_row", "rows", "channels", "pixels", "first_part", "parts")
            for name, value in zip(names, (row, rows, channels, pixels, part, parts), strict=True):
                block[name] = value
            row, part = row + rows, part + rows * parts
        self._data, self.rows = blocks, row
        self._blocks = Array.of(blocks)
        self._parts = Array(STATISTICS.dtype, part)
        self._wholes = Array(STATISTICS.dtype, len(blocks))
        self.table = Array(STATISTICS.dtype, row)
        self._stages = [
            Array.of(STAGE.new(block=k, blocks=len(blocks), rows=row), "uniform") for k in range(len(blocks))
        ]

    def record(self, encoder: Encoder, maps: Sequence[ChannelMap], over: str = "block") -> None:
        """Computes the table.

        maps   ChannelMap of each block's responses
        over   block, channel or shared; SettingError for another
        """
        if over not in OVER:
            raise SettingError(near(over, OVER, noun="normalisation"))
        self._data["first_value"] = [values.first for values in maps]
        self._blocks.write(self._data)
        for block, stage, values in zip(self._data, self._stages, maps, strict=True):
            parts, rows = int(block["parts"]), int(block["rows"])
            self._run(encoder, "sum_parts", stage, values, (-(-parts // WORKGROUP), rows))
            self._run(encoder, "join_parts", stage, values, -(-rows // WORKGROUP))
        stage, values = self._stages[0], maps[0]
        self._run(encoder, "join_channels", stage, values, -(-len(self._data) // WORKGROUP))
        self._run(encoder, "fill_table", stage, values, -(-self.rows // WORKGROUP), over)

    def read(self) -> list[tuple[np.ndarray, ...]]:
        """[((C,), (C,))]: mean and deviation of each block's channels, from the table; waits for the GPU."""
        table, found = self.table.read(), []
        for block in self._data:
            own = table[block["first_row"] : block["first_row"] + block["rows"]]
            found.append(tuple(own[key].reshape(-1)[: block["channels"]] for key in ("mean", "deviation")))
        return found

    def _run(self, encoder, entry, stage, values, workgroups, over="block"):
        _kernel(entry, over).prepared(
            workgroups, stage=stage, blocks=self._blocks, values=values.array, parts=self._parts,
            wholes=self._wholes, table=self.table,
        ).record(encoder)  # fmt: skip


@kept
def _kernel(entry, over):
    constants = {"OVER": OVER[over]} if entry == "fill_table" else None
    return Kernel.of("kernels/block_statistics", BINDINGS, entry=entry, constants=constants)


def block_statistics(blocks: Sequence[np.ndarray], over: str = "block") -> list[tuple[np.ndarray, ...]]:
    """[((C,), (C,))]: mean and standard deviation that normalise each channel of each (C, H, W) block; waits."""
    maps = [ChannelMap.of(block) for block in blocks]
    statistics = BlockStatistics([m.shape for m in maps])
    with device().recording() as encoder:
        statistics.record(encoder, maps, over)
    return statistics.read()
