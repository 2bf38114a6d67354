// z less a.x towards 0, and 0 within a.y of it, its slope and curvature at four numbers.

fn shrink_value(z: vec4f, a: vec2f) -> vec4f {
    return select(vec4f(0.0), z - sign(z) * a.x, abs(z) > vec4f(a.y));
}

fn shrink_slope(z: vec4f, a: vec2f) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), abs(z) > vec4f(a.y));
}

fn shrink_curvature(z: vec4f, a: vec2f) -> vec4f {
    return vec4f(0.0);
}
