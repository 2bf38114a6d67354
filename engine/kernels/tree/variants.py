"""The kernels that bound boxes: their structs, bindings and variants."""

from collections.abc import Mapping

import numpy as np

from engine.codegen.bounds.relax import relax_module
from engine.codegen.bounds.rows import rows_module
from engine.gpu.bindings import TABLE, Binding
from engine.gpu.kernel import Kernel, subgroup_size
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.activations import Activation

STEP = struct(
    "Step", groups="u32", outputs="u32", across="u32", outputs_across="u32", rows="u32", parts="u32", width="u32",
    first="u32", all_groups="u32", rounding="f32", sum_rounding="f32",
)  # fmt: skip
ENTRY = struct("Entry", kinds="vec4u", bias="vec4f", norm="vec4f")
MOVING = struct("Moving", groups="u32", count="u32", first="u32")
# What is found of a box.
PLANES = np.dtype([("slopes", "f4", 3), ("low", "f4"), ("high", "f4"), ("least", "f4"), ("most", "f4"), ("sure", "f4")])

_STEP, _TILES = Binding("step", "uniform", STEP), Binding("tiles", "read", "array<vec4u>")
_ROWS = (
    _STEP,
    _TILES,
    *(Binding(name, "storage_texture", TABLE) for name in ("relaxed", "starts", "forms", "weights")),
    Binding("biases", "read", "array<f32>"),
    Binding("sums", "write", "array<vec4f>"),
)
BACK = (*_ROWS, Binding("staged", "write", "array<vec4f>"))
_BOXES = (
    Binding("boxes", "read", "array<vec4f>"),
    Binding("bad", "write", "array<u32>"),
)
FINISH = (
    *_ROWS,
    *_BOXES,
    Binding("planes", "write", "array<vec4f>"),
    Binding("ranges", "write", "array<f32>"),
)
_UNITS = (
    _STEP,
    _TILES,
    Binding("entries", "read", ("array", ENTRY)),
    Binding("ranges", "write", "array<vec4f>"),
    Binding("norms", "write", "array<f32>"),
)
ENTER = (*_UNITS, *_BOXES, Binding("weights", "storage_texture", TABLE))
RELAX = (
    *_UNITS,
    Binding("bad", "write", "array<u32>"),
    Binding("staged", "write", "array<vec4f>"),
    Binding("needs", "write", "array<u32>"),
)
RANGES = (
    Binding("moving", "uniform", MOVING),
    Binding("places", "read", "array<u32>"),
    Binding("ranges", "write", "array<vec4f>"),
    Binding("store", "write", "array<vec4f>"),
)


def shares() -> bool:
    """Whether the boxes of an octet are the invocations of one subgroup, which load weights for each other."""
    return subgroup_size() == 8


def tiles() -> int:
    """Tiles of a workgroup: one where its invocations are a subgroup."""
    return 1 if shares() else 8


def _rows(name: str, bindings: tuple[Binding, ...], constants: Mapping[str, float], **generated: str) -> Kernel:
    text = f"const TILES = {tiles()}u;\n"
    return Kernel.of(f"kernels/tree_{name}", bindings, constants=constants, tiles=text, **generated)


@kept
def back(first: bool, pairs: bool, sums: bool) -> Kernel:
    """Takes rows through a layer; `first` of them begin as weights, `sums` also sums constants."""
    constants = {"FIRST": first, "PAIRS": pairs, "SUMS": sums}
    return _rows("back", BACK, constants, rows=rows_module(shares()))


@kept
def finish(first: bool, pairs: bool, last: bool) -> Kernel:
    """Takes rows to the inputs: ranges of units, or the output's planes if they are the `last`."""
    return _rows("finish", FINISH, {"FIRST": first, "PAIRS": pairs, "LAST": last})


@kept
def relax(kinds: tuple[Activation, ...], pairs: bool) -> Kernel:
    """Relaxes a layer of such activations."""
    return Kernel.of("kernels/tree_relax", RELAX, constants={"PAIRS": pairs}, relax=relax_module(kinds))


@kept
def enter() -> Kernel:
    """The first layer, which is linear."""
    return Kernel.of("kernels/tree_enter", ENTER)


@kept
def ranges(entry: str) -> Kernel:
    """Moves ranges: `inherit` or `keep`."""
    return Kernel.of("kernels/tree_ranges", RANGES, entry=entry)
