// z limited to a.x .. a.y, its slope and curvature at four numbers; the slope at both ends is 0, as in PyTorch.

fn hardtanh_value(z: vec4f, a: vec2f) -> vec4f {
    return clamp(z, vec4f(a.x), vec4f(a.y));
}

fn hardtanh_slope(z: vec4f, a: vec2f) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), (z > vec4f(a.x)) & (z < vec4f(a.y)));
}

fn hardtanh_curvature(z: vec4f, a: vec2f) -> vec4f {
    return vec4f(0.0);
}
