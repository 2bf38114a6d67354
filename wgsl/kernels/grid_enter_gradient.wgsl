// Where samples of a grid lie, with derivatives 1 along the grid's two directions; one invocation a sample.
#import generated/bindings
#import lib/samples

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = grid.first + id.x;
    if i < grid.end {
        points[4u * id.x] = vec4f(sample_place(i, grid.width, grid.corner), 0.0, 0.0);
        points[4u * id.x + 1u] = vec4f(1.0, 0.0, 0.0, 0.0);
        points[4u * id.x + 2u] = vec4f(0.0, 1.0, 0.0, 0.0);
        points[4u * id.x + 3u] = vec4f(0.0);
    }
}
