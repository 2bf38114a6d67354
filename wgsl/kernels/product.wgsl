// One wide layer by workgroups: tiles of 128 points and 64 outputs pass through workgroup memory; an invocation takes 8 by 8.
#import generated/bindings
#import generated/product

const SLAB = 4u;
const SLAB_POINTS = 128u;
const SLAB_GROUPS = 16u;

var<workgroup> slab_responses: array<vec4f, 512>;
var<workgroup> slab_weights: array<vec4f, 256>;

var<private> place: u32;
var<private> corner: vec2u;

// Points of an invocation are 16 apart and its groups 8: neighbours read neighbouring memory, without conflicts of banks.
fn tile_point(p: u32) -> u32 {
    return place / 8u + 16u * p;
}

fn tile_group(g: u32) -> u32 {
    return place % 8u + 8u * g;
}

fn product_bias(g: u32) -> vec4f {
    return product_loaded(weights[4u * SLAB * product.slabs * product.row + corner.y + tile_group(g)]);
}

fn product_response(k: u32, p: u32) -> vec4f {
    return slab_responses[k * SLAB_POINTS + tile_point(p)];
}

fn product_weights(k: u32, g: u32, j: u32) -> vec4f {
    return slab_weights[(4u * k + j) * SLAB_GROUPS + tile_group(g)];
}

fn response(point: u32, k: u32) -> vec4f {
    // Past the last point its values again; past the last input 0, since what lies there may not be a number.
    let at = (min(point, product.count - 1u) + product.first) * product.inputs + min(k, product.inputs - 1u);
    return select(vec4f(0.0), product_loaded(responses[at]), k < product.inputs);
}

fn product_slab(s: u32) {
    workgroupBarrier();
    let point = corner.x + place;
    slab_responses[place] = response(point, s * SLAB);
    slab_responses[SLAB_POINTS + place] = response(point, s * SLAB + 1u);
    slab_responses[2u * SLAB_POINTS + place] = response(point, s * SLAB + 2u);
    slab_responses[3u * SLAB_POINTS + place] = response(point, s * SLAB + 3u);
    let at = (4u * SLAB * s + place / SLAB_GROUPS) * product.row + corner.y + place % SLAB_GROUPS;
    slab_weights[place] = product_loaded(weights[at]);
    slab_weights[SLAB_POINTS + place] = product_loaded(weights[at + 8u * product.row]);
    workgroupBarrier();
}

fn product_store(p: u32, g: u32, value: vec4f) {
    let point = corner.x + tile_point(p);
    let group = corner.y + tile_group(g);
    if point < product.count && group < product.groups {
        output[(point + product.offset) * product.groups + group] = product_stored(value);
    }
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    place = index;
    corner = group.xy * vec2u(SLAB_POINTS, SLAB_GROUPS);
    product_tile(product.slabs);
}
