// z above 0 and a (exp(z / a) - 1) below, its slope and curvature at four numbers.
#import lib/exponential

fn celu_value(z: vec4f, a: f32) -> vec4f {
    return select(a * expm1_negative(z / a), z, z > vec4f(0.0));
}

fn celu_slope(z: vec4f, a: f32) -> vec4f {
    return select(safe_exp(z / a), vec4f(1.0), z > vec4f(0.0));
}

fn celu_curvature(z: vec4f, a: f32) -> vec4f {
    return select(safe_exp(z / a) / a, vec4f(0.0), z > vec4f(0.0));
}
