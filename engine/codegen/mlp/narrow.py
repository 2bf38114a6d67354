"""A deep narrow network at a point an invocation: WGSL whose sums stay in registers, and that no depth makes longer.

Lanes of a subgroup share loads of weights. What goes through the layers may be values alone, with derivatives, or, for
`codegen.bounds.tube`, all that is known of a piece of a beam.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.codegen.mlp.arithmetics import TANGENT
from engine.codegen.mlp.units import IDENTITY, imports, kinds, layer_groups
from engine.codegen.text import function, header, indented
from engine.network.activations import Activation
from engine.network.mlp import Shape

# A network whose widest layer has so many groups of four is in registers whole.
NARROW = (2, 4, 8)


def narrow_groups(shape: Shape, sizes: Sequence[int] = NARROW) -> int:
    """The least of some numbers of groups that holds every layer of a Shape, 0 where none does."""
    widest = max(-(-width // 4) for width in shape.sizes[1:])
    return next((groups for groups in sizes if groups >= widest), 0)


@dataclass(frozen=True)
class UnitSums:
    """What goes through the layers, a vec4f of each for four units, and how a layer multiplies it.

    element   the WGSL type of all together
    fields    {letter: its name in the type}; "" for a type that is a vec4f
    biased    the letters that take the bias
    sizes     {letter: name} of those multiplied by |W|
    rounding  {letter: what each product of four inputs adds to it}
    in_order  whether inputs are added one after the other; else a group's four are summed first
    """

    element: str
    fields: Mapping[str, str]
    biased: str
    sizes: Mapping[str, str] = field(default_factory=dict)
    rounding: Mapping[str, str] = field(default_factory=dict)
    in_order: bool = False


VALUES = UnitSums("vec4f", {"n": ""}, "n")
# In the order of `mlp.each_layer`, so that results have the same bits.
TANGENTS = UnitSums("Dual", {"t": "value", "x": "x", "y": "y", "z": "z"}, "t", in_order=True)


def narrow_tangents(shape: Shape) -> Activation | None:
    """The activation of a deep network, of up to four inputs and outputs, that `tangents_module` writes; else None."""
    hidden = kinds(shape.activations[:-1])
    ends = layer_groups(shape, len(shape.activations) - 1) == ((IDENTITY,),) and shape.sizes[0] <= 4
    return hidden[0] if ends and len(hidden) == 1 and hidden[0].rule.elementwise else None


def tangents_module(activation: Activation, groups: int, lanes: int) -> str:
    """The text of `generated/tangents`: `tangents_network(layers, point: Dual) -> Dual`, outputs 0 to 3 at one point.

    It calls what `network_lines` does.
    """
    lift = [
        "let h = " + TANGENT.lift(activation.name, activation.wgsl_argument) + ";",
        "if ends {",
        "    return z;",
        "}",
    ]
    lines = network_lines(TANGENTS, groups, lanes, "tangents_layer(Dual({all}), {ends})")
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
    """The text of `generated/values`: `values_network(layers, point: vec4f) -> f32`, the network's output 0.

    It calls what `network_lines` does.
    """
    lines = network_lines(VALUES, groups, lanes, "values_layer({all}, {ends})")
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


def network_lines(sums: UnitSums, groups: int, lanes: int, lifted: str) -> Iterator[str]:
    """The body of a function of `layers` and a `point`: a network of up to so many groups of units in each layer.

    lifted   the call that makes a layer's numbers of its sums, with {all} and whether the network {ends} with them

    It calls beam_weights(layer, g, i), the i-th loads of the weights of a group of outputs as `matmul.product` packs
    them, and beam_layer(layer), whose x is the number of these groups.
    """
    fields, point = sums.fields, "point.{field}" if len(sums.fields) > 1 else "point"
    names = [f"{part}{g}" for g in range(groups) for part in fields]
    yield from (f"var z{name} = vec4f(0.0);" for name in names)
    first = [f"let h{part} = {point.format(field=fields[part])};" for part in fields]
    yield from _layer(sums, "0u", [groups - 1], "h{part}", first, groups, lanes, lifted, "false")
    yield from (f"var h{name} = z{name};" for name in names)
    yield "for (var layer = 1u; layer < min(layers, 65535u); layer++) {"
    later = _layer(sums, "layer", range(groups), "h{part}{k}", [], groups, lanes, lifted, "layer + 1u == layers")
    yield from indented(list(later))
    yield from (f"    h{name} = z{name};" for name in names)
    yield "}"
    # An output layer has one group: the last of the list.
    last = [f"h{part}{groups - 1}" for part in fields]
    yield f"return {sums.element}({', '.join(last)});" if len(fields) > 1 else f"return {last[0]}.x;"


def _layer(sums, layer, inputs, response, before, groups, lanes, lifted, ends):
    """A loop over a layer's groups of outputs, which pushes what it finds into the end of the list z."""
    yield "{"
    fields = sums.fields
    lines = [*before, f"let about = beam_layer({layer});"]
    if sums.sizes:
        sizes = [response.format(part=part, k=k) for k in inputs for part in sums.sizes]
        lines.append(f"let small = sum_of({' + '.join(sizes)});")
    lines.append("for (var g = 0u; g < u32(about.x); g++) {")
    columns = [4 * k + j for k in inputs for j in range(4)]
    body = [
        f"let c{i} = beam_weights({layer}, g, {i}u);"
        for i in dict.fromkeys(column // lanes for column in (*columns, 4 * groups))
    ]
    bias = f"subgroupBroadcast(c{4 * groups // lanes}, {4 * groups % lanes}u)"
    body += [f"var {part} = {bias if part in sums.biased else 'vec4f(0.0)'};" for part in fields]
    for k in inputs:
        for j in range(4):
            body.append(f"let w{k}_{j} = subgroupBroadcast(c{(4 * k + j) // lanes}, {(4 * k + j) % lanes}u);")
        for part in fields:
            h, weights = response.format(part=part, k=k), [f"w{k}_{j}" for j in range(4)]
            if sums.in_order:
                body += [f"{part} = fma({w}, {h}.{x * 4}, {part});" for w, x in zip(weights, "xyzw", strict=True)]
                continue
            weights = [f"abs({w})" if part in sums.sizes else w for w in weights]
            a, b, c, d = (f"{w} * {h}.{x}" for w, x in zip(weights, "xyzw", strict=True))
            body.append(f"{part} += ({a} + {b}) + ({c} + {d}){sums.rounding.get(part, '')};")
    for g in range(1, groups):
        body += [f"z{part}{g - 1} = z{part}{g};" for part in fields]
    body.append(f"let lifted = {lifted.format(all=', '.join(fields), ends=ends)};")
    body += [f"z{part}{groups - 1} = lifted{f'.{name}' if name else ''};" for part, name in fields.items()]
    yield from indented([*lines, *indented(body), "}"])
    yield "}"
