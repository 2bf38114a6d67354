// log(1 + exp(a z)) / a, its slope and curvature at four numbers.
#import lib/hyperbolic

fn softplus_value(z: vec4f, a: f32) -> vec4f {
    return max(z, vec4f(0.0)) + log1p_unit(safe_exp(-abs(a * z))) / a;
}

fn softplus_slope(z: vec4f, a: f32) -> vec4f {
    return safe_sigmoid(a * z);
}

fn softplus_curvature(z: vec4f, a: f32) -> vec4f {
    return a * sigmoid_derivative(a * z);
}
