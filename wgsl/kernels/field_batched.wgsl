// The network's outputs at several points, each weight loaded once for all of them; one invocation so many points.
#import generated/network
#import generated/bindings

fn network_input(i: u32, k: u32) -> vec4f {
    // Past the end there is nothing to read, but all invocations must go on together.
    return points[min(i, field.count - 1u) * INPUT_GROUPS + k];
}

fn network_store(i: u32, at: u32, value: vec4f) {
    if i < field.count {
        values[i * field.stride + at] = value;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, invocation: NetworkInvocation) {
    network_batched(group.x * 64u * NETWORK_POINTS + invocation.place, 64u, invocation);
}
