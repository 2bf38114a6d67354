// One step of a search: a segment is passed, with or without an answer, or made shorter.
#import generated/bounds
#import arithmetic/search/answer
#import arithmetic/search/width

// What is this close to a level, in units of the spacing, is at it.
const LEVEL = 1.0e-24;

fn search_nearest(value: f32) -> f32 {
    return select(round(value), 0.0, search_single);
}

// The level after one, upwards or downwards.
fn search_beyond(level: f32, side: f32) -> f32 {
    return select(level + side, side * NOWHERE, search_single);
}

fn search_touching(level: f32, side: f32, from_t: f32) {
    search_phase = CONTACT;
    search_level = level;
    search_side = side;
    search_touch = from_t;
    search_aim = -1.0;
}

fn search_step(bounds: Bounds, end: f32, here: vec2f, there: vec2f) {
    // Bounds that are no number say nothing; nor is more known where f itself is none.
    let known = bounds.low > -1.0e30 && bounds.high < 1.0e30;
    var b = Bounds(-1.0e29, 1.0e29);
    if known {
        b = bounds;
    }
    let contact = search_phase == CONTACT;
    // The levels that f must not reach unseen.
    let other = search_beyond(search_level, search_side);
    let above = search_side > 0.0;
    let lower = select(select(other, search_level, above), search_beyond(search_level, -1.0), contact);
    let upper = select(select(search_level, other, above), search_beyond(search_level, 1.0), contact);
    let change = there.x - here.x;
    // Each end is as much closer to a level as rounding may have moved it.
    let drift = there.y - here.y;
    let gaps = vec2f(upper - here.x, here.x - lower) - here.y;
    let free = select(vec2f(0.0), first_reaches(b, change, drift, gaps), known);
    let reaches = select(free, vec2f(2.0), vec2f(upper, -lower) >= vec2f(NOWHERE));

    var a: Approach;
    a.width = end - search_t;
    a.error = max(here.y, there.y);
    let excess = bounds_excess(b);
    let short = a.width <= 1.5 * search_least();
    // On a plateau at a level both are what underflow may have lost.
    a.small = short || excess <= max(0.5 * a.error, LEVEL);
    a.reach = min(reaches.x, reaches.y) * (1.0 - 16.0 * ULP);
    let clear = a.reach >= 1.0;

    // The level that f goes to, or is at. Where f is known to no more than a quarter of the spacing, or jumps in the
    // least of segments, it may have passed others.
    let loose = contact && ((!search_single && min(here.y, there.y) >= 0.25) || (short && !clear));
    let at = select(search_level, search_nearest(there.x), loose);
    let ends_up = there.x >= upper - there.y;
    let goes_up = select(reaches.x < reaches.y, ends_up, ends_up || there.x <= lower + there.y);
    let level = select(select(lower, upper, goes_up), at, contact);
    let up = select(goes_up, there.x > at, contact);
    let side = select(-1.0, 1.0, up);
    if up {
        a.ahead = b;
    } else {
        a.ahead = bounds_mirrored(b);
    }
    a.rise = side * change;
    a.gap = side * (level - here.x);
    // How far beyond f ends. Just outside of rounding, the next segment could not get away.
    let past = a.rise - a.gap;
    let sure = past > select(2.0, 1.0, end >= search_length) * there.y;
    a.last = last_reach(b, up, a.rise - drift, a.gap + here.y);
    a.first = min(select(reaches.y, reaches.x, up) * (1.0 - 16.0 * ULP), a.last);

    // Beside a level, f crosses the next if it ends beyond, reaches no other, and ends before the one after. Where it
    // only rises that is enough.
    let rises = bounds_rises(a.ahead);
    let alone = select(reaches.x, reaches.y, up) >= 1.0;
    let most = max(0.0, a.rise) + a.error + select(excess, 0.0, rises) - a.gap;
    let tight = rises || a.small || excess <= a.error || (a.last - a.first) * a.width <= 2.0 * search_least();
    let crosses = !contact && !clear && sure && tight && alone && (search_single || most < 0.999);
    // Or as much closer as bounds leave open: shorter pieces would be clear, but ever shorter.
    let close = past >= -there.y || (alone && past >= -there.y - 2.0 * excess);
    let touches = !contact && !clear && !crosses && (short || (a.small && !sure && close));
    let stays = contact && (short || (a.small && (clear || loose)));
    let leaves = stays && sure;
    let passes = crosses || touches || select(clear, stays, contact);

    let x = (search_third.x - search_t) / a.width;
    let third = select(vec2f(0.0), vec2f(x, side * (search_third.y - here.x)), search_third.x >= 0.0);
    a.per_rise = 1.0 / max(a.rise, 1.0e-30);
    let share = clamp(a.gap * a.per_rise, 0.0, 1.0);
    let guess = guess_at(a.ahead, share, a.per_rise, a.gap, third);
    let first_t = search_t + a.first * a.width;
    let last_t = select(search_t + a.last * a.width, end, loose);
    let place = search_t + clamp(guess.x, a.first, a.last) * a.width;
    let begins = search_t;
    if passes {
        search_third = vec2f(search_t, here.x);
        // The levels that f goes on between.
        let found = crosses || leaves;
        let after = search_beyond(level, side);
        let top = select(upper, max(level, after), found);
        let floor = select(lower, min(level, after), found);
        let least = select(0.0, 1.0, a.small);
        let longer = max(grown(change, b, top - there.x - there.y, there.x - there.y - floor, there.y), least);
        let aimed = !contact && search_aim > end;
        let next = select(longer * a.width, towards_aim(longer * a.width, search_aim - end), aimed);
        // From less than an ulp of t, what is rounded to one would not grow.
        search_width = max(next, search_least());
        search_t = end;
    } else {
        search_third = vec2f(end, there.x);
        search_shorten(a, guess, contact, sure && !contact);
    }
    search_moved = passes;
    if touches {
        search_touching(level, -side, first_t);
    }
    if (touches || contact) && passes && past >= 0.0 && a.gap >= 0.0 {
        search_aim = place;
    }
    if contact && loose && passes {
        search_level = at;
        search_side = 0.0;
    }
    search_found = crosses || leaves;
    if search_found {
        search_slopes = select(vec2f(0.0), vec2f(a.ahead.low, a.ahead.high), rises && crosses);
        search_piece = vec2f(begins, a.width);
        search_between = vec2f(select(first_t, search_touch, contact), last_t);
        let crossed = crosses || search_side == -side;
        let t = select(place, search_aim, contact && search_aim >= 0.0);
        search_crossing = Crossing(t, 0.0, level, select(GRAZE, HIT, crossed) | select(0u, 4u, up));
        search_phase = BESIDE;
        search_level = level;
        search_side = side;
        search_aim = -1.0;
        search_width = max(search_width, afresh() * search_length);
    }
}
