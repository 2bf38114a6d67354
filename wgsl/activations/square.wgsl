// z^2, its slope and curvature at four numbers.

fn square_value(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-1.8446742e19), vec4f(1.8446742e19));
    return x * x;
}

fn square_slope(z: vec4f, a: f32) -> vec4f {
    return 2.0 * clamp(z, vec4f(-1.7e38), vec4f(1.7e38));
}

fn square_curvature(z: vec4f, a: f32) -> vec4f {
    return vec4f(2.0);
}
