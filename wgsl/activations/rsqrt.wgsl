// 1 / sqrt(z + a); below -a no number, its slope and curvature at four numbers.
#import lib/partial

fn root_below(x: vec4f) -> vec4f {
    return held(inverseSqrt(max(x, vec4f(0.0))));
}

fn rsqrt_value(z: vec4f, a: f32) -> vec4f {
    return number_unless(z + a < vec4f(0.0), held(root_below(z + a)));
}

fn rsqrt_slope(z: vec4f, a: f32) -> vec4f {
    let r = root_below(z + a);
    return number_unless(z + a < vec4f(0.0), held(-0.5 * r * r * r));
}

fn rsqrt_curvature(z: vec4f, a: f32) -> vec4f {
    let r = root_below(z + a);
    return number_unless(z + a < vec4f(0.0), held(0.75 * r * r * r * r * r));
}
