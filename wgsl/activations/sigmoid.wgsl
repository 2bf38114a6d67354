// 1 / (1 + exp(-z)), its slope and curvature at four numbers.
#import lib/hyperbolic

fn sigmoid_value(z: vec4f, a: f32) -> vec4f {
    return safe_sigmoid(z);
}

fn sigmoid_slope(z: vec4f, a: f32) -> vec4f {
    return sigmoid_derivative(z);
}

fn sigmoid_curvature(z: vec4f, a: f32) -> vec4f {
    return -safe_tanh(0.5 * z) * sigmoid_derivative(z);
}
