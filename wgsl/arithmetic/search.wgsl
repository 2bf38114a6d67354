// The crossings of level sets along a ray, front to back, none left out: segments that are shown clear, or cut shorter.
//
// Software drivers run every branch of a loop's body each turn, and a body once more where the loop ends at its top: so
// the body is short, what can wait is worked out after it, and loops end at their bottom.
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
// Hits are sharpened until the next of Newton's steps would be below this, where float32 ends for t of about 1.
const SHARP = 1.0e-7;
// A longer first step says nothing of the next: the guess before it may have been good by chance.
const LUCK = 3.0e-4;
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
var<private> search_doubt: f32;
var<private> search_lower: f32;
var<private> search_upper: f32;
var<private> search_width: f32;
// Contact: f is within rounding of `wall`. It came from below (-1), above (1), or that is not known (0).
var<private> search_contact: bool;
var<private> search_wall: f32;
var<private> search_side: f32;
var<private> search_told: bool; // that it is there was the last answer
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
    search_told = false;
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
fn search_beside(wall: f32, side: f32) {
    let other = select(wall + side, side * NOWHERE, search_single);
    search_lower = select(other, wall, side > 0.0);
    search_upper = select(wall, other, side > 0.0);
}

// f is within rounding of a level, having come from a side: only the levels next to it are to be watched.
fn search_touching(wall: f32, side: f32, before: vec2f) {
    search_contact = true;
    search_wall = wall;
    search_side = side;
    search_touch = before;
    search_lower = select(wall - 1.0, -NOWHERE, search_single);
    search_upper = select(wall + 1.0, NOWHERE, search_single);
}

