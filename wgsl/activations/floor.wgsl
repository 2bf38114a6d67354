// The largest whole number up to z, its slope and curvature at four numbers.

fn floor_value(z: vec4f, a: f32) -> vec4f {
    return floor(z);
}

fn floor_slope(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}

fn floor_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
