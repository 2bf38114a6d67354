// The bounds of the network's output over one piece of a ray, from its last layer's sums, an invocation a piece.
#import generated/bindings
#import generated/end
#import lib/finite

// More than any value: nothing is known of a network whose numbers overflow.
const UNKNOWN = 3.0e38;

fn layered_sums(at: u32, g: u32) -> Parabola {
    let step = end.row * end.across;
    let place = 5u * (at / end.across) * step + g * end.across + at % end.across;
    return Parabola(
        sums[place], sums[place + step], sums[place + 2u * step], sums[place + 3u * step], sums[place + 4u * step],
    );
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let at = id.x;
    if at >= end.count {
        return;
    }
    let z = layered_result(at);
    let error = z.error_bound.x * 1.00001;
    let b = bounds_padded(z.middle.x - z.radius.x, z.middle.x + z.radius.x);
    let known = is_finite(z.near.x) && is_finite(z.far.x) && is_finite(error) && is_finite(b.low) && is_finite(b.high);
    let ends = select(vec4f(0.0, UNKNOWN, 0.0, UNKNOWN), vec4f(z.near.x, error, z.far.x, error), known);
    bounds[2u * (at + end.first)] = ends;
    bounds[2u * (at + end.first) + 1u] = vec4f(select(vec2f(-UNKNOWN, UNKNOWN), vec2f(b.low, b.high), known), 0.0, 0.0);
}
