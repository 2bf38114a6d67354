// z times the normal distribution's cdf (the exact gelu, not its tanh form), its slope and curvature at four numbers.
#import lib/normal

fn gelu_value(z: vec4f, a: f32) -> vec4f {
    return z * normal_cdf(z);
}

fn gelu_slope(z: vec4f, a: f32) -> vec4f {
    // Past 15 the density is 0: the clamp only keeps huge z from meeting a tiny factor.
    return fma(clamp(z, vec4f(-15.0), vec4f(15.0)), normal_density(z), normal_cdf(z));
}

fn gelu_curvature(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-15.0), vec4f(15.0));
    return normal_density(z) * fma(-x, x, vec4f(2.0));
}
