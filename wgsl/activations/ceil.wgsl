// The least whole number from z on, its slope and curvature at four numbers.

fn ceil_value(z: vec4f, a: f32) -> vec4f {
    return ceil(z);
}

fn ceil_slope(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}

fn ceil_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
