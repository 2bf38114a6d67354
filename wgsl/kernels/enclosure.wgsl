// One invocation bounds the network's output over one piece of a ray and writes it at points of that piece.
#import generated/bindings
#import generated/network
#import generated/enclosure
#import lib/between

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
    for (var i = 0u; i < enclosing.places; i++) {
        let x = f32(i) / f32(enclosing.places - 1u);
        bounds[piece * enclosing.places + i] = between(vec2f(near_value, near_error), vec2f(far_value, far_error), b, x);
    }
}
