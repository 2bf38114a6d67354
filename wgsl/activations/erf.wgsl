// The error function, its slope and curvature at four numbers.
#import lib/error_function

fn erf_value(z: vec4f, a: f32) -> vec4f {
    return safe_erf(z);
}

fn erf_slope(z: vec4f, a: f32) -> vec4f {
    return 1.1283792 * exp_minus_square(z);
}

fn erf_curvature(z: vec4f, a: f32) -> vec4f {
    return -2.0 * clamp(z, vec4f(-10.0), vec4f(10.0)) * (1.1283792 * exp_minus_square(z));
}
