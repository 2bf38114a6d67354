// One layer at points, plain or with derivatives: an invocation takes a point and a tile of outputs.
#import generated/bindings
#import generated/layer

var<private> point: u32;
var<private> lane: u32;
var<private> tile: u32;

fn layer_place(k: u32) -> u32 {
    // Past the last point its numbers again: what is computed from them is not stored.
    return PARTS * ((min(point, layer.count - 1u) + layer.first) * layer.inputs + k);
}

fn layer_weights(k: u32, i: u32) -> vec4f {
    return weights[(tile * layer.blocks + k) * (4u * TILE_GROUPS) + i * LANES + lane];
}

fn layer_kind(g: u32) -> vec4u {
    return kinds[tile * TILE_GROUPS + g];
}

fn layer_store(g: u32, h: Element) {
    let group = tile * TILE_GROUPS + g;
    if group < layer.groups && point < layer.count {
        layer_write(PARTS * ((point + layer.offset) * layer.groups + group), h);
    }
}

// Nothing returns early: broadcasts need all lanes of a subgroup.
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, invocation: LayerInvocation) {
    point = group.x * WORKGROUP + invocation.place;
    lane = layer_lane(invocation);
    tile = group.y;
    layer_tile(layer.inputs);
}
