// The crossings of level sets along a ray, front to back, none skipped: a segment is proved clear, or cut shorter.
//
// search_begin or search_load, then until search_done: bound f over search_segment(), and search_take what was found.
// Software drivers run every branch: so there are few, and most of what follows is selected.
#import arithmetic/search/step

// The piece to be bounded next, (t0, t1); the same twice where only f there is wanted.
fn search_segment() -> vec2f {
    return vec2f(search_t, select(search_t, search_end(), search_entered));
}

fn search_end() -> f32 {
    let end = search_t + search_width;
    let free = search_phase == BESIDE && search_aim <= search_t;
    let most = select(search_length, search_until, free);
    return select(end, most, most - end < search_least());
}

// Nothing is near, and the search has come as far as it may look: something else may move it on.
fn search_wants_skip() -> bool {
    return search_phase == BESIDE && search_aim <= search_t && search_t >= search_until && search_until < search_length;
}

// Goes on at t, up to which all was proved clear by other means; looks no further than `until` unless something is near.
fn search_skip(t: f32, until: f32) {
    search_t = t;
    search_until = until;
    search_width = max(until - t, search_least());
    search_aim = -1.0;
    search_phase = select(search_phase, LANDED, search_phase == BESIDE);
    search_entered = false;
}

// f in units of the spacing from the level, and its rounding. What is no number may be anything.
fn search_scaled(f: vec2f) -> vec2f {
    let value = (f.x - search_zero) * search_scale;
    // A quotient may be off by 2.5 ulp, a difference and a product by one each.
    let error = f.y * search_scale + 6.0 * ULP * abs(value) + 1.0e-37;
    return select(vec2f(0.0, 1.0e30), vec2f(value, error), abs(value) < 1.0e30 && error < 1.0e30);
}

// Where f lies at the near end.
fn search_enter(here: vec2f) {
    search_entered = true;
    if search_phase == START {
        search_phase = BESIDE;
        search_level = select(floor(here.x), 0.0, search_single);
        search_side = select(1.0, -1.0, here.x < search_level);
        let nearest = search_nearest(here.x);
        if abs(here.x - nearest) <= here.y {
            search_touching(nearest, 0.0, search_t);
        }
    }
    if search_phase == LANDED {
        search_phase = BESIDE;
        let other = search_beyond(search_level, search_side);
        if search_side * (here.x - search_level) <= here.y {
            search_touching(search_level, search_side, search_t);
        } else if search_side * (other - here.x) <= here.y {
            search_touching(other, -search_side, search_t);
        }
    }
}

// Takes f at the near end, once for a ray and after each skip.
fn search_take_start(f: vec2f) {
    search_evaluations += 1u;
    search_moved = true;
    search_near = f;
    search_enter(search_scaled(f));
}

// Whether what float32 knows of f leaves open on which side of a level it is, or would leave it so a little further on.
fn search_is_open(f: vec2f) -> bool {
    let there = search_scaled(f);
    return there.y < 1.0e30 && abs(there.x - search_nearest(there.x)) <= 2.0 * there.y;
}

// Takes the Bounds of f over the search_segment and its (value, error bound) at the far end; true if there is an answer.
fn search_take(bounds: Bounds, far: vec2f) -> bool {
    if !search_entered {
        search_take_start(far);
        return false;
    }
    return search_take_to(search_end(), bounds, far);
}

// The same up to `end`, where the near end was taken before.
fn search_take_to(end: f32, bounds: Bounds, far: vec2f) -> bool {
    let over = search_take_end(end, bounds, search_scaled(search_near), search_scaled(far));
    if search_moved {
        search_near = far;
    }
    if over {
        search_conclude();
    }
    return over;
}

// The same up to `end`, with f at both ends as search_scaled has it, where the near end was taken before; true if
// search_conclude has an answer.
fn search_take_end(end: f32, bounds: Bounds, here: vec2f, there: vec2f) -> bool {
    search_evaluations += 1u;
    search_segments += 1u;
    search_count += 1u;
    search_step(bounds_scaled(bounds, search_scale), end, here, there);
    return search_found || search_t >= search_length || search_count >= search_budget;
}

// The answer that the last segment was the last for.
fn search_conclude() {
    let ended = search_t >= search_length;
    if search_found || (ended && search_phase == CONTACT) {
        let c = search_crossing;
        let between = select(vec2f(search_touch, search_length), search_between, search_found);
        let level = select(search_level, c.level, search_found);
        let rises = select(search_side <= 0.0, crossing_rises(c), search_found);
        search_answer(between.x, between.y, c.t, level, rises, search_found && crossing_outcome(c) == HIT);
    } else if ended {
        search_miss();
    } else {
        search_give_up();
    }
    // A crossing in the last segment: what follows it is nothing.
    if ended {
        search_finish();
    }
}
