// Bounds over a piece of a ray by a parabola: f(x) is in chord(x) + 4 x (1 - x) [low, high], for x from 0 to 1.
#import arithmetic/bounds

// The bounds, padded for the rounding of their own last steps.
fn bounds_padded(low: f32, high: f32) -> Bounds {
    let pad = 32.0 * ULP * max(abs(low), abs(high));
    return Bounds(low - pad, high + pad);
}

fn bounds_scaled(b: Bounds, factor: f32) -> Bounds {
    return bounds_padded(b.low * factor, b.high * factor);
}

// How far above its start f may be at x, when its change from end to end is `rise`.
fn upper_bound(b: Bounds, rise: f32, x: f32) -> f32 {
    return rise * x + 4.0 * x * (1.0 - x) * b.high;
}

// The first x in [0, 1] where f may be `gap` above its start, 2 if there is none; `rise` is its change to the end.
fn first_reach(b: Bounds, rise: f32, gap: f32) -> f32 {
    // The upper parabola is rise x + 4 high x (1 - x), in units in which no square overflows; the ulp make up for the
    // discriminant's cancellation.
    let unit = 1.0 / max(max(abs(rise), abs(b.high)), 1e-30);
    let high = b.high * unit;
    let room = clamp(gap * unit, -1e6, 1e6) * (1.0 - 8.0 * ULP) - 16.0 * ULP;
    let slope = rise * unit + 4.0 * high;
    let discriminant = slope * slope - 16.0 * high * room;
    let root = sqrt(max(discriminant, 0.0));
    // Of a parabola that opens upwards and falls first, it is the later root.
    let x = select((slope - root) / (8.0 * high), 2.0 * room / (slope + root), slope > 0.0);
    let none = discriminant < 0.0 || (slope <= 0.0 && high >= 0.0);
    return select(select(x, 2.0, none), 0.0, room <= 0.0);
}

// The same for both sides, upwards and downwards. `drift` is how much closer to a level rounding may bring f at its end.
fn first_reaches(b: Bounds, rise: f32, drift: f32, gaps: vec2f) -> vec2f {
    return vec2f(first_reach(b, drift + rise, gaps.x), first_reach(bounds_mirrored(b), drift - rise, gaps.y));
}

// The x from which on f is sure to be more than `gap` above its start (or below, unless `up`), where it is so at its
// end, at `rise`.
fn last_reach(b: Bounds, up: bool, rise: f32, gap: f32) -> f32 {
    // The last root of the lower parabola, rise x + 4 bend x (1 - x) - gap.
    let bend = select(-b.high, b.low, up);
    let unit = 1.0 / max(max(abs(rise), abs(bend)), 1e-30);
    let low = bend * unit;
    let room = clamp(gap * unit, -1e6, 1e6) * (1.0 + 32.0 * ULP) + 64.0 * ULP;
    let slope = rise * unit + 4.0 * low;
    let square = slope * slope;
    let product = 16.0 * low * room;
    let discriminant = square - product + 8.0 * ULP * (square + abs(product));
    let root = sqrt(max(discriminant, 0.0));
    let x = select((slope - root) / (8.0 * low), 2.0 * room / (slope + root), slope > 0.0);
    return clamp(select(x, 0.0, discriminant < 0.0), 0.0, 1.0);
}

// Whether f certainly only rises: parabolas do not say.
fn bounds_rises(b: Bounds) -> bool {
    return false;
}

// How far f may leave the chord between its end values.
fn bounds_excess(b: Bounds) -> f32 {
    return max(abs(b.low), abs(b.high));
}

// About where f, on its way to its end, is `gap` above its start, by the parabola through a `third` place (x, f above its
// start), x neither 0 nor 1 unless there is none; and the error of this. The chord is there at `share`, gap * per_rise.
fn guess_at(b: Bounds, share: f32, per_rise: f32, gap: f32, third: vec2f) -> vec2f {
    let off = 4.0 * third.x * (1.0 - third.x);
    let known = abs(off) > 1e-6;
    let rise = 1.0 / per_rise;
    let bend = select(0.0, clamp((third.y - rise * third.x) / off, b.low, b.high), known);
    let x = clamp(first_reach(Bounds(bend, bend), rise, gap), 0.0, 1.0);
    let most = 4.0 * share * (1.0 - share) * bounds_excess(b) * per_rise;
    return vec2f(x, select(0.3 * most, 0.3 * abs(x - share) + 0.03 * most, known));
}
