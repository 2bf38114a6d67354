// The colour of one sample from an array, premultiplied.
#import generated/bindings

@vertex
fn vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 1.0, 1.0);
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    return samples[u32(at.y) * u32(frame.tile.x) + u32(at.x)];
}
