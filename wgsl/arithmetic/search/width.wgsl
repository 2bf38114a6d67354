// How long the next segment is to be, where one could not be passed.
#import generated/bounds
#import arithmetic/search/state

// The shortest segment: of a smaller one t would only be rounding.
fn search_least() -> f32 {
    return 4.0 * ULP * search_length;
}

// A segment seen towards the level that f goes to: all upwards.
struct Approach {
    width: f32,
    ahead: Bounds,
    gap: f32, // how far below the level f begins
    rise: f32, // its change to the end
    per_rise: f32, // 1 over it, where it rises
    error: f32, // the larger rounding of both ends
    small: bool, // whether f is known as well all along as at its ends
    first: f32, // the first x where it may reach the level
    reach: f32, // or any
    last: f32, // and from which on it is beyond, if it ends so
}

// Makes the next segment shorter: so that it may be clear, or `known`: so that it ends just beside a certain crossing.
fn search_shorten(a: Approach, guess: vec2f, contact: bool, known: bool) {
    // A piece this long has an excess of the rounding.
    let straight = sqrt(a.error / max(bounds_excess(a.ahead), 1.0e-37));
    // A shorter segment's own bounds reach further.
    let hopeful = clamp(1.6 * a.reach, 0.25, 0.8);
    let flat = clamp(0.6 * straight, 0.1, 0.8);
    let inside = min(select(hopeful, 1.0, a.reach >= 1.0), select(flat, 1.0, a.small));
    // The last segment goes from beside the crossing to beyond it, and is as long as rounding lets it be.
    let margin = max(guess.y, 0.35 * straight);
    let half = (a.gap + 0.5) * a.per_rise;
    let beyond = select(min(guess.x + margin, half), guess.x + margin, search_single);
    let close = towards(a.ahead, a.reach, a.gap, guess.x, margin, beyond, a.error);
    search_aim = select(search_aim, search_t + min(beyond, 1.0) * a.width, known);
    search_width = max(a.width * select(select(hopeful, close, known), inside, contact), search_least());
}
