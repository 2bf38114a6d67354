// z clamp(z + 3, 0, 6) / 6, its slope and curvature at four numbers.

fn hard_swish_value(z: vec4f, a: f32) -> vec4f {
    return z * (clamp(z + 3.0, vec4f(0.0), vec4f(6.0)) / 6.0);
}

fn hard_swish_slope(z: vec4f, a: f32) -> vec4f {
    let outside = select(vec4f(1.0), vec4f(0.0), z < vec4f(0.0));
    return select(outside, (z + 1.5) / 3.0, abs(z) < vec4f(3.0));
}

fn hard_swish_curvature(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0 / 3.0), abs(z) < vec4f(3.0));
}
