// z less a towards 0, and 0 within a of it, its slope and curvature at four numbers.

fn softshrink_value(z: vec4f, a: f32) -> vec4f {
    return sign(z) * max(abs(z) - a, vec4f(0.0));
}

fn softshrink_slope(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), abs(z) > vec4f(a));
}

fn softshrink_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
