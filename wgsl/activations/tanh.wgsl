// The hyperbolic tangent, its slope and curvature at four numbers.
#import lib/hyperbolic

fn tanh_value(z: vec4f, a: f32) -> vec4f {
    return safe_tanh(z);
}

fn tanh_slope(z: vec4f, a: f32) -> vec4f {
    return sech_squared(z);
}

fn tanh_curvature(z: vec4f, a: f32) -> vec4f {
    return -2.0 * safe_tanh(z) * sech_squared(z);
}
