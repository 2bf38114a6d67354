// The identity, its slope and curvature at four numbers.

fn identity_value(z: vec4f, a: f32) -> vec4f {
    return z;
}

fn identity_slope(z: vec4f, a: f32) -> vec4f {
    return vec4f(1.0);
}

fn identity_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
