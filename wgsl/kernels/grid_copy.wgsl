// Values of a grid's samples into a texture; one invocation a sample.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = grid.first + id.x;
    if i < grid.end {
        textureStore(picture, vec2u(i % grid.width, i / grid.width), values[i]);
    }
}
