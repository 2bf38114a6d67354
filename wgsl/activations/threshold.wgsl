// z above a.x, else a.y, its slope and curvature at four numbers.

fn threshold_value(z: vec4f, a: vec2f) -> vec4f {
    return select(vec4f(a.y), z, z > vec4f(a.x));
}

fn threshold_slope(z: vec4f, a: vec2f) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), z > vec4f(a.x));
}

fn threshold_curvature(z: vec4f, a: vec2f) -> vec4f {
    return vec4f(0.0);
}
