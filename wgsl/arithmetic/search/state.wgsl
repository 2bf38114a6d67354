// Where a search along a ray stands: the near end, the levels next to it, what it has cost.
#import arithmetic/bounds

const MISS = 0u; // no crossing up to the ray's end
const HIT = 1u; // a crossing is certain here, give or take its uncertainty, and none comes before
const GRAZE = 2u; // f stays within rounding of a level here, and nothing is certain
const UNDECIDED = 3u; // the budget of segments is spent; nothing comes before t

struct Crossing {
    t: f32,
    uncertainty: f32, // where the crossing, or the graze, may be: from t - this to t + this
    level: f32, // which level: whole, in units of the spacing
    kind: u32, // the outcome in two bits, then whether f rises
}

fn crossing_outcome(c: Crossing) -> u32 {
    return c.kind & 3u;
}

fn crossing_rises(c: Crossing) -> bool {
    return (c.kind & 4u) != 0u;
}

// No level is here.
const NOWHERE = 1.0e37;
// The first segment, as a part of the ray: 0.1 to 0.3 are alike in benchmarks/rays.
const FIRST_SEGMENT = 0.2;

const START = 0u; // f is to be looked at where the ray begins
const LANDED = 1u; // f is to be looked at past a piece that was proved clear by other means
const BESIDE = 2u; // f lies between search_level and the next level on search_side
const CONTACT = 3u; // f is within rounding of search_level, having come from search_side (0: not known)
const DONE = 4u;

// The ray's length, how far it may be searched for now, what counts as a level, and the most segments to an answer.
var<private> search_length: f32;
var<private> search_until: f32;
var<private> search_zero: f32;
var<private> search_scale: f32;
var<private> search_single: bool;
var<private> search_budget: u32;
// The near end, and how far the next segment goes.
var<private> search_t: f32;
var<private> search_width: f32;
// Beside a level: a place by which the next one is certain to have come, if any. In contact: where f passed the level.
var<private> search_aim: f32;
// In contact: where it began.
var<private> search_touch: f32;
var<private> search_phase: u32;
var<private> search_level: f32;
var<private> search_side: f32;
// Another place (t, f), from which it shows how f bends; only for guesses. t below 0: none.
var<private> search_third: vec2f;
// f at the near end and its error bound, as they were taken; and whether they were.
var<private> search_near: vec2f;
var<private> search_entered: bool;
// Segments since the last answer; and over all of the ray's, with the evaluations.
var<private> search_count: u32;
var<private> search_segments: u32;
var<private> search_evaluations: u32;
// How many answers it has given.
var<private> search_answers: u32;
// Whether it waits for the value at the far end in float64.
var<private> search_waits: bool;
// Whether the last segment was passed, so that its far end is the next one's near end.
var<private> search_moved: bool;
// No further answer will come.
var<private> search_done: bool;
var<private> search_crossing: Crossing;
// Whether the last segment holds a crossing, or the end of a contact: search_crossing then says which, and probably
// where; search_between, between which places. If f only rises (or falls) between them, these are its least and greatest
// change over that piece, which begins at x and is y long; else 0.
var<private> search_found: bool;
var<private> search_between: vec2f;
var<private> search_slopes: vec2f;
var<private> search_piece: vec2f;

// What all rays share: levels are where f - level is a whole multiple of spacing, or 0 alone if `single`.
fn search_levels(level: f32, spacing: f32, single: bool, segments: u32) {
    search_zero = level;
    search_scale = select(1.0 / spacing, 1.0, single);
    search_single = single;
    search_budget = segments;
}

// Begins with a ray of this length.
fn search_begin(length: f32) {
    search_length = length;
    search_until = length;
    search_t = 0.0;
    search_width = FIRST_SEGMENT * length;
    search_aim = -1.0;
    search_touch = 0.0;
    search_phase = select(DONE, START, length > 0.0);
    search_level = 0.0;
    search_side = 0.0;
    search_third = vec2f(-1.0, 0.0);
    search_entered = false;
    search_count = 0u;
    search_segments = 0u;
    search_evaluations = 0u;
    search_answers = 0u;
    search_waits = false;
    search_moved = false;
    search_done = search_phase == DONE;
}
