"""WGSL that takes rows of a linear form back through a layer: a register tile of ROWS rows by GROUPS groups of four."""

from engine.codegen.text import each, function, header

ROWS, GROUPS = 4, 8


def rows_module(shared: bool = False) -> str:
    """The text of `generated/rows`: `rows_product(groups)`, a tile's products and what becomes of them.

    It calls what the kernel defines: rows_enter(k) before group k of the layer's units, rows_scaled(k, p), the row's
    four coefficients there times the slopes, rows_weights(k, g, j) of unit 4 k + j and group g of outputs of the tile,
    and rows_store(p, g, sums).

    shared   whether the members of a workgroup are the 8 invocations of a subgroup, which load weights for each other
    """
    p, g, j = range(ROWS), range(GROUPS), range(4)
    product = "s{g}_{p} += (w{g}_0 * a{p}.x + w{g}_1 * a{p}.y) + (w{g}_2 * a{p}.z + w{g}_3 * a{p}.w);"
    weights = "subgroupBroadcast(c{j}, {g}u)" if shared else "rows_weights(k, {g}u, {j}u)"
    lines = [
        *each("var s{g}_{p} = vec4f(0.0);", g=g, p=p),
        "for (var k = 0u; k < groups; k++) {",
        "    rows_enter(k);",
        *each("    let a{p} = rows_scaled(k, {p}u);", p=p),
        *(each("    let c{j} = rows_weights(k, member, {j}u);", j=j) if shared else ()),
        *each(f"    let w{{g}}_{{j}} = {weights};", g=g, j=j),
        *each(f"    {product}", g=g, p=p),
        "}",
        *each("rows_store({p}u, {g}u, s{g}_{p});", p=p, g=g),
    ]
    return "\n".join(
        [
            *header(f"{ROWS} rows times {4 * GROUPS} columns of weights.", "s<group>_<row>: sums, a: rows, w: weights"),
            f"const ROWS = {ROWS}u;",
            f"const GROUPS = {GROUPS}u;",
            "",
            *function("rows_product(groups: u32)", lines),
        ]
    )
