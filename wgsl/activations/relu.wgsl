// max(z, 0), its slope and curvature at four numbers; the slope at 0 is 0, as in PyTorch.

fn relu_value(z: vec4f, a: f32) -> vec4f {
    return max(z, vec4f(0.0));
}

fn relu_slope(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), z > vec4f(0.0));
}

fn relu_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
