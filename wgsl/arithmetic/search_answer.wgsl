// What a search has found: the answer's kind, its sharpened place, and where the next search begins.
#import arithmetic/search_state

// Hits are sharpened until the next of Newton's steps would be below this, where float32 ends for t of about 1.
const SHARP = 1.0e-7;
// A longer first step says nothing of the next: the guess before it may have been good by chance.
const LUCK = 3.0e-4;

// What the loop's end means; and where the next search begins.
fn search_answer(up: bool, down: bool, before: vec2f, bracket: vec2f, tolerance: f32) -> Crossing {
    let side = select(-1.0, 1.0, up);
    let found = (up || down) && !search_ended;
    let direct = found && search_reported;
    let level = select(search_contact_level, select(search_lower, search_upper, up), direct);
    let crossed = direct || search_side == -side;
    let touching = search_contact && !search_reported && !search_ended;
    let nothing = select(UNDECIDED, select(MISS, GRAZE, touching), search_t >= search_length || search_ended);
    let outcome = select(nothing, select(GRAZE, HIT, crossed), found);
    search_ended = search_ended || !found;

    let hit = outcome == HIT;
    let first = select(search_touch, before, direct);
    let last = vec2f(search_t, search_value);
    let within = select(vec2f(search_touch.x, search_t), bracket, direct);
    let sharp = search_sharpen(hit, first, last, within, level, side);
    var t = select(search_t, search_length, outcome == MISS);
    t = select(select(t, search_touch.x, outcome == GRAZE), sharp, hit);
    if direct {
        search_contact_level = level;
        search_side = side;
        search_beside(level, side);
        // The bracket may reach over the next level: go on from where this one is safely passed.
        search_t = min(search_t, sharp + tolerance);
    }
    search_width = max(search_width, 0.01 * search_length);
    return Crossing(t, outcome, level, select(search_side <= 0.0, up, found));
}

// Newton's steps for the crossing of a level between first and last (t, f), kept within the part where it must be.
fn search_sharpen(wanted: bool, first: vec2f, last: vec2f, within: vec2f, level: f32, side: f32) -> f32 {
    var low = within.x;
    var high = within.y;
    let below = min((first.y - level) * side, 0.0);
    let above = max((last.y - level) * side, 1e-30);
    var t = clamp(first.x - below * (last.x - first.x) / (above - below), low, high);
    var last_step = high - low;
    var count = 0u;
    loop {
        let here = plain_at(t);
        let off = ((here.x - search_level) * search_scale - level) * side;
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
