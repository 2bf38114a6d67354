// z above 0 and a z below, its slope and curvature at four numbers; the slope at 0 is a, as in PyTorch.

fn leaky_relu_value(z: vec4f, a: f32) -> vec4f {
    return select(a * z, z, z > vec4f(0.0));
}

fn leaky_relu_slope(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(a), vec4f(1.0), z > vec4f(0.0));
}

fn leaky_relu_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
