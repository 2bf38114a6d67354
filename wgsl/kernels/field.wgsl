// The network's outputs at one point; one invocation a point.
#import generated/bindings
#import generated/points
#import generated/network

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if i >= field.count {
        return;
    }
    var outputs = network_plain(network_point(i));
    for (var g = 0u; g < NETWORK_GROUPS; g++) {
        values[i * field.stride + g] = outputs[g];
    }
}
