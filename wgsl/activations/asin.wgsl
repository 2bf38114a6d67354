// The inverse sine; past 1 no number, its slope and curvature at four numbers.
#import lib/inverse_trigonometry
#import lib/partial

fn asin_value(z: vec4f, a: f32) -> vec4f {
    return number_unless(abs(z) > vec4f(1.0), safe_asin(z));
}

fn asin_slope(z: vec4f, a: f32) -> vec4f {
    return number_unless(abs(z) > vec4f(1.0), held(inverseSqrt((1.0 - z) * (1.0 + z))));
}

fn asin_curvature(z: vec4f, a: f32) -> vec4f {
    let r = held(inverseSqrt(max((1.0 - z) * (1.0 + z), vec4f(0.0))));
    return number_unless(abs(z) > vec4f(1.0), held(z * r * r * r));
}