// Where f lies at the near end: once for a ray, and after an answer.
fn search_enter() {
    let here = search_far();
    search_evaluations += 1u;
    near_from_far();
    search_value = here.x;
    search_doubt = here.y;
    let at = vec2f(search_t, here.x);
    if search_started {
        // Just past a crossing of search_wall f lies on search_side; or too close to tell.
        if search_told && search_side * (here.x - search_wall) <= here.y {
            search_touching(search_wall, search_side, at);
        }
        search_told = search_told && search_contact;
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

// The first crossing after the last one given; MISS at the ray's end and ever after.
fn search_next() -> Crossing {
    if ENTERS_APART {
        enter_at(search_t);
        search_enter();
    }
    let least = 4.0 * ULP * search_length;
    let tolerance = max(TOLERANCE, least);
    // What is found: a crossing (or a touch, in contact) upwards or downwards, between `before` and the new near end.
    var up = false;
    var down = false;
    var before = vec2f(0.0);
    var bracket = vec2f(0.0);
    // Where a crossing is certain to have come: no segment need go past it.
    var aim = 0.0;
    var count = 0u;
    var entering = !ENTERS_APART;
    loop {
        var end = search_t + search_width;
        end = select(end, search_length, search_length - end < least);
        end = select(end, search_t, entering);
        let width = end - search_t;
        let b = bounds_scaled(segment_to(search_t, end), search_scale);
        if entering {
            search_enter();
            entering = false;
            continue;
        }
        count += 1u;
        let far = search_far();
        let value = far.x;
        let turned = bounds_turned(b);
        let rise = value - search_value;
        let e = max(search_doubt, far.y);
        // Each end is as much closer to a level as rounding may have moved it.
        let drift = far.y - search_doubt;
        let reach_up = first_reach(b, rise + drift, search_upper - search_value - search_doubt);
        let reach_down = first_reach(turned, drift - rise, search_value - search_doubt - search_lower);
        let reach = min(reach_up, reach_down) * (1.0 - 16.0 * ULP);
        let clear = reach >= 1.0;
        // By `pin` the level that the far end lies beyond has been crossed, if it does.
        let sure_up = value - far.y >= search_upper;
        let sure_down = value + far.y <= search_lower;
        let pin_up = last_reach(b, rise - drift, search_upper - search_value + search_doubt);
        let pin_down = last_reach(turned, -rise - drift, search_value + search_doubt - search_lower);
        let sure = PINS && (sure_up || sure_down);
        let pin = select(1.0, min(select(pin_up, pin_down, sure_down), 1.0), sure);
        let pinned = sure && (pin - reach) * width <= tolerance;
        // Shorter makes no sense: t or f would be rounding.
        let excess = bounds_excess(b);
        let short = width <= tolerance;
        let small = short || excess <= 0.5 * e;

        var passes = clear;
        if search_contact {
            let above = value - search_wall;
            let close = clear && abs(above) + excess <= 4.0 * e;
            let rises = stays_above(b, above - far.y);
            let falls = stays_above(turned, -above - far.y);
            let leaves = (clear || short) && (rises || falls);
            passes = leaves || short || close;
            if leaves {
                let side = select(-1.0, 1.0, rises);
                // After a hit, going on the way f went is no news; elsewhere it is a touch.
                let news = !search_told || search_side != side;
                up = news && rises;
                down = news && !rises;
                search_beside(search_wall, side);
                search_contact = false;
                search_told = false;
            }
        } else {
            let rises = !clear && (only_rises(b) || small || sure_up && pinned);
            let falls = !clear && (only_rises(turned) || small || sure_down && pinned);
            up = rises && sure_up;
            down = falls && sure_down;
            let touches_up = rises && (value + far.y >= search_upper || short && reach_up <= reach_down);
            let touches_down = falls && (value - far.y <= search_lower || short);
            passes = clear || touches_up || touches_down;
            search_told = up || down;
            if (touches_up || touches_down) && !search_told {
                let wall = select(search_lower, search_upper, touches_up);
                search_touching(wall, select(1.0, -1.0, touches_up), vec2f(search_t, search_value));
            }
        }

        // Up to `reach` nothing happens, but a shorter segment's own bounds reach further: unless it is known where a
        // crossing is, and so to be enclosed from both sides.
        let close = clamp(1.1 * reach - 0.1 * pin, 0.1, 0.95);
        let shorter = select(clamp(1.6 * reach, 0.25, 0.8), close, sure && pin < reach + 0.5);
        aim = select(aim, search_t + pin * width, sure && !passes);
        search_width = select(max(width * shorter, least), 2.0 * width, passes);
        if passes {
            before = vec2f(search_t, search_value);
            bracket = vec2f(search_t + min(reach, pin) * width, search_t + pin * width);
            search_t = end;
            search_value = value;
            search_doubt = far.y;
            near_from_far();
            search_width = select(search_width, clamp(aim - end, least, search_width), aim > end);
        }
        if up || down || search_t >= search_length || count >= SEGMENT_LIMIT {
            break;
        }
    }
    search_segments += count;
    search_evaluations += count;
    return search_answer(up, down, before, bracket, tolerance);
}

// What the loop's end means; and where the next search begins.
fn search_answer(up: bool, down: bool, before: vec2f, bracket: vec2f, tolerance: f32) -> Crossing {
    let side = select(-1.0, 1.0, up);
    let found = (up || down) && !search_ended;
    let direct = found && search_told;
    let wall = select(search_wall, select(search_lower, search_upper, up), direct);
    let crossed = direct || search_side == -side;
    let touching = search_contact && !search_told && !search_ended;
    let nothing = select(UNDECIDED, select(MISS, GRAZE, touching), search_t >= search_length || search_ended);
    let outcome = select(nothing, select(GRAZE, HIT, crossed), found);
    search_ended = search_ended || !found;

    let hit = outcome == HIT;
    let first = select(search_touch, before, direct);
    let last = vec2f(search_t, search_value);
    let within = select(vec2f(search_touch.x, search_t), bracket, direct);
    let sharp = search_sharpen(hit, first, last, within, wall, side);
    var t = select(search_t, search_length, outcome == MISS);
    t = select(select(t, search_touch.x, outcome == GRAZE), sharp, hit);
    if direct {
        search_wall = wall;
        search_side = side;
        search_beside(wall, side);
        // The bracket may reach over the next level: go on from where this one is safely passed.
        search_t = min(search_t, sharp + tolerance);
    }
    search_width = max(search_width, 0.01 * search_length);
    return Crossing(t, outcome, wall, select(search_side <= 0.0, up, found));
}

// Newton's steps for the crossing of a level between first and last (t, f), kept within the part where it must be.
fn search_sharpen(wanted: bool, first: vec2f, last: vec2f, within: vec2f, wall: f32, side: f32) -> f32 {
    var low = within.x;
    var high = within.y;
    let below = min((first.y - wall) * side, 0.0);
    let above = max((last.y - wall) * side, 1e-30);
    var t = clamp(first.x - below * (last.x - first.x) / (above - below), low, high);
    var last_step = high - low;
    var count = 0u;
    loop {
        let here = plain_at(t);
        let off = ((here.x - search_level) * search_scale - wall) * side;
        low = select(low, t, off < 0.0);
        high = select(t, high, off < 0.0);
        let newton = t - off / (here.y * search_scale * side);
        // Not a number where the slope is 0: then, and outside, halve.
        let inside = newton >= low && newton <= high;
        let next = select(0.5 * (low + high), newton, inside);
        // Newton's steps go like c, k c^2, k (k c^2)^2: the next is this one cubed over the last one squared.
        let step = abs(next - t);
        let near = inside && step <= LUCK && step * step * step <= SHARP * last_step * last_step;
        last_step = step;
        t = next;
        count += 1u;
        if !wanted || near || high - low <= SHARP || count >= POLISH_LIMIT {
            break;
        }
    }
    search_evaluations += select(0u, count, wanted);
    return t;
}
