// The network's outputs, and if wanted their derivatives, at samples of a grid; one invocation takes several samples.
#import generated/network
#import generated/bindings
#import lib/samples

fn network_input(i: u32, k: u32) -> vec4f {
    return vec4f(sample_place(i, grid.width, grid.corner), 0.0, 0.0);
}

fn network_store(i: u32, at: u32, value: vec4f) {
    if i < grid.end {
        values[i * grid.stride + at] = value;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, invocation: NetworkInvocation) {
    network_batched(grid.first + group.x * 64u * NETWORK_POINTS + invocation.place, 64u, invocation);
}
