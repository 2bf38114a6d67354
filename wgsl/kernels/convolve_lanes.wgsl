// A convolution where lanes share loads: an invocation takes a tile of places and outputs, by a product of matrices.
// The inputs of that product are the numbers of the places' windows. Responses and weights are images, which software
// drivers load fastest.
#import generated/bindings
#import generated/product
#import lib/window

var<private> lane: u32;
var<private> first: u32;
var<private> tile: u32;
// Of each place of the tile: the first row and column of its window, and where those lie in the image.
var<private> corners: array<vec2i, TILE_POINTS>;
var<private> origins: array<i32, TILE_POINTS>;

fn place_of(p: u32) -> u32 {
    return first + p * LANES + lane;
}

fn convolve_corner(p: u32, block: u32) {
    // Past the last place the last again; what is computed there is not stored.
    let place = min(place_of(p), convolution.places - 1u);
    let y = place / convolution.width;
    let x = place - y * convolution.width;
    corners[p] = vec2i(vec2u(y, x) * convolution.stride) - convolution.padding;
    origins[p] = corners[p].x * i32(convolution.source.y) + corners[p].y + i32(block * convolution.source_places);
}

fn product_response(k: u32, p: u32) -> vec4f {
    let tap = window_tap(k, convolution.blocks, convolution.columns);
    let shift = vec2i(tap.xy * convolution.dilation);
    let inside = all(vec2u(corners[p] + shift) < convolution.source);
    let offset = i32(tap.z * convolution.source_places) + shift.x * i32(convolution.source.y) + shift.y;
    // Past the last number of the image lies a zero.
    let at = select(convolution.nothing, u32(origins[p] + offset), inside);
    return textureLoad(responses, vec2u(at % ROW, at / ROW));
}

fn product_shared(k: u32, i: u32) -> vec4f {
    let row = tile * convolution.rows + k / ROW_BLOCKS;
    return textureLoad(weights, vec2u((k % ROW_BLOCKS) * (4u * TILE_GROUPS) + i * LANES + lane, row));
}

fn product_store(p: u32, g: u32, value: vec4f) {
    let group = tile * TILE_GROUPS + g;
    let place = place_of(p);
    if group < convolution.groups && place < convolution.places {
        let used = window_used(group, convolution.channels);
        let low = select(value, max(value, vec4f(0.0)), convolution.limits > 0u);
        let response = select(low, min(low, vec4f(convolution.most)), convolution.limits > 1u);
        output[convolution.offset + group * convolution.places + place] = select(vec4f(0.0), response, used);
    }
}

// Nothing returns early: broadcasts need all lanes.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) index: u32) {
    lane = index;
    first = group.y * (TILE_POINTS * LANES);
    tile = group.x;
    let channel = 4u * TILE_GROUPS * tile / convolution.outputs_share * convolution.inputs_share;
    convolve_corners(min(channel / 4u, convolution.source_blocks - convolution.blocks));
    product_tile(convolution.iterations, group.x);
}
