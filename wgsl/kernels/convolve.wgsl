// A convolution by workgroups: tiles of 128 places by 64 outputs in workgroup memory; an invocation computes 8 by 8.
// It is a product of matrices, of which the inputs are the numbers of the places' windows.
#import generated/bindings
#import generated/product
#import lib/slabs
#import lib/window

// Of the place whose responses this invocation loads: the first row and column of its window, and the first block.
var<private> window: vec2i;
var<private> block: u32;

fn product_bias(g: u32) -> vec4f {
    return weights[bias_place(convolution.slabs, convolution.row, g)];
}

fn response(k: u32) -> vec4f {
    let tap = window_tap(k, convolution.blocks, convolution.columns);
    let at = window + vec2i(tap.xy * convolution.dilation);
    if k >= convolution.iterations || any(vec2u(at) >= convolution.source) {
        return vec4f(0.0);
    }
    let place = u32(at.x) * convolution.source.y + u32(at.y);
    return responses[convolution.source_first + (block + tap.z) * convolution.source_places + place];
}

fn product_slab(s: u32) {
    workgroupBarrier();
    slab_responses[invocation] = response(s * SLAB);
    slab_responses[SLAB_POINTS + invocation] = response(s * SLAB + 1u);
    slab_responses[2u * SLAB_POINTS + invocation] = response(s * SLAB + 2u);
    slab_responses[3u * SLAB_POINTS + invocation] = response(s * SLAB + 3u);
    let at = weights_place(s, convolution.row);
    slab_weights[invocation] = weights[at];
    slab_weights[SLAB_POINTS + invocation] = weights[at + 8u * convolution.row];
    workgroupBarrier();
}

fn product_store(p: u32, g: u32, value: vec4f) {
    let place = corner.x + tile_point(p);
    let group = corner.y + tile_group(g);
    if place < convolution.places && group < convolution.groups {
        let used = window_used(group, convolution.channels);
        output[convolution.offset + group * convolution.places + place] = select(vec4f(0.0), value, used);
    }
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    invocation = index;
    corner = group.xy * vec2u(SLAB_POINTS, SLAB_GROUPS);
    // Past the last place the last again; what is computed there is not stored.
    let place = min(corner.x + invocation, convolution.places - 1u);
    let y = place / convolution.width;
    window = vec2i(vec2u(y, place - y * convolution.width) * convolution.stride) - convolution.padding;
    let channel = 4u * corner.y / convolution.outputs_share * convolution.inputs_share;
    block = min(channel / 4u, convolution.source_blocks - convolution.blocks);
    product_tile(convolution.slabs, group.y);
}
