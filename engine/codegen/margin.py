"""Bounds through a softmax: output 0 is the sigmoid of its margin, z0 - log sum exp of the other logits. WGSL."""

TEMPLATE = """\
var<private> near_margin: f32;
var<private> near_doubt: f32;
var<private> far_margin: f32;
var<private> far_doubt: f32;

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

// The margin at the far end, and how far rounding may have moved it.
fn far_margin_at() {{
    var most = -3.0e38;
    var doubt = 0.0;
    for (var g = 0u; g < {groups}u; g++) {{
        let used = margin_used(g) > vec4f(0.5);
        most = max(most, most_of(select(vec4f(-3.0e38), far_z[{start}u + g], used)));
        doubt = max(doubt, most_of(select(vec4f(0.0), far_e[{start}u + g], used)));
    }}
    var total = 0.0;
    for (var g = 0u; g < {groups}u; g++) {{
        total += sum_of(margin_used(g) * safe_exp(far_z[{start}u + g] - most));
    }}
    let rest = log(total);
    far_margin = far_z[{start}].x - (most + rest);
    // exp and the sum leave {ulps} ulp, a logarithm 4 more; total is from 1 to the number of outputs.
    let rounding = ({ulps}.0 + 8.0 * (1.0 + rest)) * ULP + 4.0 * ULP * (abs(most) + abs(far_z[{start}].x) + abs(far_margin));
    far_doubt = far_e[{start}].x + doubt + rounding;
}}

// How far the margin strays from its chord, in bubbles, when each logit strays within low to high. Along a chord of the logits
// log sum exp bends down by at most spread^2 / 4 / 8: its second derivative is the variance of the logits' changes.
fn margin_stray(low: array<vec4f, {groups}>, high: array<vec4f, {groups}>) -> vec2f {{
    var lows = low;
    var highs = high;
    var least = 3.0e38;
    var most = -3.0e38;
    var down = 3.0e38;
    var up = -3.0e38;
    for (var g = 0u; g < {groups}u; g++) {{
        let used = margin_used(g) > vec4f(0.5);
        let change = far_z[{start}u + g] - near_z[{start}u + g];
        let e = near_e[{start}u + g] + far_e[{start}u + g];
        least = min(least, least_of(select(vec4f(3.0e38), change - e, used)));
        most = max(most, most_of(select(vec4f(-3.0e38), change + e, used)));
        down = min(down, least_of(select(vec4f(3.0e38), lows[g], used)));
        up = max(up, most_of(select(vec4f(-3.0e38), highs[g], used)));
    }}
    let spread = most - least;
    down -= spread * spread / 32.0 * (1.0 + 16.0 * ULP);
    let pad = 8.0 * ULP * (abs(down) + abs(up) + abs(low[0].x) + abs(high[0].x));
    return vec2f(low[0].x - up - pad, high[0].x - down + pad);
}}
"""


def margin_functions(block, start):
    """The WGSL functions of a softmax layer.

    block   its layout.Block
    start   where its logits begin in near_z, near_e, far_z and far_e
    """
    return TEMPLATE.format(groups=block.outputs, start=start, ulps=4 * block.outputs + 8)
