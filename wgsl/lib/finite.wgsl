// Whether a number is finite, neither infinite nor NaN; and what keeps NaN where drivers' max, min and clamp drop it.
#import lib/partial

// By their bits: compilers may assume that all numbers are finite.
fn is_nan(x: vec4f) -> vec4<bool> {
    return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

// v, a function of z: NaN where that is.
fn nan_kept(z: vec4f, v: vec4f) -> vec4f {
    return number_unless(is_nan(z), v);
}

// The larger of two numbers; NaN where one is.
fn larger(a: f32, b: f32) -> f32 {
    let both = is_nan(vec4f(a, b, 0.0, 0.0));
    return number_unless(vec4<bool>(both.x || both.y), vec4f(max(a, b))).x;
}

fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}
