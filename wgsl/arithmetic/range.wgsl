// Four intervals, widened so that they hold under rounding.

// One unit in the last place of 1: WGSL may round either way, so this and not half of it bounds an operation's error.
const ULP = 1.1920929e-7;

struct Range {
    low: vec4f,
    high: vec4f,
}

fn range_over(p: vec4f, q: vec4f) -> Range {
    return Range(min(p, q), max(p, q));
}

// The range, extended to `value` where `inside` is true.
fn range_with(r: Range, value: f32, inside: vec4<bool>) -> Range {
    return Range(select(r.low, min(r.low, vec4f(value)), inside), select(r.high, max(r.high, vec4f(value)), inside));
}

fn range_select(a: Range, b: Range, mask: vec4<bool>) -> Range {
    return Range(select(a.low, b.low, mask), select(a.high, b.high, mask));
}

// Wider by so many ulp of its larger end and so many of 1.
fn range_padded(r: Range, relative: f32, absolute: f32) -> Range {
    let pad = relative * ULP * max(abs(r.low), abs(r.high)) + absolute * ULP;
    return Range(r.low - pad, r.high + pad);
}

fn range_times(a: Range, b: Range) -> Range {
    let p = a.low * b.low;
    let q = a.low * b.high;
    let r = a.high * b.low;
    let s = a.high * b.high;
    return Range(min(min(p, q), min(r, s)), max(max(p, q), max(r, s)));
}

// Whether x is inside; true where rounding leaves it open.
fn range_holds(z: Range, x: f32) -> vec4<bool> {
    let slack = 1e-6 * abs(x);
    return (z.low <= vec4f(x + slack)) & (z.high >= vec4f(x - slack));
}

// Whether some n + phase, n whole, is inside the range times `frequency`; true where rounding leaves it open.
fn range_holds_whole(z: Range, frequency: f32, phase: f32) -> vec4<bool> {
    let low = z.low * frequency - phase;
    let high = z.high * frequency - phase;
    let slack = 4.0 * ULP * (abs(low) + abs(high) + 1.0);
    return floor(high + slack) >= low - slack;
}
