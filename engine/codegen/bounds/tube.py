"""From a narrow network of smooth activations to WGSL that bounds it over tubes: rays of a beam, over a piece of it.

Ten numbers a unit (`arithmetic/tube`) go through a layer as products: values at both ends of the beam's middle and how
they change to its sides with W; curvature along rays, what is left to the sides, and rounding with |W|. A second module
has the values alone, in the same order of sums. As in `codegen.bounds.layered` no text depends on depth.
"""

from collections.abc import Iterator

import numpy as np

from engine.codegen.bounds.layered import narrow_groups
from engine.codegen.bounds.ranges import number, range_functions
from engine.codegen.mlp.arithmetics import TANGENT
from engine.codegen.mlp.units import IDENTITY, imports, kinds, layer_groups
from engine.codegen.text import function, header, indented
from engine.network.activations import Activation
from engine.network.mlp import Shape
from engine.network.rules.extrema import extrema

# The fields of a Tube, and letters for them: what is multiplied by W, and by |W|.
SIGNED = {"n": "near", "f": "far", "u": "near_u", "v": "near_v", "p": "far_u", "q": "far_v", "m": "middle"}
SIZES = {"d": "radius", "r": "rest", "e": "error_bound"}
FIELDS = SIGNED | SIZES
# What all values along the rays of a beam are at most, from partial sums too.
MOST = "max(abs(n) + abs(u) + abs(v), abs(f) + abs(p) + abs(q)) + r + 0.125 * (abs(m) + d)"


def tube_activation(shape: Shape) -> Activation | None:
    """The one activation of a deep narrow network that can be bounded over tubes; None where it cannot."""
    hidden = kinds(shape.activations[:-1])
    if (
        len(hidden) != 1
        or not narrow_groups(shape)
        or layer_groups(shape, len(shape.activations) - 1) != ((IDENTITY,),)
    ):
        return None
    (activation,) = hidden
    if activation.name == "identity" or not activation.rule.elementwise or activation.unbounded:
        return None
    known = [extrema(activation, which) for which in ("slope", "curvature")]
    smooth = all(np.isfinite(x.most) and not x.breaks for x in known) and known[1].most > 0
    return activation if smooth and not activation.rule.kinks(activation.argument) else None


def tube_module(activation: Activation, groups: int, lanes: int) -> str:
    """The text of `generated/tube`: `tube_network(layers, point, turn) -> Tube`, of the network's outputs 0 to 3.

    It calls beam_weights(layer, g, i) and beam_layer(layer), as layered_weights and layered_layer in
    `codegen.bounds.layered`.
    """
    slope = extrema(activation, "slope").most
    lift = LIFT.format(slope=number(slope * (1 + 1e-6)))
    return "\n".join(
        [
            *header("Bounds of a network over tubes.", f"activation: {activation}"),
            "#import arithmetic/tube",
            "#import lib/both",
            *imports([activation]),
            "",
            range_functions(activation, "tube"),
            lift,
            *function(
                "tube_network(layers: u32, point: Tube, turn: vec2f) -> Tube",
                _network(FIELDS, groups, lanes, "point.{field}", "tube_layer(Tube({all}), small, about, turn, {ends})"),
            ),
        ]
    )


def narrow_tangents(shape: Shape) -> Activation | None:
    """The activation of a deep network, of up to four inputs and outputs, that `tangents_module` writes; else None."""
    hidden = kinds(shape.activations[:-1])
    ends = layer_groups(shape, len(shape.activations) - 1) == ((IDENTITY,),) and shape.sizes[0] <= 4
    return hidden[0] if ends and len(hidden) == 1 and hidden[0].rule.elementwise else None


def tangents_module(activation: Activation, groups: int, lanes: int) -> str:
    """The text of `generated/tangents`: `tangents_network(layers, point: Dual) -> Dual`, outputs 0 to 3 at one point.

    Sums are in the order of `mlp.each_layer`, so that results have the same bits.
    """
    fields = {"t": "value", "x": "x", "y": "y", "z": "z"}
    lift = [
        "let h = " + TANGENT.lift(activation.name, activation.wgsl_argument) + ";",
        "if ends {",
        "    return z;",
        "}",
    ]
    lines = _network(
        fields, groups, lanes, "point.{field}", "tangents_layer(Dual({all}), {ends})", "Dual", in_order=True
    )
    return "\n".join(
        [
            *header("A network at points with their derivatives.", f"activation: {activation}"),
            "#import arithmetic/dual",
            *imports([activation]),
            "",
            *function("tangents_layer(z: Dual, ends: bool) -> Dual", [*lift, "return h;"]),
            *function("tangents_network(layers: u32, point: Dual) -> Dual", lines),
        ]
    )


