// z sigmoid(z), its slope and curvature at four numbers.
#import lib/hyperbolic

fn silu_value(z: vec4f, a: f32) -> vec4f {
    return z * safe_sigmoid(z);
}

fn silu_slope(z: vec4f, a: f32) -> vec4f {
    // Past 88 the derivative of sigmoid is 0: the clamp only keeps huge z from meeting a tiny factor.
    return fma(clamp(z, vec4f(-100.0), vec4f(100.0)), sigmoid_derivative(z), safe_sigmoid(z));
}

fn silu_curvature(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-100.0), vec4f(100.0));
    // 1 - 2 sigmoid(z) is -tanh(z / 2).
    return sigmoid_derivative(z) * fma(-x, safe_tanh(0.5 * x), vec4f(2.0));
}
