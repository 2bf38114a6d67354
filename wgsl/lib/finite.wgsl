// Whether a number is finite, neither infinite nor NaN, and whether numbers are NaN.

// By their bits: compilers may assume that all numbers are finite.
fn is_nan(x: vec4f) -> vec4<bool> {
    return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}
