// One invocation bounds the network's output over one piece of a ray and writes it at points of that piece.
#import generated/bindings
#import generated/network
#import generated/enclosure

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let piece = id.y * groups.x * 64u + id.x;
    if piece >= enclosing.pieces {
        return;
    }
    let start = pieces[2u * piece];
    let end = pieces[2u * piece + 1u];
    enclosure_begin(start.xyz, end.xyz, enclosing.length);
    enter_at(start.w);
    near_from_far();
    let b = segment_to(start.w, end.w);
    let rise = far_value - near_value;
    // The bounds are of the real network, so they begin at what it may really be at both ends.
    let drift = far_error - near_error;
    for (var i = 0u; i < enclosing.places; i++) {
        let x = f32(i) / f32(enclosing.places - 1u);
        let most = near_value + near_error + upper_bound(b, rise + drift, x);
        let least = near_value - near_error - upper_bound(bounds_mirrored(b), drift - rise, x);
        let slack = 16.0 * ULP * (abs(near_value) + abs(far_value) + abs(least) + abs(most));
        bounds[piece * enclosing.places + i] = vec2f(least - slack, most + slack);
    }
}
