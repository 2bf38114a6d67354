// One block of four inputs of a point, from rows of points to rows of the image that product_lanes reads; one invocation a block.
#import generated/bindings
#import generated/lanes

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    // A row of the image: `row` blocks of LANES points each.
    let place = id.x % (product.row * LANES);
    let point = id.x / (product.row * LANES) * LANES + place % LANES;
    let block = place / LANES;
    if id.x >= product.blocks {
        return;
    }
    // Past the last point its values again: what is computed from them is not kept.
    let at = (min(point, product.count - 1u) + product.first) * product.inputs + block;
    kept[id.x] = select(vec4f(0.0), points[at], block < product.inputs);
}
