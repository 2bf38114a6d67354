// Four activations over intervals as lines with a width: s(z) is in slope z + cross z' + [low, high], widened so that it
// holds under rounding; z' is the unit before, and cross is 0 but for the second of a product's pair.
#import arithmetic/range

struct Relaxed {
    slope: vec4f,
    cross: vec4f,
    low: vec4f,
    high: vec4f,
    size: vec4f, // the largest |s| there
}

fn range_most(z: Range) -> vec4f {
    return max(abs(z.low), abs(z.high));
}

fn relaxed_identity(z: Range) -> Relaxed {
    return Relaxed(vec4f(1.0), vec4f(0.0), vec4f(0.0), vec4f(0.0), range_most(z));
}

// Pairs f, g round their middles: f g = g0 f + f0 g - f0 g0 + (f - f0) (g - g0). The cross slope, f0, is that of g.
fn relaxed_product(z: Range) -> Relaxed {
    let c = 0.5 * (z.low + z.high);
    let r = max(z.high - c, c - z.low) * (1.0 + 4.0 * ULP);
    let most = range_most(z);
    let size = most * most.yxwz * (1.0 + 4.0 * ULP);
    let middle = c * c.yxwz;
    let wide = r * r.yxwz * (1.0 + 8.0 * ULP) + 8.0 * ULP * size;
    let first = vec4<bool>(true, false, true, false);
    let none = vec4f(0.0);
    return Relaxed(
        select(vec4f(1.0), c.yxwz, first),
        select(c.yxwz, none, first),
        select(none, -middle - wide, first),
        select(none, wide - middle, first),
        select(most, size, first),
    );
}

fn relaxed_select(a: Relaxed, b: Relaxed, mask: vec4<bool>) -> Relaxed {
    return Relaxed(
        select(a.slope, b.slope, mask),
        select(a.cross, b.cross, mask),
        select(a.low, b.low, mask),
        select(a.high, b.high, mask),
        select(a.size, b.size, mask),
    );
}

// The chord from p to q, and where both lie over it.
fn relaxed_chord(z: Range, p: vec4f, q: vec4f, slopes: Range) -> Relaxed {
    let slope = clamp((q - p) / max(z.high - z.low, vec4f(1e-30)), slopes.low, slopes.high);
    let r = range_over(p - slope * z.low, q - slope * z.high);
    return Relaxed(slope, vec4f(0.0), r.low, r.high, vec4f(0.0));
}

// With a kink that lies in the interval.
fn relaxed_kink(a: Relaxed, place: f32, value: f32, inside: vec4<bool>) -> Relaxed {
    let over = vec4f(value) - a.slope * place;
    let low = select(a.low, min(a.low, over), inside);
    return Relaxed(a.slope, a.cross, low, select(a.high, max(a.high, over), inside), a.size);
}

// True where s(z) is 0 or z itself, to the bit.
fn relaxed_exact(a: Relaxed) -> vec4<bool> {
    let none = vec4f(0.0);
    return ((a.slope == none) | (a.slope == vec4f(1.0))) & (a.low == none) & (a.high == none) & (a.cross == none);
}

// Between ends and kinks s leaves its chord by at most its curvature times the width squared over 8.
fn relaxed_bent(a: Relaxed, z: Range, p: vec4f, q: vec4f, bends: Range, error: vec4f) -> Relaxed {
    let width = z.high - z.low;
    let square = 0.125 * width * width * (1.0 + 8.0 * ULP);
    let pad = error + 4.0 * ULP * (abs(p) + abs(q) + abs(a.slope) * range_most(z));
    let low = a.low - max(bends.high, vec4f(0.0)) * square;
    let high = a.high - min(bends.low, vec4f(0.0)) * square;
    let all = select(pad + 4.0 * ULP * (abs(low) + abs(high)), error, relaxed_exact(a));
    return Relaxed(a.slope, a.cross, low - all, high + all, a.size);
}

// By the mean value theorem from the middle.
fn relaxed_mean(z: Range, c: vec4f, middle: vec4f, slopes: Range, error: vec4f) -> Relaxed {
    let r = max(z.high - c, c - z.low) * (1.0 + 4.0 * ULP);
    let slope = 0.5 * (slopes.low + slopes.high);
    let spread = max(slopes.high - slope, slope - slopes.low) * (1.0 + 4.0 * ULP);
    let off = middle - slope * c;
    let wide = spread * r * (1.0 + 4.0 * ULP) + error + 4.0 * ULP * (abs(middle) + abs(slope * c));
    return Relaxed(slope, vec4f(0.0), off - wide, off + wide, vec4f(0.0));
}

// By its values alone.
fn relaxed_level(values: Range, error: vec4f) -> Relaxed {
    let pad = error + 2.0 * ULP * range_most(values);
    let r = Range(values.low - pad, values.high + pad);
    return Relaxed(vec4f(0.0), vec4f(0.0), r.low, r.high, range_most(r));
}

// The narrowest of three; the size is the last one's.
fn relaxed_narrowest(a: Relaxed, b: Relaxed, c: Relaxed) -> Relaxed {
    let ab = relaxed_select(a, b, b.high - b.low < a.high - a.low);
    let r = relaxed_select(ab, c, c.high - c.low < ab.high - ab.low);
    return Relaxed(r.slope, r.cross, r.low, r.high, c.size);
}
