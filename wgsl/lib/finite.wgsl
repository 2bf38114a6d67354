// Whether a number is finite: neither infinite nor NaN.

// By its bits: compilers may assume that all numbers are finite.
fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}
