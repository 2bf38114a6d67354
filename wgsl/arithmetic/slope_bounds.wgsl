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

// The first x in [0, 1] where f may be `gaps` above its start, and below it; 2 for nowhere. `rise` is its change to the
// end, and `drift` how much closer to a level rounding may bring it there.
fn first_reaches(b: Bounds, rise: f32, drift: f32, gaps: vec2f) -> vec2f {
    // Steepest and flattest towards either side. Quotients share the inverses, here and in last_reach.
    let inverse = vec2f(1.0) / vec2f(b.high, b.low);
    let most = vec2f(b.high, -b.low);
    let least = vec2f(b.low, -b.high);
    let rises = vec2f(drift + rise, drift - rise);
    let room = gaps - 4.0 * ULP * (abs(b.low) + abs(b.high) + abs(rises));
    let x = room * vec2f(inverse.x, -inverse.y);
    let right = rises - least * (vec2f(1.0) - x);
    // Where the line through the start is above that through the end, the latter bounds f; it rises only if all do.
    let late = select(vec2f(2.0), vec2f(1.0) - (rises - room) * vec2f(inverse.y, -inverse.x), least > vec2f(0.0));
    let reach = select(x, late, right < room);
    return select(select(reach, vec2f(2.0), most < room), vec2f(0.0), room <= vec2f(0.0));
}

// The x from which on f is sure to be more than `gap` above its start (or below, unless `up`), where it is so at its
// end, at `rise`.
fn last_reach(b: Bounds, up: bool, rise: f32, gap: f32) -> f32 {
    let inverse = vec2f(1.0) / vec2f(b.high, b.low);
    let ahead = select(vec2f(-b.low, -b.high), vec2f(b.high, b.low), up);
    let slower = select(-inverse.yx, inverse, up);
    let room = gap + 4.0 * ULP * (abs(b.low) + abs(b.high) + abs(rise));
    // By the line through the end; or, if f only rises, by that through the start.
    let x = 1.0 + 4.0 * ULP - (rise - room) * slower.x;
    let never = room < ahead.y * x && room < 0.0;
    return clamp(select(select(x, min(x, room * slower.y), ahead.y > 0.0), 0.0, never), 0.0, 1.0);
}

// Whether f certainly only rises, by slopes that are enough alike to say from one value where it has another.
fn bounds_rises(b: Bounds) -> bool {
    return b.low > 0.0 && b.high <= 8.0 * b.low;
}

// How far f may leave the chord between its end values.
fn bounds_excess(b: Bounds) -> f32 {
    return 0.25 * (b.high - b.low);
}

// About where f, on its way to its end, has gone the share y; and the error of this. `third` is for bounds that know no
// slopes.
fn guess_at(b: Bounds, share: f32, per_rise: f32, gap: f32, third: vec2f) -> vec2f {
    return vec2f(share, 0.2);
}

// The same by Hermite's cubic for x as a function of f.
fn hermite(share: f32) -> f32 {
    let d = clamp(end_bends, vec2f(0.0), vec2f(3.0));
    return share * (share * (3.0 - 2.0 * share) + (1.0 - share) * ((1.0 - share) * d.x - share * d.y));
}

// How much of a piece to try next, on the way to a certain crossing: so that f only rises there.
fn towards(b: Bounds, reach: f32, gap: f32, place: f32, margin: f32, beyond: f32, error: f32) -> f32 {
    return clamp(1.6 * reach, 0.35, 0.8);
}

// The least piece after a crossing, as a part of the ray.
fn afresh() -> f32 {
    return 0.01;
}

// The next piece on the way to a certain crossing.
fn towards_aim(longer: f32, aim: f32) -> f32 {
    return aim;
}

// How many times longer the next piece may be and likely be clear.
fn grown(rise: f32, b: Bounds, above: f32, below: f32, error: f32) -> f32 {
    return 2.0;
}
