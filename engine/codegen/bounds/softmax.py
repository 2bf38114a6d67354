"""WGSL that bounds a softmax: output 0 is the sigmoid of its margin, z0 - log sum exp of the other logits."""

from engine.network.activations import Activation

# What each joint activation's output 0 is of its margin.
OF_MARGIN = {"softmax": Activation("sigmoid"), "log_softmax": Activation("log_sigmoid")}

TEMPLATE = """\
// 1 for the logits beside the first that exist.
fn margin_used(g: u32) -> vec4f {
    let places = 4u * g + vec4u(0u, 1u, 2u, 3u);
    return select(vec4f(0.0), vec4f(1.0), (places > vec4u(0u)) & (places < vec4u(end.outputs)));
}

fn least_of(v: vec4f) -> f32 {
    return min(min(v.x, v.y), min(v.z, v.w));
}

fn most_of(v: vec4f) -> f32 {
    return max(max(v.x, v.y), max(v.z, v.w));
}

// Output 0 from the margin of all logits. Along their chord log sum exp bends down by at most spread^2 / 4 / 8, since
// its second derivative is the variance of the logits' changes; its change by their remainders is a mean of them.
fn layered_result(at: u32) -> Parabola {
    let groups = min((end.outputs + 3u) / 4u, 16384u);
    var top = vec2f(-3.0e38);
    var error_bound = 0.0;
    var least = 3.0e38;
    var most = -3.0e38;
    var down = 3.0e38;
    var up = -3.0e38;
    for (var g = 0u; g < groups; g++) {
        let z = layered_sums(at, g);
        let used = margin_used(g) > vec4f(0.5);
        let change = z.far - z.near;
        let nothing = vec4f(-3.0e38);
        top = max(top, vec2f(most_of(select(nothing, z.near, used)), most_of(select(nothing, z.far, used))));
        error_bound = max(error_bound, most_of(select(vec4f(0.0), z.error_bound, used)));
        least = min(least, least_of(select(-nothing, change - 2.0 * z.error_bound, used)));
        most = max(most, most_of(select(nothing, change + 2.0 * z.error_bound, used)));
        down = min(down, least_of(select(-nothing, z.middle - z.radius, used)));
        up = max(up, most_of(select(nothing, z.middle + z.radius, used)));
    }
    var total = vec2f(0.0);
    for (var g = 0u; g < groups; g++) {
        let z = layered_sums(at, g);
        let used = margin_used(g);
        total += vec2f(sum_of(used * safe_exp(z.near - top.x)), sum_of(used * safe_exp(z.far - top.y)));
    }
    let rest = log(total);
    let z = layered_sums(at, 0u);
    let first = vec2f(z.near.x, z.far.x);
    let margin = first - (top + rest);
    // exp and the sum leave an ulp a logit, a logarithm 4 more; total is from 1 to the number of outputs.
    let size = 8.0 * rest + 4.0 * (abs(top) + abs(first) + abs(margin)) + f32(4u * groups) + 8.0;
    let spread = most - least;
    down -= spread * spread / 32.0 * (1.0 + 16.0 * ULP);
    let d = Range(vec4f(z.middle.x - z.radius.x - up), vec4f(z.middle.x + z.radius.x - down));
    let error = vec4f(z.error_bound.x + error_bound + ULP * max(size.x, size.y));
    return lift_0(parabola_of(vec4f(margin.x), vec4f(margin.y), error, d, 8.0), 0.0);
}
"""


def margin_function() -> str:
    """The WGSL of `layered_result(at)`, over logits that `layered_sums(at, g)` reads and `end.outputs` counts."""
    return TEMPLATE
