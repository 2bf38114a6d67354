// The crossings of level sets along a ray, front to back, none skipped: a segment is proved clear, or cut shorter.
//
// Software drivers run every branch of a loop's body in each iteration, and the body once more if the loop ends at its
// top: so the body is short, work that can wait is done after it, and loops end at their bottom.
#import arithmetic/search_state
#import arithmetic/search_answer

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
        let mirrored = bounds_mirrored(b);
        let rise = value - search_value;
        let e = max(search_error_bound, far.y);
        // Each end is as much closer to a level as rounding may have moved it.
        let drift = far.y - search_error_bound;
        let reach_up = first_reach(b, rise + drift, search_upper - search_value - search_error_bound);
        let reach_down = first_reach(mirrored, drift - rise, search_value - search_error_bound - search_lower);
        let reach = min(reach_up, reach_down) * (1.0 - 16.0 * ULP);
        let clear = reach >= 1.0;
        // If the far end lies beyond a level, f has crossed that level by `pin`.
        let sure_up = value - far.y >= search_upper;
        let sure_down = value + far.y <= search_lower;
        let pin_up = last_reach(b, rise - drift, search_upper - search_value + search_error_bound);
        let pin_down = last_reach(mirrored, -rise - drift, search_value + search_error_bound - search_lower);
        let sure = PINS && (sure_up || sure_down);
        let pin = select(1.0, min(select(pin_up, pin_down, sure_down), 1.0), sure);
        let pinned = sure && (pin - reach) * width <= tolerance;
        // A shorter segment would make no sense: t or f would only be rounding.
        let excess = bounds_excess(b);
        let short = width <= tolerance;
        let small = short || excess <= 0.5 * e;

        var passes = clear;
        if search_contact {
            let above = value - search_contact_level;
            let close = clear && abs(above) + excess <= 4.0 * e;
            let rises = stays_above(b, above - far.y);
            let falls = stays_above(mirrored, -above - far.y);
            let leaves = (clear || short) && (rises || falls);
            passes = leaves || short || close;
            if leaves {
                let side = select(-1.0, 1.0, rises);
                // After a hit, leaving on the side that f went to is not reported again; anything else is.
                let news = !search_reported || search_side != side;
                up = news && rises;
                down = news && !rises;
                search_beside(search_contact_level, side);
                search_contact = false;
                search_reported = false;
            }
        } else {
            let rises = !clear && (only_rises(b) || small || sure_up && pinned);
            let falls = !clear && (only_rises(mirrored) || small || sure_down && pinned);
            up = rises && sure_up;
            down = falls && sure_down;
            let touches_up = rises && (value + far.y >= search_upper || short && reach_up <= reach_down);
            let touches_down = falls && (value - far.y <= search_lower || short);
            passes = clear || touches_up || touches_down;
            search_reported = up || down;
            if (touches_up || touches_down) && !search_reported {
                let level = select(search_lower, search_upper, touches_up);
                search_touching(level, select(1.0, -1.0, touches_up), vec2f(search_t, search_value));
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
            search_error_bound = far.y;
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
