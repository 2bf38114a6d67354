// Where a search along a ray stands: the near end, the levels next to it, what was found last.
#import generated/enclosure

const MISS = 0u; // no crossing up to the ray's end
const HIT = 1u; // a crossing is certain here and none comes before
const GRAZE = 2u; // f comes within rounding of a level, and cannot be shown to cross it
const UNDECIDED = 3u; // the budget of segments is spent; nothing comes before t

struct Crossing {
    t: f32,
    outcome: u32,
    level: f32, // which level: whole, in units of the spacing
    rising: bool,
}

const NOWHERE = 1.0e15;
// Hits are bracketed to this, in world units, unless f only rises or falls between, then sharpened.
const TOLERANCE = 1.0e-5;
// The first segment, as a part of the ray: 0.1 to 0.3 are alike in benchmarks/rays.
const FIRST_SEGMENT = 0.2;

// The ray and what counts as a level.
var<private> search_length: f32;
var<private> search_level: f32;
var<private> search_scale: f32;
var<private> search_single: bool;
// The near end: f there in units of the spacing, its rounding, and the levels it must not reach unseen.
var<private> search_t: f32;
var<private> search_value: f32;
var<private> search_error_bound: f32;
var<private> search_lower: f32;
var<private> search_upper: f32;
var<private> search_width: f32;
// Contact: f is within rounding of `level`. It came from below (-1), above (1), or that is not known (0).
var<private> search_contact: bool;
var<private> search_contact_level: f32;
var<private> search_side: f32;
var<private> search_reported: bool; // that it is there was the last answer
var<private> search_touch: vec2f; // t and f at the near end before it was
var<private> search_started: bool;
var<private> search_ended: bool;
// What it cost, over all of the ray's searches.
var<private> search_segments: u32;
var<private> search_evaluations: u32;

// Begins with a ray: points origin + t direction, t from 0 to length, direction of length 1.
// Its levels are where f - level is a whole multiple of spacing, or 0 alone if `single`.
fn search_begin(origin: vec3f, direction: vec3f, length: f32, level: f32, spacing: f32, single: bool) {
    enclosure_begin(origin, direction, length);
    search_length = length;
    search_level = level;
    search_scale = 1.0 / spacing;
    search_single = single;
    search_t = 0.0;
    search_width = FIRST_SEGMENT * length;
    search_contact = false;
    search_reported = false;
    search_started = false;
    search_ended = false;
    search_segments = 0u;
    search_evaluations = 0u;
}

// f at the far end in units of the spacing, and its rounding.
fn search_far() -> vec2f {
    let value = (far_value - search_level) * search_scale;
    // A quotient may be off by 2.5 ulp, a difference and a product by one each.
    return vec2f(value, far_error * search_scale + 6.0 * ULP * abs(value));
}

// f lies beside a level, on this side of it (1 above, -1 below).
fn search_beside(level: f32, side: f32) {
    let other = select(level + side, side * NOWHERE, search_single);
    search_lower = select(other, level, side > 0.0);
    search_upper = select(level, other, side > 0.0);
}

// f is within rounding of a level, having come from a side: only the levels next to it are to be watched.
fn search_touching(level: f32, side: f32, before: vec2f) {
    search_contact = true;
    search_contact_level = level;
    search_side = side;
    search_touch = before;
    search_lower = select(level - 1.0, -NOWHERE, search_single);
    search_upper = select(level + 1.0, NOWHERE, search_single);
}

// Where f lies at the near end: once for a ray, and after an answer.
fn search_enter() {
    let here = search_far();
    search_evaluations += 1u;
    near_from_far();
    search_value = here.x;
    search_error_bound = here.y;
    let at = vec2f(search_t, here.x);
    if search_started {
        // Just past a crossing of search_contact_level f lies on search_side; or too close to tell.
        if search_reported && search_side * (here.x - search_contact_level) <= here.y {
            search_touching(search_contact_level, search_side, at);
        }
        search_reported = search_reported && search_contact;
    } else {
        search_started = true;
        let base = select(floor(here.x), 0.0, search_single);
        search_beside(base, select(1.0, -1.0, here.x < base));
        let nearest = select(round(here.x), 0.0, search_single);
        if abs(here.x - nearest) <= here.y {
            search_touching(nearest, 0.0, at);
        }
    }
}
