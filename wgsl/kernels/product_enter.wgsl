// One block of four inputs of a point, from rows of points to rows of the image that the lanes of a subgroup read in
// product_lanes; one invocation a block.
#import generated/bindings
#import generated/lanes

@compute @workgroup_size(LANES, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let point = id.x;
    let block = id.y;
    if block >= product.row {
        return;
    }
    // Past the last point its values again: what is computed from them is not stored.
    let at = (min(point, product.count - 1u) + product.first) * product.inputs + min(block, product.inputs - 1u);
    // A row of the image: `row` blocks of LANES points each. What fills it up is not read.
    output[(point / LANES * product.row + block) * LANES + point % LANES] = points[at];
}
