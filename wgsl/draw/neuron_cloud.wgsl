// A picture of samples, premultiplied, laid over what is there sample by sample.
#import generated/bindings

@vertex
fn vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    // One triangle that holds the whole tile.
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) position: vec4f) -> @location(0) vec4f {
    return textureLoad(picture, vec2u(position.xy), 0);
}
