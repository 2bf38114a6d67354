"""WGSL that relaxes activations over intervals: s(z) is in slope z + [low, high] for every z of a Range."""

from engine.codegen.bounds.ranges import number, range_functions
from engine.codegen.mlp.units import imports
from engine.codegen.text import function, header
from engine.network.activations import Activation
from engine.network.rules.extrema import OPEN, extrema, gaps_beside

# How far the ends of an interval are moved outwards, in errors of the argument, before slopes over it are bounded.
BEYOND = "2.0"
VALUES = "z: Range, p: vec4f, q: vec4f, slopes: Range) -> Range"


def relax_module(kinds: tuple[Activation, ...]) -> str:
    """The text of `generated/relax`: `relaxed(z, kinds)` for units whose activations are given by their places here.

    kinds   activations of a layer, each once; `product` is a pair's, and in it only the first unit's matters

    It imports `lib/relaxed`. Units of another number than those of `kinds` are carried on as they are.
    """
    lines = [
        *header("Relaxations over intervals.", f"activations: {', '.join(map(str, kinds))}"),
        "#import lib/relaxed",
        *imports(kinds),
        "",
    ]
    body = ["var r = relaxed_identity(z);"]
    for i, activation in enumerate(kinds):
        if activation.name == "identity":
            continue
        if activation.name == "product":
            body.append(f"r = relaxed_select(r, relaxed_product(z), kinds == vec4u({i}u));")
            continue
        lines += [range_functions(activation, i), *_values(activation, i), *_relax(activation, i)]
        body.append(f"r = relaxed_select(r, relax_{i}(z), kinds == vec4u({i}u));")
    return "\n".join([*lines, *function("relaxed(z: Range, kinds: vec4u) -> Relaxed", [*body, "return r;"])])


def _values(activation, i):
    """The function that gives s over a Range from its values at both ends, without their rounding."""
    known, lines = extrema(activation, "value"), ["var r = range_over(p, q);"]
    if gaps_beside(activation):
        # It grows towards a gap without turning; over one it has no bounds, and so no slopes.
        most = f"vec4f({number(OPEN)})"
        lines = ["let r = range_over(p, q);", f"let none = max(abs(slopes.low), abs(slopes.high)) >= {most};"]
        lines += [f"return range_select(r, Range(-{most}, {most}), none);"]
        return function(f"values_{i}({VALUES}", lines)
    for z, value in zip(known.places, known.values, strict=True):
        inside = f"range_holds(z, {number(z)})"
        if known.period:
            inside = f"range_holds_whole(z, {number(1 / known.period)}, {number(z / known.period)})"
        lines.append(f"r = range_with(r, {number(value)}, {inside});")
    for z, *sides in known.breaks:
        lines.append(f"r = range_with(r, {number(max(sides, key=abs))}, range_holds(z, {number(z)}));")
    return function(f"values_{i}({VALUES}", [*lines, "return r;"])


def _relax(activation, i):
    kinks = activation.rule.kinks(activation.argument)
    slack = sum(abs(jump * z) for z, jump in kinks) * 4e-7
    lines = [
        f"let inner = max(argument_error_{i}(z.low), argument_error_{i}(z.high));",
        f"let wide = Range(z.low - {BEYOND} * inner, z.high + {BEYOND} * inner);",
        f"let slopes = slope_range_{i}(wide);",
        f"let bends = curvature_range_{i}(wide);",
        "let steepest = max(abs(slopes.low), abs(slopes.high));",
        f"let p = value_{i}(z.low);",
        f"let q = value_{i}(z.high);",
        f"let error = max(value_error_{i}(z.low, p), value_error_{i}(z.high, q)) + steepest * inner;",
        "var chord = relaxed_chord(z, p, q, slopes);",
        *(
            f"chord = relaxed_kink(chord, {x}, {number(float(y))}, range_holds(z, {x}));"
            for x, y in ((number(z), activation.value(z)) for z, _ in kinks)
        ),
        f"chord = relaxed_bent(chord, z, p, q, bends, error + {number(slack)});",
        "let c = 0.5 * (z.low + z.high);",
        f"let middle = value_{i}(c);",
        f"let mean = relaxed_mean(z, c, middle, slopes, value_error_{i}(c, middle) + steepest * inner);",
        f"let level = relaxed_level(values_{i}(z, p, q, slopes), error);",
        "return relaxed_narrowest(chord, mean, level);",
    ]
    return function(f"relax_{i}(z: Range) -> Relaxed", lines)
