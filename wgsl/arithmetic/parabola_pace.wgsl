// How long the next piece of a ray is to be, by what a parabola leaves of this one.
#import arithmetic/parabola_bounds

// Whether activations have kinks: then bounds grow by leaps, where a piece begins to hold one more.
override KINKED: bool = false;
// Whether bounds are of the curvature of a longer piece: then they shrink with the square of the length only.
override SHARED: bool = false;

// How much of a piece to try next, on the way to a certain crossing: up to just before its likely place, or just beyond
// where bounds are then likely to be no wider than rounding.
fn towards(b: Bounds, reach: f32, gap: f32, place: f32, margin: f32, beyond: f32, error: f32) -> f32 {
    // Up to which share its own bounds are likely to prove it clear.
    let excess = max(bounds_excess(b), 1e-37);
    let room = max(gap, 0.0) / excess;
    let likely = max(1.6 * reach, select(pow(max(0.25 * room, 1e-9), 1.0 / 3.0), 0.5 * sqrt(room), KINKED || SHARED || room > 0.25));
    let tight = place <= 2.0 * margin && (KINKED || beyond * beyond * excess <= 4.0 * error || place < 0.3);
    return clamp(select(min(max(place - margin, select(0.4 * place, 0.0, KINKED)), likely), beyond, tight), 0.1, 0.95);
}

// The first s above 0 where v s + c s^2 is `gap`, which is not below 0; 1e30 if there is none.
fn meets(v: f32, c: f32, gap: f32) -> f32 {
    let discriminant = v * v + 4.0 * c * gap;
    let under = v + sqrt(max(discriminant, 0.0));
    return select(1e30, min(2.0 * gap / max(under, 1e-30), 1e30), discriminant >= 0.0 && under > 0.0);
}

// The least piece after a crossing, as a part of the ray.
fn afresh() -> f32 {
    return select(0.0, 0.01, KINKED);
}

// The next piece on the way to a certain crossing, from what `grown` says and where that has come.
fn towards_aim(longer: f32, aim: f32) -> f32 {
    return select(min(longer, aim), aim, KINKED);
}

// Pieces that are tried for the next, each longer than the one before by a factor.
const LENGTHS = 18u;
const SHORTEST = 0.6;
const LONGER = 1.2;

// How much longer the next piece is to be, where f goes on as in this one and has so much room above and below: the
// longest that is likely to be clear, or one that ends just before the likely place of a crossing, or just beyond where
// bounds are then likely to be no wider than `error`.
fn grown(rise: f32, b: Bounds, above: f32, below: f32, error: f32) -> f32 {
    if KINKED {
        let excess = max(bounds_excess(b), 1e-30);
        return clamp(0.7 * min(meets(rise, excess, max(above, 0.0)), meets(-rise, excess, max(below, 0.0))), 0.8, 1.4);
    }
    let middle = 0.5 * (b.low + b.high);
    let radius = 0.5 * (b.high - b.low);
    let slope = rise - 4.0 * middle;
    let bend = -4.0 * middle;
    var clear = SHORTEST;
    var s = SHORTEST;
    for (var i = 0u; i < LENGTHS; i++) {
        // What the bounds leave grows with the third power of the length.
        let stray = select(1.5 * radius * s * s * s, radius * s * s, SHARED);
        let end = (slope + bend * s) * s;
        let mid = middle * s * s;
        let fits = furthest(end, mid + stray) < 0.9 * above && furthest(-end, stray - mid) < 0.9 * below;
        clear = select(clear, s, fits);
        s *= LONGER;
    }
    let cross = min(meets(slope, bend, above), meets(-slope, -bend, below));
    let per = 1.0 / max(abs(slope + 2.0 * bend * cross), 1e-30);
    let straight = sqrt(error / max(abs(middle) + radius * cross, 1e-30));
    let margin = max(0.5 * radius * cross * max(cross * cross, 1.0) * per + error * per, 0.35 * straight);
    let beyond = cross + max(margin, 3.0 * error * per);
    let before = max(cross - margin, 0.5 * cross);
    let tight = beyond <= straight || cross <= 2.0 * margin;
    return select(clear, select(before, beyond, tight), cross < 1.5 * clear);
}

// How far above 0 the parabola end x + 4 bend x (1 - x) comes for x from 0 to 1.
fn furthest(end: f32, bend: f32) -> f32 {
    let slope = end + 4.0 * bend;
    let inside = bend > 0.0 && abs(end) < 4.0 * bend;
    return select(max(end, 0.0), slope * slope / (16.0 * max(bend, 1e-30)), inside);
}
