"""WGSL that bounds a softmax: output 0 is the sigmoid of its margin, z0 - log sum exp of the other logits."""

from engine.codegen.mlp.layout import LayerBlocks

TEMPLATE = """\
// 1 for the logits beside the first that exist.
fn margin_used(g: u32) -> vec4f {{
    return network_used(g) * select(vec4f(1.0), vec4f(0.0, 1.0, 1.0, 1.0), g == 0u);
}}

fn least_of(v: vec4f) -> f32 {{
    return min(min(v.x, v.y), min(v.z, v.w));
}}

fn most_of(v: vec4f) -> f32 {{
    return max(max(v.x, v.y), max(v.z, v.w));
}}

// The margin of all logits. Along their chord log sum exp bends down by at most spread^2 / 4 / 8, since its second
// derivative is the variance of the logits' changes; its change by their remainders is a mean of them.
fn margin_of(logits: array<Parabola, {groups}>) -> Parabola {{
    var z = logits;
    var top = vec2f(-3.0e38);
    var error_bound = 0.0;
    var least = 3.0e38;
    var most = -3.0e38;
    var down = 3.0e38;
    var up = -3.0e38;
    for (var g = 0u; g < {groups}u; g++) {{
        let used = margin_used(g) > vec4f(0.5);
        let change = z[g].far - z[g].near;
        let nothing = vec4f(-3.0e38);
        top = max(top, vec2f(most_of(select(nothing, z[g].near, used)), most_of(select(nothing, z[g].far, used))));
        error_bound = max(error_bound, most_of(select(vec4f(0.0), z[g].error_bound, used)));
        least = min(least, least_of(select(-nothing, change - 2.0 * z[g].error_bound, used)));
        most = max(most, most_of(select(nothing, change + 2.0 * z[g].error_bound, used)));
        down = min(down, least_of(select(-nothing, z[g].middle - z[g].radius, used)));
        up = max(up, most_of(select(nothing, z[g].middle + z[g].radius, used)));
    }}
    var total = vec2f(0.0);
    for (var g = 0u; g < {groups}u; g++) {{
        let used = margin_used(g);
        total += vec2f(sum_of(used * safe_exp(z[g].near - top.x)), sum_of(used * safe_exp(z[g].far - top.y)));
    }}
    let rest = log(total);
    let first = vec2f(z[0].near.x, z[0].far.x);
    let margin = first - (top + rest);
    // exp and the sum leave {ulps} ulp, a logarithm 4 more; total is from 1 to the number of outputs.
    let size = 8.0 * rest + 4.0 * (abs(top) + abs(first) + abs(margin)) + {ulps}.0 + 8.0;
    let spread = most - least;
    down -= spread * spread / 32.0 * (1.0 + 16.0 * ULP);
    let d = Range(vec4f(z[0].middle.x - z[0].radius.x - up), vec4f(z[0].middle.x + z[0].radius.x - down));
    let error = vec4f(z[0].error_bound.x + error_bound + ULP * max(size.x, size.y));
    return parabola_of(vec4f(margin.x), vec4f(margin.y), error, d, 8.0);
}}
"""


def margin_functions(block: LayerBlocks) -> str:
    """The WGSL functions of a softmax layer, whose layout.LayerBlocks is given."""
    return TEMPLATE.format(groups=block.outputs, ulps=4 * block.outputs)
