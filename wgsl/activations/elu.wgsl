// z above 0 and a (exp(z) - 1) below, its slope and curvature at four numbers.
#import lib/exponential

fn elu_value(z: vec4f, a: f32) -> vec4f {
    return select(a * expm1_negative(z), z, z > vec4f(0.0));
}

fn elu_slope(z: vec4f, a: f32) -> vec4f {
    return select(a * safe_exp(z), vec4f(1.0), z > vec4f(0.0));
}

fn elu_curvature(z: vec4f, a: f32) -> vec4f {
    return select(a * safe_exp(z), vec4f(0.0), z > vec4f(0.0));
}
