// gelu by its tanh form, z sigmoid(g), its slope and curvature at four numbers.
#import lib/hyperbolic

// 2 sqrt(2 / pi) (z + 0.044715 z^3), and its slope; past 30 sigmoid no longer changes.
fn gelu_exponent(z: vec4f) -> vec4f {
    let x = clamp(z, vec4f(-30.0), vec4f(30.0));
    return 1.5957691 * x * fma(0.044715 * x, x, vec4f(1.0));
}

fn gelu_rise(x: vec4f) -> vec4f {
    return 1.5957691 * fma(0.134145 * x, x, vec4f(1.0));
}

fn gelu_tanh_value(z: vec4f, a: f32) -> vec4f {
    return z * safe_sigmoid(gelu_exponent(z));
}

fn gelu_tanh_slope(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-30.0), vec4f(30.0));
    let g = gelu_exponent(x);
    return fma(x * sigmoid_derivative(g), gelu_rise(x), safe_sigmoid(g));
}

fn gelu_tanh_curvature(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-30.0), vec4f(30.0));
    let g = gelu_exponent(x);
    let rise = gelu_rise(x);
    let bend = fma(-x * rise * safe_tanh(0.5 * g), rise, 2.0 * rise);
    // 0.42813 is 2 sqrt(2 / pi) 6 0.044715.
    return sigmoid_derivative(g) * fma(0.42812890 * x, x, bend);
}
