// The root of z; below 0 no number, its slope and curvature at four numbers.
#import lib/partial

fn sqrt_value(z: vec4f, a: f32) -> vec4f {
    return number_unless(z < vec4f(0.0), sqrt(max(z, vec4f(0.0))));
}

fn sqrt_slope(z: vec4f, a: f32) -> vec4f {
    return number_unless(z < vec4f(0.0), held(0.5 / sqrt(max(z, vec4f(0.0)))));
}

fn sqrt_curvature(z: vec4f, a: f32) -> vec4f {
    return number_unless(z < vec4f(0.0), held(-0.25 / max(z, vec4f(0.0)) / sqrt(max(z, vec4f(0.0)))));
}
