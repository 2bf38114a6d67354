// The size of z, its slope and curvature at four numbers; the slope at 0 is 0, as in PyTorch.

fn abs_value(z: vec4f, a: f32) -> vec4f {
    return abs(z);
}

fn abs_slope(z: vec4f, a: f32) -> vec4f {
    return sign(z);
}

fn abs_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