def values_module(activation: Activation, groups: int, lanes: int) -> str:
    """The text of `generated/values`: `values_network(layers, point: vec4f) -> f32`, the network's output 0."""
    lines = _network({"n": ""}, groups, lanes, "point", "values_layer({all}, {ends})")
    lift = ["return select(VALUE, z, ends);".replace("VALUE", activation.wgsl("value", "z"))]
    return "\n".join(
        [
            *header("Values of a network.", f"activation: {activation}"),
            *imports([activation]),
            "",
            *function("values_layer(z: vec4f, ends: bool) -> vec4f", lift),
            *function("values_network(layers: u32, point: vec4f) -> f32", lines),
        ]
    )


LIFT = """\
// A layer's sums, widened for what they may have lost, and lifted unless the network `ends` with them.
fn tube_layer(sums: Tube, small: f32, about: vec4f, turn: vec2f, ends: bool) -> Tube {{
    let z = tube_widened(sums, small, about.z, about.w);
    let e = z.error_bound;
    let all = tube_range(z);
    let slopes = slope_range_tube(all);
    let curves = curvature_range_tube(all);
    let near_slope = slope_tube(z.near);
    let far_slope = slope_tube(z.far);
    let near = value_tube(z.near);
    let far = value_tube(z.far);
    let steepest = max(abs(slopes.low), abs(slopes.high));
    let most = max(abs(near), abs(far)) + steepest * (all.high - all.low);
    let inside = e + max(argument_error_tube(all.low), argument_error_tube(all.high));
    let error = steepest * inside + max(value_error_tube(all.low, most), value_error_tube(all.high, most));
    let lifted = tube_bent(z, near, far, near_slope, far_slope, slopes, curves, turn, {slope}, about.y, error, most);
    if ends {{
        return z;
    }}
    return lifted;
}}
"""


def _network(fields, groups, lanes, point, lifted, element="Tube", in_order=False) -> Iterator[str]:
    names = [f"{part}{g}" for g in range(groups) for part in fields]
    yield from (f"var z{name} = vec4f(0.0);" for name in names)
    first = [f"let h{part} = {point.format(field=fields[part])};" for part in fields]
    yield from _layer("0u", fields, [groups - 1], "h{part}", first, groups, lanes, lifted, "false", in_order)
    yield from (f"var h{name} = z{name};" for name in names)
    yield "for (var layer = 1u; layer < min(layers, 65535u); layer++) {"
    inputs = range(groups)
    yield from indented(
        list(_layer("layer", fields, inputs, "h{part}{k}", [], groups, lanes, lifted, "layer + 1u == layers", in_order))
    )
    yield from (f"    h{name} = z{name};" for name in names)
    yield "}"
    # An output layer has one group: the last of the list.
    last = [f"h{part}{groups - 1}" for part in fields]
    yield f"return {element}({', '.join(last)});" if len(fields) > 1 else f"return {last[0]}.x;"


def _layer(layer, fields, inputs, response, before, groups, lanes, lifted, ends, in_order):
    """A loop over a layer's groups of outputs, which pushes what it finds into the end of the list z."""
    yield "{"
    lines = [*before, f"let about = beam_layer({layer});"]
    if "e" in fields:
        sizes = [response.format(part=part, k=k) for k in inputs for part in SIZES]
        lines.append(f"let small = sum_of({' + '.join(sizes)});")
    lines.append("for (var g = 0u; g < u32(about.x); g++) {")
    columns = [4 * k + j for k in inputs for j in range(4)]
    body = [
        f"let c{i} = beam_weights({layer}, g, {i}u);"
        for i in dict.fromkeys(column // lanes for column in (*columns, 4 * groups))
    ]
    bias = f"subgroupBroadcast(c{4 * groups // lanes}, {4 * groups % lanes}u)"
    body += [f"var {part} = {bias if part in 'nft' else 'vec4f(0.0)'};" for part in fields]
    for k in inputs:
        for j in range(4):
            body.append(f"let w{k}_{j} = subgroupBroadcast(c{(4 * k + j) // lanes}, {(4 * k + j) % lanes}u);")
        for part in fields:
            w, h = (f"abs(w{k}_{{j}})" if part in SIZES else f"w{k}_{{j}}"), response.format(part=part, k=k)
            a, b, c, d = (f"{w.format(j=j)} * {h}.{'xyzw'[j]}" for j in range(4))
            if in_order:
                body += [f"{part} = fma({w.format(j=j)}, {h}.{'xyzw'[j] * 4}, {part});" for j in range(4)]
                continue
            rounded = f" + ULP * ({MOST})" if part == "e" else ""
            body.append(f"{part} += ({a} + {b}) + ({c} + {d}){rounded};")
    for g in range(1, groups):
        body += [f"z{part}{g - 1} = z{part}{g};" for part in fields]
    body.append(f"let lifted = {lifted.format(all=', '.join(fields), ends=ends)};")
    body += [f"z{part}{groups - 1} = lifted{f'.{field}' if field else ''};" for part, field in fields.items()]
    yield from indented([*lines, *indented(body), "}"])
    yield "}"
