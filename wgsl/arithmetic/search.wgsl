// The crossings of level sets along a ray, front to back and none left out: segments that are shown to be clear, or cut shorter.
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
// Below this, Newton's next step is below float32's resolution of t.
const NEWTON_STOP = 1.0e-4;

// The ray and what counts as a level.
var<private> search_length: f32;
var<private> search_level: f32;
var<private> search_scale: f32;
var<private> search_single: bool;
// The near end: f there in units of the spacing, its rounding, and the levels it lies between.
var<private> search_t: f32;
var<private> search_value: f32;
var<private> search_doubt: f32;
var<private> search_lower: f32;
var<private> search_upper: f32;
var<private> search_width: f32;
// Contact: f is within rounding of `wall`. It came from below (-1), above (1), or that is not known (0).
var<private> search_contact: bool;
var<private> search_wall: f32;
var<private> search_from: f32;
var<private> search_told: bool; // that it is there was the last answer
var<private> search_touch: vec2f; // t and f at the near end before
var<private> search_started: bool;
var<private> search_ended: bool;
// What it cost, over all of the ray's searches.
var<private> search_segments: u32;
var<private> search_evaluations: u32;

// Begins with a ray: points origin + t direction, t from 0 to length, direction of length 1.
// Its levels are where f - level is a whole multiple of spacing, or 0 alone if `single` (in units of the spacing all the same).
fn search_begin(origin: vec3f, direction: vec3f, length: f32, level: f32, spacing: f32, single: bool) {
    enclosure_begin(origin, direction, length);
    search_length = length;
    search_level = level;
    search_scale = 1.0 / spacing;
    search_single = single;
    search_t = 0.0;
    search_width = 0.125 * length;
    search_contact = false;
    search_told = false;
    search_started = false;
    search_ended = false;
    search_segments = 0u;
    search_evaluations = 0u;
}

// f at the far end in units of the spacing, and its rounding.
fn search_far() -> vec2f {
    search_evaluations += 1u;
    let value = (far_value - search_level) * search_scale;
    return vec2f(value, far_error * search_scale + 4.0 * ULP * abs(value));
}

// The level above (side 1) or below (side -1) a given one; infinitely far where only one counts.
fn search_next_wall(wall: f32, side: f32) -> f32 {
    return select(wall + side, side * NOWHERE, search_single);
}

fn search_touching(wall: f32, side: f32) {
    search_contact = true;
    search_wall = wall;
    search_from = side;
}

// Where f lies at the near end: once for a ray, and after a hit.
fn search_enter() {
    let here = search_far();
    near_from_far();
    search_value = here.x;
    search_doubt = here.y;
    if !search_started {
        search_started = true;
        let base = select(floor(here.x), 0.0, search_single);
        search_lower = select(base, -NOWHERE, search_single && here.x < 0.0);
        search_upper = select(base + 1.0, select(NOWHERE, 0.0, here.x < 0.0), search_single);
        if here.x - here.y <= search_lower {
            search_touching(search_lower, 0.0);
        } else if here.x + here.y >= search_upper {
            search_touching(search_upper, 0.0);
        }
        search_touch = vec2f(0.0, here.x);
    } else if search_told {
        // Just past a crossing of search_wall, in the direction search_from came to lie.
        search_contact = search_from * (here.x - search_wall) <= here.y;
        search_told = search_contact;
        search_touch = vec2f(search_t, here.x);
    }
}

