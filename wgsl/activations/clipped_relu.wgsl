// z limited to 0 .. a, its slope and curvature at four numbers; the slope at 0 and at a is 0.

fn clipped_relu_value(z: vec4f, a: f32) -> vec4f {
    return clamp(z, vec4f(0.0), vec4f(a));
}

fn clipped_relu_slope(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), (z > vec4f(0.0)) & (z < vec4f(a)));
}

fn clipped_relu_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
