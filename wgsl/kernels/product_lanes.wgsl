// One wide layer where lanes share loads: an invocation takes a tile of outputs and of its lane's points of each row.
// Software drivers load read-only images fastest: four numbers at eight addresses in 11 cycles, where a uniform buffer
// takes 28 and storage 75.
#import generated/bindings
#import generated/product

var<private> lane: u32;
var<private> rows: u32;
var<private> tile: u32;

// Image row y holds the LANES points from LANES y on: block k of their responses side by side.
fn product_response(k: u32, p: u32) -> vec4f {
    return textureLoad(responses, vec2u(k * LANES + lane, rows + p));
}

fn product_shared(k: u32, i: u32) -> vec4f {
    let row = tile * product.rows + k / ROW_BLOCKS;
    return textureLoad(weights, vec2u((k % ROW_BLOCKS) * (4u * TILE_GROUPS) + i * LANES + lane, row));
}

fn product_group(g: u32) -> u32 {
    return tile * TILE_GROUPS + g;
}

fn product_store(p: u32, g: u32, value: vec4f) {
    let group = product_group(g);
    let point = (rows + p) * LANES + lane;
    // Between layers the fill is stored too: testing for it takes half as long as storing.
    if WHOLE || (group < product.groups && point < product.count) {
        output[(rows + p) * product.by_row + lane * product.by_lane + group * product.by_group + product.offset] = product_stored(value);
    }
}

// Nothing returns early: broadcasts need all lanes.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) place: u32) {
    lane = place;
    rows = group.y * TILE_POINTS;
    tile = group.x;
    product_tile(product.inputs, group.x);
}
