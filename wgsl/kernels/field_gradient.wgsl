// The network's outputs at a point and their derivatives along three directions, which the inputs give; a point each.
#import generated/bindings
#import generated/points
#import generated/network

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if i >= field.count {
        return;
    }
    var outputs = network_dual(i);
    for (var g = 0u; g < NETWORK_GROUPS; g++) {
        let at = 4u * (i * field.stride + g);
        values[at] = outputs[g].value;
        values[at + 1u] = outputs[g].x;
        values[at + 2u] = outputs[g].y;
        values[at + 3u] = outputs[g].z;
    }
}
