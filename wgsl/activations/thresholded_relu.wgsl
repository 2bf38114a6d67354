// z above a, else 0, its slope and curvature at four numbers.

fn thresholded_relu_value(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), z, z > vec4f(a));
}

fn thresholded_relu_slope(z: vec4f, a: f32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), z > vec4f(a));
}

fn thresholded_relu_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(0.0);
}
