// The stages' results for some samples, copied to their places among all; one invocation a sample.
#import generated/bindings

// Whether derivatives come with the values: of a sample all values, then derivatives across, then down.
override GRADIENT: bool;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = grid.first + id.x;
    if i < grid.end {
        let channels = select(1u, 3u, GRADIENT);
        for (var g = 0u; g < grid.stride; g++) {
            let at = select(1u, 4u, GRADIENT) * (id.x * grid.stride + g);
            for (var channel = 0u; channel < channels; channel++) {
                values[(channels * i + channel) * grid.stride + g] = found[at + channel];
            }
        }
    }
}
