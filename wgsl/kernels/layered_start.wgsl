// The two ends of one piece of a ray as the first layer's four inputs, an invocation a piece.
#import generated/bindings
#import lib/piece

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let piece = id.x;
    if piece >= start.filled {
        return;
    }
    // Past the last piece its numbers again: what is computed from them is not read.
    let at = min(piece, start.count - 1u) + start.first;
    let ends = piece_ends(pieces[2u * at], pieces[2u * at + 1u]);
    let step = start.row * start.across;
    let to = 5u * (piece / start.across) * step + piece % start.across;
    output[to] = ends.near;
    output[to + step] = ends.far;
    output[to + 2u * step] = ends.error_bound;
    output[to + 3u * step] = ends.middle;
    output[to + 4u * step] = ends.radius;
}
