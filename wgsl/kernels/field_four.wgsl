// The network's outputs at four points, each weight loaded once for all of them; one invocation four points.
#import generated/bindings
#import generated/points
#import generated/network

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = 4u * id.x;
    if i >= field.count {
        return;
    }
    let last = field.count - 1u;
    let j = min(i + 1u, last);
    let k = min(i + 2u, last);
    let l = min(i + 3u, last);
    var outputs = network_four(network_point(i), network_point(j), network_point(k), network_point(l));
    for (var g = 0u; g < NETWORK_GROUPS; g++) {
        let at = field.offset + g;
        // Past the end all four are the last point, with the same values.
        values[i * field.stride + at] = outputs[g].a;
        values[j * field.stride + at] = outputs[g].b;
        values[k * field.stride + at] = outputs[g].c;
        values[l * field.stride + at] = outputs[g].d;
    }
}
