// 1.0507 z above 0 and 1.7581 (exp(z) - 1) below, its slope and curvature at four numbers.
#import lib/exponential

fn selu_value(z: vec4f, a: f32) -> vec4f {
    return select(1.7580993 * expm1_negative(z), 1.0507010 * z, z > vec4f(0.0));
}

fn selu_slope(z: vec4f, a: f32) -> vec4f {
    return select(1.7580993 * safe_exp(z), vec4f(1.0507010), z > vec4f(0.0));
}

fn selu_curvature(z: vec4f, a: f32) -> vec4f {
    return select(1.7580993 * safe_exp(z), vec4f(0.0), z > vec4f(0.0));
}
