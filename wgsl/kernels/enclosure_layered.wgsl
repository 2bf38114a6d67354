// One invocation writes bounds of a network's output at points of a piece of a ray, from its ends and their remainder.
#import generated/bindings
#import arithmetic/parabola
#import lib/between

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let piece = id.y * groups.x * 64u + id.x;
    if piece >= enclosing.pieces {
        return;
    }
    let ends = found[2u * piece];
    let range = found[2u * piece + 1u];
    for (var i = 0u; i < enclosing.places; i++) {
        let x = f32(i) / f32(enclosing.places - 1u);
        bounds[piece * enclosing.places + i] = between(ends.xy, ends.zw, Bounds(range.x, range.y), x);
    }
}
