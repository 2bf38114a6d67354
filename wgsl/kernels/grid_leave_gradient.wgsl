// What the stages found for some samples: all values, then derivatives across, then down; one invocation a sample.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = grid.first + id.x;
    if i < grid.end {
        for (var g = 0u; g < grid.stride; g++) {
            let from_place = 4u * (id.x * grid.stride + g);
            let to_place = 3u * i * grid.stride + g;
            values[to_place] = found[from_place];
            values[to_place + grid.stride] = found[from_place + 1u];
            values[to_place + 2u * grid.stride] = found[from_place + 2u];
        }
    }
}
