// Where samples of a grid lie, for a network that is computed stage by stage; one invocation a sample.
#import generated/bindings
#import lib/samples

// Whether derivatives follow each place: 1 along the grid's two directions, and 0.
override GRADIENT: bool;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = grid.first + id.x;
    if i < grid.end {
        let at = id.x * select(1u, 4u, GRADIENT);
        points[at] = vec4f(sample_place(i, grid.width, grid.corner), 0.0, 0.0);
        if GRADIENT {
            points[at + 1u] = vec4f(1.0, 0.0, 0.0, 0.0);
            points[at + 2u] = vec4f(0.0, 1.0, 0.0, 0.0);
            points[at + 3u] = vec4f(0.0);
        }
    }
}
