"""From the activations of a deep network to WGSL that bounds it over pieces of rays, layer by layer.

No text depends on sizes: a kernel is compiled for the kinds of groups of four units that a network has, whatever its
width and depth. Five numbers a unit (`arithmetic/parabola`) go through a layer as products, near, far and middle with
W, error bound and radius with |W|; then every group of four is lifted by its activation, whose kind is data.
"""

from collections.abc import Iterator, Sequence

from engine.codegen.bounds.lifts import lift
from engine.codegen.bounds.softmax import OF_MARGIN, margin_function
from engine.codegen.matmul.product import ROW_BLOCKS, SLAB
from engine.codegen.mlp.units import IDENTITY, Group, imports, layer_groups, selected
from engine.codegen.text import function, header, indented
from engine.network.activations import Activation
from engine.network.mlp import Shape

# The kind of the last sums of a network that ends in them, or in a softmax of them.
SUMS: Group = ()
# Groups of four outputs in the tile of an invocation where a workgroup shares loads; and where lanes do, what a network
# may have: the larger the tile, the fewer times responses are loaded.
SLAB_GROUPS, LANES_GROUPS = 4, (4, 8)
# The parts of a Parabola in the order in which they are stored, and letters for them.
PARTS = {"n": "near", "f": "far", "e": "error_bound", "m": "middle", "d": "radius"}


def kinds_of(shape: Shape, layer: int) -> tuple[Group, ...]:
    """The kind of each group of four units of a layer: its activations, or SUMS."""
    each = layer_groups(shape, layer)
    if layer < len(shape.activations) - 1:
        return each
    return tuple(SUMS if group == (IDENTITY,) or group[0].is_whole else group for group in each)


def network_kinds(shape: Shape) -> tuple[Group, ...]:
    """The kinds of all layers, each once: what a kernel is compiled for."""
    return tuple(dict.fromkeys(kind for layer in range(len(shape.activations)) for kind in kinds_of(shape, layer)))


def pace_constants(kinds: Sequence[Group]) -> dict[str, bool]:
    """What `arithmetic/parabola_pace` knows of a network with these kinds."""
    return {"KINKED": any(jump for kind in kinds for a in kind for _, jump in a.rule.kinks(a.argument))}


def end_module(joint: Activation | None) -> str:
    """The text of `generated/end`: `layered_result(at)`, the network's output 0: a sum, or a joint activation of sums.

    The kernel defines `layered_sums(at, g)`, the Parabola of group g of piece `at`.
    """
    if joint is None:
        lines = function("layered_result(at: u32) -> Parabola", ["return layered_sums(at, 0u);"])
        return "\n".join(["#import arithmetic/parabola", "", *lines])
    of_margin = OF_MARGIN[joint.name]
    lifts = ["#import arithmetic/parabola", "#import lib/exponential", *imports([of_margin]), *lift(of_margin, 0)]
    return "\n".join([*lifts, margin_function()])


def layer_module(kinds: Sequence[Group], lanes: int, groups: int = SLAB_GROUPS) -> str:
    """The text of `generated/layered`: `layered_tile(iterations)`, one invocation's tile of a layer.

    kinds   network_kinds
    lanes   the size of a subgroup that shares loads of weights; 0: they come from workgroup memory
    groups  of four outputs in a tile

    It calls what the kernel defines: layered_response(k, part), inputs 4 k to 4 k + 3; layered_shared(k, i) or
    layered_slab(s), layered_weights(k, g, j) and layered_bias(g), as in `codegen.matmul.product`; layered_kind(g);
    layered_limits(), the `terms`, `least` and `limit` of a layer; layered_store(g, z).
    """
    constants = [f"const TILE_GROUPS = {groups}u;"]
    constants += [f"const LANES = {lanes}u;", f"const ROW_BLOCKS = {ROW_BLOCKS}u;"] if lanes else []
    tile = [
        *(_shared("iterations", groups, lanes) if lanes else []),
        *_sums_of(groups, [_lane(g, lanes) if lanes else f"layered_bias({g}u)" for g in range(groups)]),
        "var small = 0.0;",
        # llvmpipe ends loops after 65,535 iterations.
        "for (var iteration = 0u; iteration < min(iterations, 65535u); iteration++) {",
        *indented(_lanes_step(groups, lanes) if lanes else _slab_step(groups)),
        "}",
        "let limits = layered_limits();",
        # One lift in the code for all groups: an iteration takes the first and moves the others up.
        f"for (var g = 0u; g < {groups}u; g++) {{",
        "    let z = parabola_widened(Parabola(n0, f0, e0, m0, d0), small, limits.y, limits.z);",
        "    layered_store(g, layered_lift(layered_kind(g), z, limits.x));",
        *(f"    {part}{g - 1} = {part}{g};" for g in range(1, groups) for part in PARTS),
        "}",
    ]
    return "\n".join(
        [*_head(kinds, lanes), *constants, "", *_lifts(kinds), *function("layered_tile(iterations: u32)", tile)]
    )


