// z tanh(softplus(z)), its slope and curvature at four numbers.
#import lib/mish

fn mish_value(z: vec4f, a: f32) -> vec4f {
    return z * mish_parts(z).value;
}

fn mish_slope(z: vec4f, a: f32) -> vec4f {
    let m = mish_parts(z);
    // Past 88 the rest is 0: the clamp only keeps huge z from meeting a tiny factor.
    return fma(clamp(z, vec4f(-100.0), vec4f(100.0)), m.slope, m.value);
}

fn mish_curvature(z: vec4f, a: f32) -> vec4f {
    let m = mish_parts(z);
    return fma(clamp(z, vec4f(-100.0), vec4f(100.0)), m.curvature, 2.0 * m.slope);
}
