// The bounds of the network's output over one piece of a ray, from its last layer's sums, an invocation a piece.
#import generated/bindings
#import generated/end
#import lib/ended

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
    let found = parabola_ended(layered_result(at));
    bounds[2u * (at + end.first)] = found.ends;
    bounds[2u * (at + end.first) + 1u] = vec4f(found.range, 0.0, 0.0);
}
