// One layer at points, with derivatives along three directions: an invocation takes a point and a tile of outputs.
#import generated/bindings
#import generated/tangent

var<private> point: u32;
var<private> lane: u32;
var<private> tile: u32;

fn tangent_input(k: u32) -> Dual {
    // Past the last point its numbers again: what is computed from them is not stored.
    let at = 4u * ((min(point, layer.count - 1u) + layer.first) * layer.inputs + k);
    return Dual(responses[at], responses[at + 1u], responses[at + 2u], responses[at + 3u]);
}

fn tangent_weights(k: u32, i: u32) -> vec4f {
    return weights[(tile * layer.blocks + k) * (4u * TILE_GROUPS) + i * LANES + lane];
}

fn tangent_kind(g: u32) -> vec4u {
    return kinds[tile * TILE_GROUPS + g];
}

fn tangent_store(g: u32, h: Dual) {
    let group = tile * TILE_GROUPS + g;
    if group < layer.groups && point < layer.count {
        let at = 4u * ((point + layer.offset) * layer.groups + group);
        output[at] = h.value;
        output[at + 1u] = h.x;
        output[at + 2u] = h.y;
        output[at + 3u] = h.z;
    }
}

// Nothing returns early: broadcasts need all lanes of a subgroup.
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, invocation: TangentInvocation) {
    point = group.x * WORKGROUP + invocation.place;
    lane = tangent_lane(invocation);
    tile = group.y;
    tangent_tile(layer.inputs);
}
