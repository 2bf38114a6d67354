// Bounds over a piece of a ray by how far f strays from its chord: f(x) is in chord(x) + 4 x (1 - x) [low, high], x in [0, 1].
#import arithmetic/ends

struct Bounds {
    low: f32,
    high: f32,
}

// The bounds made safe against the rounding of their own last steps.
fn bubble_padded(low: f32, high: f32) -> Bounds {
    let pad = 32.0 * ULP * max(abs(low), abs(high));
    return Bounds(low - pad, high + pad);
}

fn bounds_scaled(b: Bounds, factor: f32) -> Bounds {
    return bubble_padded(b.low * factor, b.high * factor);
}

// The same piece seen with f turned over.
fn bounds_turned(b: Bounds) -> Bounds {
    return Bounds(-b.high, -b.low);
}

// The first x in [0, 1] where f may be `gap` above its start, and 2 where it can be nowhere; `rise` is f's change from end to end.
fn first_reach(b: Bounds, rise: f32, gap: f32) -> f32 {
    // The upper parabola is rise x + 4 high x (1 - x); the ulp make up for the discriminant's cancellation.
    let room = gap - 8.0 * ULP * (gap + abs(rise) + abs(b.high));
    let slope = rise + 4.0 * b.high;
    let discriminant = slope * slope - 16.0 * b.high * room;
    let denominator = slope + sqrt(max(discriminant, 0.0));
    let none = discriminant < 0.0 || denominator <= 0.0;
    return select(select(2.0 * room / denominator, 2.0, none), 0.0, room <= 0.0);
}

// How far f may leave what its end values say.
fn bounds_excess(b: Bounds) -> f32 {
    return max(abs(b.low), abs(b.high));
}

// The bubble says nothing of slopes.
fn only_rises(b: Bounds) -> bool {
    return false;
}

// True if f, at or above a value to begin with and `above` it at the end, is never below it.
fn stays_above(b: Bounds, above: f32) -> bool {
    // f - value >= (1 - x) (f(0) - value) + x (above + 4 (1 - x) low).
    return above + 4.0 * min(b.low, 0.0) >= 0.0;
}
