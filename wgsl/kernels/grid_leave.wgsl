// What the stages found for some samples, put in its place among all; one invocation a sample.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = grid.first + id.x;
    if i < grid.end {
        for (var g = 0u; g < grid.stride; g++) {
            values[i * grid.stride + g] = found[id.x * grid.stride + g];
        }
    }
}
