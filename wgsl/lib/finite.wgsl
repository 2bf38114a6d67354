// Whether a number is one: neither infinite nor NaN.

// By its bits: compilers may take it for granted that a number is finite.
fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}
