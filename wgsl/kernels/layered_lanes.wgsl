// One layer's bounds over pieces of rays where lanes share loads: an invocation takes its lane's piece and a tile of outputs.
#import generated/bindings
#import generated/layered

var<private> lane: u32;
var<private> row: u32;
var<private> tile: u32;

// Image rows 5 y to 5 y + 4 hold the parts of LANES pieces from LANES y on: block k of their responses side by side.
fn layered_response(k: u32, part: u32) -> vec4f {
    return textureLoad(responses, vec2u(k * LANES + lane, 5u * row + part));
}

fn layered_shared(k: u32, i: u32) -> vec4f {
    let line = tile * layer.rows + k / ROW_BLOCKS;
    return textureLoad(weights, vec2u((k % ROW_BLOCKS) * (4u * TILE_GROUPS) + i * LANES + lane, line));
}

fn layered_kind(g: u32) -> u32 {
    return kinds[layer.kinds + tile * TILE_GROUPS + g];
}

fn layered_limits() -> vec3f {
    return vec3f(layer.terms, layer.least, layer.limit);
}

// What fills up the last tile is stored too: testing for it takes half as long as storing.
fn layered_store(g: u32, z: Parabola) {
    let step = layer.row * LANES;
    let at = 5u * row * step + (tile * TILE_GROUPS + g) * LANES + lane;
    output[at] = z.near;
    output[at + step] = z.far;
    output[at + 2u * step] = z.error_bound;
    output[at + 3u * step] = z.middle;
    output[at + 4u * step] = z.radius;
}

// Nothing returns early: broadcasts need all lanes.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) place: u32) {
    lane = place;
    row = group.y;
    tile = group.x;
    layered_tile(layer.inputs);
}
