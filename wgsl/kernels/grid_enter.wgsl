// Where samples of a grid lie, for a network that is computed stage by stage; one invocation a sample.
#import generated/bindings
#import lib/samples

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = grid.first + id.x;
    if i < grid.end {
        points[id.x] = vec4f(sample_place(i, grid.width, grid.corner), 0.0, 0.0);
    }
}
