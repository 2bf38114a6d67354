"""One layer at points, or at points with their derivatives along three directions, whatever its sizes.

A text depends on a network's activations alone: widths, the depth and which unit has which activation are data. So it
compiles as fast for any network: in 0.3 to 0.7 s of one core, where the network as a whole took 1 to 7.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.codegen.matmul.product import Tile
from engine.codegen.mlp.arithmetics import SELECTS, TANGENT, Arithmetic
from engine.codegen.mlp.units import IDENTITY, imports, is_bent, kinds
from engine.codegen.text import function, header, indented
from engine.network.activations import JOINT, Activation
from engine.network.mlp import Layer
from engine.network.units.mixed import LayerActivation, runs

# The vec4f of an element as they lie in memory.
PARTS = {"plain": ("",), "dual": (".value", ".x", ".y", ".z")}
# Groups of four outputs that an invocation takes.
TILE_GROUPS = 4


def layer_tile(lanes: int) -> Tile:
    """The Tile of an invocation, by which `matmul.product.pack_lanes` lays weights out."""
    return Tile(1, TILE_GROUPS, lanes)


def layer_kinds(activations: Iterable[LayerActivation]) -> tuple[Activation, ...]:
    """What a kernel is compiled for: the activations of all units, each once; a unit's kind is its number here."""
    return tuple(dict.fromkeys([IDENTITY, *kinds(activations)]))


def unit_kinds(of: Sequence[Activation], layer: Layer) -> np.ndarray:
    """The kind of each unit of a layer, filled up with 0, identity, to whole tiles.

    returns  (groups, 4) uint32
    """
    units = len(layer.bias)
    each = [of.index(run.activation) for run in runs(layer.activation, units) for _ in range(run.units)]
    each += [0] * (-units % (4 * TILE_GROUPS))
    return np.array(each, np.uint32).reshape(-1, 4)


def layer_module(of: Sequence[Activation], lanes: int, arithmetic: Arithmetic = TANGENT) -> str:
    """The text of `generated/layer`: `layer_tile(inputs)`, which computes and stores one invocation's outputs.

    of          layer_kinds
    lanes       the size of a subgroup that shares loads of weights; 0: each invocation loads all of them
    arithmetic  PLAIN or TANGENT

    It calls what the kernel defines: layer_place(k), where among `responses` inputs 4 k to 4 k + 3 are;
    layer_weights(k, i), of block k of inputs column i of the tile's weights; layer_kind(g), the kinds of group g of the
    tile; and layer_store(g, h), which calls layer_write(at, h).
    """
    groups, name, element = range(TILE_GROUPS), arithmetic.name, arithmetic.element
    parts = PARTS[name]
    columns = [", ".join(_lane("c", 4 * g + j, lanes) for j in range(4)) for g in groups]
    tile = [
        *_loads("inputs", TILE_GROUPS, lanes, "b"),
        *(f"var z{g} = {name}_start({_lane('b', g, lanes)});" for g in groups),
        # llvmpipe ends loops after 65,535 iterations.
        "for (var k = 0u; k < min(inputs, 65535u); k++) {",
        "    let from_here = layer_place(k);",
        f"    let h = {element}({', '.join(f'responses[from_here + {i}u]' for i in range(len(parts)))});",
        *indented(_loads("k", 4 * TILE_GROUPS, lanes, "c")),
        *(f"    z{g} = {name}_add(z{g}, mat4x4f({columns[g]}), h);" for g in groups),
        "}",
        # One call of each activation for all groups: an iteration takes the first and moves the others up.
        f"for (var g = 0u; g < {TILE_GROUPS}u; g++) {{",
        "    layer_store(g, layer_response(layer_kind(g), z0));",
        *(f"    z{g - 1} = z{g};" for g in groups[1:]),
        "}",
    ]
    return "\n".join(
        [
            *header(
                f"A layer at points, in arithmetic {name}.",
                f"activations: {', '.join(map(str, of))}",
                f"weights: {f'shared by {lanes} lanes of a subgroup' if lanes else 'loaded by each invocation'}",
            ),
            f"#import arithmetic/{name}",
            *imports([*of]),
            "",
            f"alias Element = {element};",
            f"const PARTS = {len(parts)}u;",
            f"const TILE_GROUPS = {TILE_GROUPS}u;",
            f"const LANES = {max(lanes, 1)}u;",
            f"const WORKGROUP = {lanes or 64}u;",
            "",
            "struct LayerInvocation {",
            "    @builtin(local_invocation_index) place: u32,",
            *(["    @builtin(subgroup_invocation_id) lane: u32,"] if lanes else []),
            "}",
            "",
            *function(
                "layer_lane(invocation: LayerInvocation) -> u32",
                [f"return {'invocation.lane' if lanes else '0u'};"],
            ),
            *function(f"layer_response(kind: vec4u, z: {element}) -> {element}", _responses(of, arithmetic)),
            *function(
                f"layer_write(at: u32, h: {element})", [f"output[at + {i}u] = h{part};" for i, part in enumerate(parts)]
            ),
            *function("layer_tile(inputs: u32)", tile),
        ]
    )


def _responses(of, arithmetic):
    name = arithmetic.name
    select = SELECTS.get(name, f"{name}_select")
    yield "var h = z;"
    for number, activation in enumerate(of):
        if is_bent(activation):
            lifted = arithmetic.lift(activation.name, activation.wgsl_argument)
            text = f"{name}_product(z, 0.0)" if activation.name in JOINT else lifted
            yield f"if any(kind == vec4u({number}u)) {{ h = {select}(h, {text}, kind == vec4u({number}u)); }}"
    yield "return h;"


def _loads(k, columns, lanes, name):
    for i in range(-(-columns // lanes) if lanes else columns):
        yield f"let {name}{i} = layer_weights({k}, {i}u);"


def _lane(name, column, lanes):
    return f"subgroupBroadcast({name}{column // lanes}, {column % lanes}u)" if lanes else f"{name}{column}"
