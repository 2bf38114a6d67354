// The quotient of whole numbers. Processors divide these one by one; by way of floats it is exact up to 2^20.
fn quotient(number: u32, by: u32, is_small: bool) -> u32 {
    if is_small {
        return u32((f32(number) + 0.5) / f32(by));
    }
    return number / by;
}
