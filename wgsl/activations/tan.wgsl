// The tangent, its slope and curvature at four numbers.
#import lib/partial
#import lib/sine

fn tan_value(z: vec4f, a: f32) -> vec4f {
    return held(safe_sin(z) / safe_cos(z));
}

fn tan_slope(z: vec4f, a: f32) -> vec4f {
    let c = safe_cos(z);
    return held(1.0 / (c * c));
}

fn tan_curvature(z: vec4f, a: f32) -> vec4f {
    let c = safe_cos(z);
    return held(2.0 * safe_sin(z) / (c * c * c));
}