// The first crossing after the last one given; MISS at the ray's end and ever after.
fn search_next() -> Crossing {
    var found = Crossing(search_length, MISS, 0.0, false);
    if search_ended {
        return found;
    }
    if ENTERS_APART {
        enter_at(search_t);
        search_enter();
    }
    let least = 4.0 * ULP * search_length;
    let tolerance = max(TOLERANCE, least);
    found.outcome = UNDECIDED;
    // The bracket of a hit: t and f at its ends.
    var first = vec2f(0.0);
    var last = vec2f(0.0);
    for (var i = 0u; i < SEGMENT_LIMIT; i++) {
        let entering = !ENTERS_APART && i == 0u;
        var end = search_t + search_width;
        end = select(end, search_length, search_length - end < least);
        end = select(end, search_t, entering);
        let width = end - search_t;
        let b = bounds_scaled(segment_to(search_t, end), search_scale);
        if entering {
            search_enter();
            continue;
        }
        let far = search_far();
        search_segments += 1u;
        let turned = bounds_turned(b);
        let value = far.x;
        let rise = value - search_value;
        let e = max(search_doubt, far.y);
        let upper = select(search_upper, search_next_wall(search_wall, 1.0), search_contact);
        let lower = select(search_lower, search_next_wall(search_wall, -1.0), search_contact);
        let reach_up = first_reach(b, rise, upper - search_value - e);
        let reach_down = first_reach(turned, -rise, search_value - lower - e);
        let reach = min(reach_up, reach_down) * (1.0 - 16.0 * ULP);
        let clear = reach >= 1.0;
        // Shorter or tighter makes no sense: t or f would be rounding.
        let small = width <= tolerance || bounds_excess(b) <= 0.5 * e;

        // What the segment shows: 0 nothing, 1 that it may be passed, 2 an answer as well.
        var shown = 0u;
        if search_contact {
            let up = stays_above(b, value - far.y - search_wall);
            let down = stays_above(turned, search_wall - value - far.y);
            if (clear || small) && (up || down) {
                let side = select(-1.0, 1.0, up);
                let crossed = search_from == -side;
                // After a hit, going on the way f went is no news; elsewhere it is a touch.
                let news = crossed || !search_told;
                found = Crossing(search_touch.x, select(GRAZE, HIT, crossed), search_wall, up);
                first = search_touch;
                last = vec2f(end, value);
                search_lower = select(search_next_wall(search_wall, -1.0), search_wall, up);
                search_upper = select(search_wall, search_next_wall(search_wall, 1.0), up);
                search_contact = false;
                search_told = false;
                shown = select(1u, 2u, news);
                found.outcome = select(UNDECIDED, found.outcome, news);
            } else if small || (clear && abs(value - search_wall) + bounds_excess(b) <= 4.0 * e) {
                shown = 1u;
            }
        } else if clear {
            shown = 1u;
        } else {
            let alone_up = only_rises(b) || small;
            let alone_down = only_rises(turned) || small;
            if alone_up && value - far.y >= upper || alone_down && value + far.y <= lower {
                let up = value >= upper;
                search_wall = select(lower, upper, up);
                search_from = select(-1.0, 1.0, up);
                found = Crossing(search_t, HIT, search_wall, up);
                first = vec2f(search_t, search_value);
                last = vec2f(end, value);
                search_lower = select(search_next_wall(search_wall, -1.0), search_wall, up);
                search_upper = select(search_wall, search_next_wall(search_wall, 1.0), up);
                search_told = true;
                shown = 2u;
            } else if alone_up && (value + far.y >= upper || small && reach_up <= reach_down) {
                search_touching(upper, -1.0);
                search_touch = vec2f(search_t, search_value);
                shown = 1u;
            } else if alone_down && (value - far.y <= lower || small) {
                search_touching(lower, 1.0);
                search_touch = vec2f(search_t, search_value);
                shown = 1u;
            }
        }

        if shown == 0u {
            // Up to `reach` nothing happens, but a shorter segment's own bounds reach further.
            search_width = max(width * clamp(1.6 * reach, 0.25, 0.8), least);
            continue;
        }
        search_t = end;
        search_value = value;
        search_doubt = far.y;
        near_from_far();
        search_width = 2.0 * width;
        if shown == 2u {
            break;
        }
        if end >= search_length {
            search_ended = true;
            found = Crossing(search_length, MISS, 0.0, false);
            if search_contact && !search_told {
                found = Crossing(search_touch.x, GRAZE, search_wall, search_from <= 0.0);
            }
            break;
        }
    }
    if found.outcome == UNDECIDED {
        search_ended = true;
        found.t = search_t;
    }
    if found.outcome == HIT {
        found.t = search_sharpen(found, first, last);
        if search_told {
            // The bracket may reach over the next level: go on from where this one is safely passed.
            search_t = min(search_t, found.t + tolerance);
        }
        search_width = max(search_width, 0.01 * search_length);
    }
    return found;
}

// Newton's steps for the crossing, kept inside its bracket.
fn search_sharpen(found: Crossing, first: vec2f, last: vec2f) -> f32 {
    let sign = select(-1.0, 1.0, found.rising);
    var low = first.x;
    var high = last.x;
    let below = min((first.y - found.level) * sign, 0.0);
    let above = max((last.y - found.level) * sign, 1e-30);
    var t = low - below * (high - low) / (above - below);
    for (var i = 0u; i < POLISH_LIMIT; i++) {
        let here = plain_at(t);
        search_evaluations += 1u;
        let off = ((here.x - search_level) * search_scale - found.level) * sign;
        low = select(low, t, off < 0.0);
        high = select(t, high, off < 0.0);
        let newton = t - off / (here.y * search_scale * sign);
        // Not a number where the slope is 0: then, and outside, halve.
        let inside = newton >= low && newton <= high;
        let next = select(0.5 * (low + high), newton, inside);
        let step = abs(next - t);
        t = next;
        if step <= NEWTON_STOP && inside || high - low <= 1e-7 {
            break;
        }
    }
    return t;
}
