// Bounds over a piece of a ray by its range of slopes: f lies between lines of these slopes through both end values.
// Bounds are the change over the whole piece if its slope were everywhere the least, or everywhere the greatest.
#import arithmetic/bounds

// The mean slope over those at both ends: only for guesses.
var<private> end_bends: vec2f;

fn bounds_scaled(b: Bounds, factor: f32) -> Bounds {
    return Bounds(b.low * factor, b.high * factor);
}

// How far above its start f may be at x, when its change from end to end is `rise`.
fn upper_bound(b: Bounds, rise: f32, x: f32) -> f32 {
    return min(b.high * x, rise - b.low * (1.0 - x));
}

// The first x in [0, 1] where f may be `gap` above its start, 2 if there is none; `rise` is its change to the end.
fn first_reach(b: Bounds, rise: f32, gap: f32) -> f32 {
    let room = gap - 4.0 * ULP * (abs(b.low) + abs(b.high) + abs(rise));
    let x = room / b.high;
    let right = rise - b.low * (1.0 - x);
    // Where the line through the start is above that through the end, the latter bounds f; it rises only if all do.
    let late = select(2.0, 1.0 - (rise - room) / b.low, b.low > 0.0);
    let reach = select(x, late, right < room);
    return select(select(reach, 2.0, b.high < room), 0.0, room <= 0.0);
}

// The x from which on f is sure to be more than `gap` above its start, where it is so at its end, `rise` above.
fn last_reach(b: Bounds, rise: f32, gap: f32) -> f32 {
    let room = gap + 4.0 * ULP * (abs(b.low) + abs(b.high) + abs(rise));
    // By the line through the end; or, if f only rises, by that through the start.
    let x = 1.0 - (rise - room) / b.high;
    let never = room < b.low * x && room < 0.0;
    return clamp(select(select(x, min(x, room / b.low), b.low > 0.0), 0.0, never), 0.0, 1.0);
}

// How far f may leave the chord between its end values.
fn bounds_excess(b: Bounds) -> f32 {
    return 0.25 * (b.high - b.low);
}

// About where f, on its way to its end, is `gap` above its start, by Hermite's cubic for x as a function of f; and the
// error of this. `third` is for bounds that know no slopes.
fn guess_at(b: Bounds, rise: f32, gap: f32, third: vec2f) -> vec2f {
    let y = clamp(gap / max(rise, 1e-30), 0.0, 1.0);
    let d = clamp(end_bends, vec2f(0.0), vec2f(3.0));
    let x = y * (y * (3.0 - 2.0 * y) + (1.0 - y) * ((1.0 - y) * d.x - y * d.y));
    let bent = select(abs(x - y), 0.5, any(end_bends <= vec2f(0.0)));
    return vec2f(x, bent * bent);
}

// Up to which share of a piece its own bounds are likely to prove that f stays `gap` above its start unreached.
fn likely_clear(b: Bounds, gap: f32) -> f32 {
    return select(0.5 * sqrt(max(gap, 0.0) / max(bounds_excess(b), 1e-37)), 1.0, b.low > 0.0);
}

// How many times longer the next piece may be and likely be clear.
fn grown(rise: f32, b: Bounds, above: f32, below: f32) -> f32 {
    return 2.0;
}
