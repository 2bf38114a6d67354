// A number to the power of another, also of a number below 0 if the exponent is whole.

fn power(a: f32, b: f32) -> f32 {
    if b == 0.0 {
        return 1.0;
    }
    if a == 0.0 {
        return select(1.0 / abs(a), 0.0, b > 0.0);
    }
    let size = pow(abs(a), b);
    let signed = select(size, -size, floor(0.5 * b) != 0.5 * b);
    // The root of a number below 0 is none.
    return select(select(sqrt(a), signed, floor(b) == b), size, a > 0.0);
}
