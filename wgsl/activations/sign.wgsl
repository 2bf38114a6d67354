// The sign of z as -1, 0 or 1, its slope and curvature at four numbers.

fn sign_value(z: vec4f, a: f32) -> vec4f {
    return sign(z);
}

fn sign_slope(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}

fn sign_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
