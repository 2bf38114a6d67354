// Bounds over a piece of a ray by its range of slopes: f lies between lines of these slopes through both end values.
// Bounds are the change over the whole piece if its slope were everywhere the least, or everywhere the greatest.
#import arithmetic/ends

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

// Where f only rises it crosses a level just once: enclosing the crossing more closely gains nothing.
const PINS = false;

// An x by which f has been `gap` above its start, where its end is: the end, since slopes tell where it is without.
fn last_reach(b: Bounds, rise: f32, gap: f32) -> f32 {
    return 1.0;
}

// How far f may leave what its end values say.
fn bounds_excess(b: Bounds) -> f32 {
    return 0.25 * (b.high - b.low);
}

// True if f rises all along, so that it takes each value once.
fn only_rises(b: Bounds) -> bool {
    return b.low > 0.0;
}

// True if f, at or above a value to begin with and `above` it at the end, is never below it.
fn stays_above(b: Bounds, above: f32) -> bool {
    return b.low >= 0.0 && above >= 0.0;
}
