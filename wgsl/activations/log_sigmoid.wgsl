// log(1 / (1 + exp(-z))), its slope and curvature at four numbers.
#import lib/hyperbolic

fn log_sigmoid_value(z: vec4f, a: f32) -> vec4f {
    return min(z, vec4f(0.0)) - log1p_unit(safe_exp(-abs(z)));
}

fn log_sigmoid_slope(z: vec4f, a: f32) -> vec4f {
    return safe_sigmoid(-z);
}

fn log_sigmoid_curvature(z: vec4f, a: f32) -> vec4f {
    return -sigmoid_derivative(z);
}
