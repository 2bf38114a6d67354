// A convolution where lanes share loads: an invocation takes a tile of places and outputs, by a product of matrices.
// The inputs of that product are the numbers of the places' windows. Responses and weights are images, which software
// drivers load fastest.
#import generated/bindings
#import generated/product
#import lib/finite
#import lib/window

// A copy of the uniform: llvmpipe reads a uniform anew, lane by lane, wherever it is named.
var<private> settings: Convolution;
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
    let place = min(place_of(p), settings.places - 1u);
    let y = place / settings.width;
    let x = place - y * settings.width;
    corners[p] = vec2i(vec2u(y, x) * settings.stride) - settings.padding;
    origins[p] = corners[p].x * i32(settings.source.y) + corners[p].y + i32(block * settings.source_places);
}

fn product_response(k: u32, p: u32) -> vec4f {
    let tap = window_tap(k, settings.blocks, settings.columns);
    let shift = vec2i(tap.xy * settings.dilation);
    let inside = all(vec2u(corners[p] + shift) < settings.source);
    let offset = i32(tap.z * settings.source_places) + shift.x * i32(settings.source.y) + shift.y;
    // Past the last number of the image lies a zero.
    let at = select(settings.nothing, u32(origins[p] + offset), inside);
    return textureLoad(responses, vec2u(at % ROW, at / ROW));
}

fn product_shared(k: u32, i: u32) -> vec4f {
    let row = tile * settings.rows + k / ROW_BLOCKS;
    return textureLoad(weights, vec2u((k % ROW_BLOCKS) * (4u * TILE_GROUPS) + i * LANES + lane, row));
}

fn product_store(p: u32, g: u32, value: vec4f) {
    let group = tile * TILE_GROUPS + g;
    let place = place_of(p);
    if group < settings.groups && place < settings.places {
        let used = window_used(group, settings.channels);
        let low = select(value, max(value, vec4f(0.0)), settings.limits > 0u);
        let response = select(low, min(low, vec4f(settings.most)), settings.limits > 1u);
        output[settings.offset + group * settings.places + place] = select(vec4f(0.0), nan_kept(value, response), used);
    }
}

// Nothing returns early: broadcasts need all lanes.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) index: u32) {
    settings = convolution;
    lane = index;
    first = group.y * (TILE_POINTS * LANES);
    tile = group.x;
    let channel = 4u * TILE_GROUPS * tile / settings.outputs_share * settings.inputs_share;
    convolve_corners(min(channel / 4u, settings.source_blocks - settings.blocks));
    product_tile(settings.iterations, group.x);
}
