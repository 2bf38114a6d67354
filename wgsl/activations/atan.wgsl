// The inverse tangent, its slope and curvature at four numbers.
#import lib/inverse_trigonometry

fn atan_value(z: vec4f, a: f32) -> vec4f {
    return safe_atan(z);
}

fn atan_slope(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-1.8e19), vec4f(1.8e19));
    return 1.0 / fma(x, x, vec4f(1.0));
}

fn atan_curvature(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-1.8e19), vec4f(1.8e19));
    let q = 1.0 / fma(x, x, vec4f(1.0));
    return -2.0 * (x * q) * q;
}