def narrow_module(kinds: Sequence[Group], groups: int, lanes: int) -> str:
    """The text of `generated/layered`: `layered_network(layers, point)`, a whole network.

    groups   most groups of four units in a layer

    Responses stay in registers: a layer's loop over its groups of outputs has the products with all inputs written out,
    pushes what it finds into the end of a list and moves the others up. So the groups of a layer are the last ones of
    the list, and the weights of the others are 0.

    It calls layered_weights(layer, g, i), of group g the i-th `lanes` columns: those of all inputs, then the bias;
    layered_layer(layer), vec4f of groups, terms, `least`, `limit`; layered_kind(layer, g). It leaves what it found in
    the variables that layered_output(g) returns.
    """
    names = [f"{part}{g}" for g in range(groups) for part in PARTS]
    fields = [(part, field, g) for g in range(groups) for part, field in PARTS.items()]
    small = f"sum_of({' + '.join(f'(he{g} + hd{g})' for g in range(groups))})"
    body = [
        *(f"var z{name} = vec4f(0.0);" for name in names),
        # The first layer has one group of inputs, which lies on the chord.
        *_narrow_layer("0u", "sum_of(point.error_bound)", _first_step(groups, lanes), groups),
        *(f"var h{name} = z{name};" for name in names),
        "for (var layer = 1u; layer < min(layers, 65535u); layer++) {",
        *indented(_narrow_layer("layer", small, _narrow_step(groups, lanes), groups)),
        *(f"    h{name} = z{name};" for name in names),
        "}",
        *(f"layered_found[{g}].{field} = h{part}{g};" for part, field, g in fields),
    ]
    head = [*_head(kinds, lanes), f"const GROUPS = {groups}u;", f"const LANES = {lanes}u;", ""]
    found = f"var<private> layered_found: array<Parabola, {groups}>;\n"
    return "\n".join([*head, *_lifts(kinds), found, *function("layered_network(layers: u32, point: Parabola)", body)])


def _head(kinds, lanes):
    names = ["sums" if kind == SUMS else " ".join(map(str, kind)) for kind in kinds]
    return [
        *header(
            "Bounds of layers over pieces of rays, by chords and parabolas.",
            f"groups of four units: {', '.join(names)}",
            f"weights: {f'shared by {lanes} lanes of a subgroup' if lanes else 'from workgroup memory'}",
            "n, f, e, m, d: near, far, error bound, middle and radius of a group's sums",
        ),
        "#import arithmetic/parabola_units",
        *imports([activation for kind in kinds for activation in kind]),
        "",
    ]


def _lifts(kinds) -> Iterator[str]:
    """The functions lift_<number> of the activations, and layered_lift(kind, z, terms)."""
    bent = list(dict.fromkeys(a for kind in kinds for a in kind if a.name not in ("identity", "product")))
    for i, activation in enumerate(bent):
        yield from lift(activation, i)

    def one(activation: Activation) -> str:
        if activation.name == "product":
            return "parabola_product(z, terms)"
        return (
            "parabola_passed(z, terms)" if activation.name == "identity" else f"lift_{bent.index(activation)}(z, terms)"
        )

    texts = ["z" if kind == SUMS else selected(kind, one, "parabola_select") for kind in kinds]
    lines = [f"var lifted = {texts[0]};"]
    lines += [f"if kind == {i}u {{ lifted = {text}; }}" for i, text in enumerate(texts) if i]
    yield from function("layered_lift(kind: u32, z: Parabola, terms: f32) -> Parabola", [*lines, "return lifted;"])


