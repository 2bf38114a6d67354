// clamp(z + 3, 0, 6) / 6, its slope and curvature at four numbers; the slope at -3 and 3 is 0, as in PyTorch.

fn hard_sigmoid_value(z: vec4f, a: f32) -> vec4f {
    return clamp(z + 3.0, vec4f(0.0), vec4f(6.0)) / 6.0;
}

fn hard_sigmoid_slope(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0 / 6.0), abs(z) < vec4f(3.0));
}

fn hard_sigmoid_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
