// The nearest whole number, of two the even one, its slope and curvature at four numbers.

fn round_value(z: vec4f, a: f32) -> vec4f {
    return round(z);
}

fn round_slope(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}

fn round_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