def _shared(k, columns, lanes):
    for i in range(-(-columns // lanes)):
        yield f"let c{i} = layered_shared({k}, {i}u);"


def _lane(column, lanes):
    return f"subgroupBroadcast(c{column // lanes}, {column % lanes}u)"


def _sums_of(groups, biases):
    for g in range(groups):
        yield f"let b{g} = {biases[g]};"
        for part in PARTS:
            yield f"var {part}{g} = {f'b{g}' if part in 'nf' else 'vec4f(0.0)'};"


def _lanes_step(groups, lanes):
    yield from _shared("iteration", 4 * groups, lanes)
    yield from _step(groups, "iteration", lambda g, j: _lane(4 * g + j, lanes))


def _slab_step(groups):
    yield "layered_slab(iteration);"
    for k in range(SLAB):
        yield "{"
        yield from indented(_step(groups, f"{k}u", lambda g, j, k=k: f"layered_weights({k}u, {g}u, {j}u)"))
        yield "}"


def _step(groups, k, weights):
    """Four inputs: their products are added to all sums."""
    for i, part in enumerate(PARTS):
        yield f"let h{part} = layered_response({k}, {i}u);"
    yield "small += sum_of(he + hd);"
    for g in range(groups):
        for j in range(4):
            yield f"let w{g}_{j} = {weights(g, j)};"
            yield f"let a{g}_{j} = abs(w{g}_{j});"
        yield from _products(g, g, "h{part}")


def _narrow_layer(layer, small, step, groups):
    """A loop over a layer's groups of outputs, which pushes what it finds into the end of the list z."""
    yield f"let about{layer[0]} = layered_layer({layer});"
    yield f"let small{layer[0]} = {small};"
    yield f"for (var g = 0u; g < u32(about{layer[0]}.x); g++) {{"
    yield from indented(step)
    for g in range(1, groups):
        yield from (f"    z{part}{g - 1} = z{part}{g};" for part in PARTS)
    limits = f"small{layer[0]}, about{layer[0]}.z, about{layer[0]}.w"
    yield f"    let z = parabola_widened(Parabola(n, f, e, m, d), {limits});"
    yield f"    let h = layered_lift(layered_kind({layer}, g), z, about{layer[0]}.y);"
    yield from (f"    z{part}{groups - 1} = h.{field};" for part, field in PARTS.items())
    yield "}"


def _narrow_start(layer, columns, bias, lanes):
    """Sums of one group of outputs without products, from the bias, and the weights in some columns."""
    for i in dict.fromkeys(column // lanes for column in (*columns, bias)):
        yield f"let c{i} = layered_weights({layer}, g, {i}u);"
    yield from (f"var {part} = vec4f(0.0);" for part in "emd")
    yield f"var n = {_lane(bias, lanes)};"
    yield "var f = n;"
    for column in columns:
        yield f"let w{column // 4}_{column % 4} = {_lane(column, lanes)};"
        yield f"let a{column // 4}_{column % 4} = abs(w{column // 4}_{column % 4});"


def _first_step(groups, lanes):
    """The point's products with one group of outputs."""
    k = groups - 1
    yield from _narrow_start("0u", range(4 * k, 4 * k + 4), 4 * groups, lanes)
    yield from (f"let h{part} = point.{PARTS[part]};" for part in "nfe")
    yield from _products("", k, "h{part}", "nfe")


def _narrow_step(groups, lanes):
    """The products of all inputs with one group of outputs."""
    yield from _narrow_start("layer", range(4 * groups), 4 * groups, lanes)
    for k in range(groups):
        yield from _products("", k, f"h{{part}}{k}")


def _products(g, k, responses, parts="nfemd"):
    """Four products to each of a group's sums, in pairs, so that a sum waits for one addition only."""
    for part in parts:
        w, h = "a" if part in "ed" else "w", responses.format(part=part)
        a, b, c, d = (f"{w}{k}_{j} * {h}.{'xyzw'[j]}" for j in range(4))
        # One sum's rounding: an ulp of what it gives, for near and far. Those of pairs are in the error bound of h.
        rounded = f" + ULP * max(abs(n{g}), abs(f{g}))" if part == "e" else ""
        yield f"{part}{g} += ({a} + {b}) + ({c} + {d}){rounded};"
