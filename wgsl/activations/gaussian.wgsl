// exp(-z^2), its slope and curvature at four numbers.
#import lib/normal

fn gaussian_value(z: vec4f, a: f32) -> vec4f {
    return exp_minus_square(z);
}

fn gaussian_slope(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-10.0), vec4f(10.0));
    return -2.0 * x * exp_minus_square(z);
}

fn gaussian_curvature(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-10.0), vec4f(10.0));
    return fma(4.0 * x, x, vec4f(-2.0)) * exp_minus_square(z);
}
