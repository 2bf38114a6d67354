// z sigmoid(a z), its slope and curvature at four numbers.
#import lib/hyperbolic

fn swish_value(z: vec4f, a: f32) -> vec4f {
    return z * safe_sigmoid(a * z);
}

fn swish_slope(z: vec4f, a: f32) -> vec4f {
    // Past 88 the derivative of sigmoid is 0: the clamp only keeps huge z from meeting a tiny factor.
    let x = clamp(a * z, vec4f(-100.0), vec4f(100.0));
    return fma(x, sigmoid_derivative(x), safe_sigmoid(x));
}

fn swish_curvature(z: vec4f, a: f32) -> vec4f {
    let x = clamp(a * z, vec4f(-100.0), vec4f(100.0));
    // 1 - 2 sigmoid(x) is -tanh(x / 2).
    return a * sigmoid_derivative(x) * fma(-x, safe_tanh(0.5 * x), vec4f(2.0));
}
