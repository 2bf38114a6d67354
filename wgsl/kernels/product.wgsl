// One wide layer by workgroups: tiles of 128 points by 64 outputs in workgroup memory; an invocation computes 8 by 8.
#import generated/bindings
#import generated/product
#import lib/slabs

fn product_bias(g: u32) -> vec4f {
    return product_loaded(weights[bias_place(product.slabs, product.row, g)]);
}

fn response(point: u32, k: u32) -> vec4f {
    // Past the last point its values again; past the last input 0, since what lies there may not be a number.
    let at = (min(point, product.count - 1u) + product.first) * product.inputs + min(k, product.inputs - 1u);
    return select(vec4f(0.0), product_loaded(responses[at]), k < product.inputs);
}

fn product_slab(s: u32) {
    workgroupBarrier();
    let point = corner.x + invocation;
    slab_responses[invocation] = response(point, s * SLAB);
    slab_responses[SLAB_POINTS + invocation] = response(point, s * SLAB + 1u);
    slab_responses[2u * SLAB_POINTS + invocation] = response(point, s * SLAB + 2u);
    slab_responses[3u * SLAB_POINTS + invocation] = response(point, s * SLAB + 3u);
    let at = weights_place(s, product.row);
    slab_weights[invocation] = product_loaded(weights[at]);
    slab_weights[SLAB_POINTS + invocation] = product_loaded(weights[at + 8u * product.row]);
    workgroupBarrier();
}

fn product_group(g: u32) -> u32 {
    return corner.y + tile_group(g);
}

fn product_store(p: u32, g: u32, value: vec4f) {
    let point = corner.x + tile_point(p);
    let group = product_group(g);
    if point < product.count && group < product.groups {
        output[(point + product.offset) * product.groups + group] = product_stored(value);
    }
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    invocation = index;
    corner = group.xy * vec2u(SLAB_POINTS, SLAB_GROUPS);
    product_tile(product.slabs, group.y);
}
