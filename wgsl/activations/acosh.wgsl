// The inverse hyperbolic cosine; below 1 no number, its slope and curvature at four numbers.
#import lib/logarithm
#import lib/partial

fn acosh_value(z: vec4f, a: f32) -> vec4f {
    let t = clamp(z - 1.0, vec4f(0.0), vec4f(1e4));
    let near = safe_log1p(t + sqrt(t * (t + 2.0)));
    let far = safe_log(max(z, vec4f(1.0))) + 0.69314718;
    return number_unless(z < vec4f(1.0), select(near, far, z > vec4f(1e4)));
}

fn acosh_slope(z: vec4f, a: f32) -> vec4f {
    let x = min(z, vec4f(1.8e19));
    let near = held(inverseSqrt(max((x - 1.0) * (x + 1.0), vec4f(0.0))));
    return number_unless(z < vec4f(1.0), select(near, 1.0 / z, z > vec4f(1e9)));
}

fn acosh_curvature(z: vec4f, a: f32) -> vec4f {
    let x = min(z, vec4f(1.8e19));
    let r = held(inverseSqrt(max((x - 1.0) * (x + 1.0), vec4f(0.0))));
    return number_unless(z < vec4f(1.0), held(-(x * r) * r * r));
}
