// a.x z + a.y limited to 0 .. 1, its slope and curvature at four numbers; the slope at both ends is 0, as in PyTorch.

fn hard_sigmoid_value(z: vec4f, a: vec2f) -> vec4f {
    return clamp(fma(vec4f(a.x), z, vec4f(a.y)), vec4f(0.0), vec4f(1.0));
}

fn hard_sigmoid_slope(z: vec4f, a: vec2f) -> vec4f {
    let y = fma(vec4f(a.x), z, vec4f(a.y));
    return select(vec4f(0.0), vec4f(a.x), (y > vec4f(0.0)) & (y < vec4f(1.0)));
}

fn hard_sigmoid_curvature(z: vec4f, a: vec2f) -> vec4f {
    return vec4f(0.0);
}
