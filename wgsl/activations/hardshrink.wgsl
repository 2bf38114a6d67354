// z, and 0 within a of 0, its slope and curvature at four numbers.

fn hardshrink_value(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), z, abs(z) > vec4f(a));
}

fn hardshrink_slope(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), abs(z) > vec4f(a));
}

fn hardshrink_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
