// The hyperbolic sine, up to the largest float32, its slope and curvature at four numbers.
#import lib/growing

fn sinh_value(z: vec4f, a: f32) -> vec4f {
    return sign(z) * sinh_size(z);
}

fn sinh_slope(z: vec4f, a: f32) -> vec4f {
    return cosh_size(z);
}

fn sinh_curvature(z: vec4f, a: f32) -> vec4f {
    return sign(z) * sinh_size(z);
}
