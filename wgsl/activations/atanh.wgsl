// The inverse hyperbolic tangent; past 1 no number, its slope and curvature at four numbers.
#import lib/logarithm
#import lib/partial

fn atanh_value(z: vec4f, a: f32) -> vec4f {
    let a1 = min(abs(z), vec4f(1.0));
    let size = select(0.5 * safe_log1p(2.0 * a1 / (1.0 - a1)), vec4f(FLOAT_MOST), a1 == vec4f(1.0));
    return number_unless(abs(z) > vec4f(1.0), select(size, -size, z < vec4f(0.0)));
}

fn atanh_slope(z: vec4f, a: f32) -> vec4f {
    return number_unless(abs(z) > vec4f(1.0), held(1.0 / ((1.0 - z) * (1.0 + z))));
}

fn atanh_curvature(z: vec4f, a: f32) -> vec4f {
    let q = 1.0 / ((1.0 - z) * (1.0 + z));
    return number_unless(abs(z) > vec4f(1.0), held(2.0 * z * q * q));
}
