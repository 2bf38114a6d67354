// A search that follows a ray to its end in one invocation: `search_next` gives one crossing after another.
#import generated/enclosure
#import arithmetic/search/take

// The last of Newton's steps may be off by this part of the rounding.
const SHARP = 0.05;
const SHARPEN_LIMIT = 24u;
// f at the near end, in units of the spacing from the level, and its rounding.
var<private> search_here: vec2f;

// Begins with a ray; after search_levels.
fn search_start(origin: vec3f, direction: vec3f, length: f32) {
    enclosure_begin(origin, direction, length);
    search_begin(length);
    search_look();
}

// Takes f at the ray's start, where that needs no turn of the loop.
fn search_look() {
    near_again(0.0);
    search_take_start(vec2f(near_value, near_error));
    search_here = search_scaled(search_near);
}

// The first crossing after the last one given; MISS at the ray's end and ever after.
fn search_next() -> Crossing {
    if search_done {
        search_miss();
    } else {
        // Software drivers run the body of a loop that ends at its top once more, for nothing.
        loop {
            if search_advance() {
                break;
            }
        }
        search_sharpen();
        search_conclude();
    }
    return search_crossing;
}

// One segment more; true if search_conclude has an answer.
fn search_advance() -> bool {
    let end = search_end();
    let bounds = segment_to(search_t, end);
    let there = search_scaled(vec2f(far_value, far_error));
    let found = search_take_end(end, bounds, search_here, there);
    if search_moved {
        near_from_far();
        search_near = vec2f(near_value, near_error);
        search_here = there;
    }
    return found;
}

// Narrows a crossing that lies where f only rises, until rounding is what is left: f at one place, and its slopes
// between, say where it meets the level. Newton's steps lead there.
fn search_sharpen() {
    let wanted = search_found && search_slopes.x > 0.0;
    // With what their own rounding adds.
    let slopes = select(vec2f(1.0), search_slopes * vec2f(1.0 - 16.0 * ULP, 1.0 + 16.0 * ULP) / search_piece.y, wanted);
    let level = search_crossing.level;
    let side = select(-1.0, 1.0, crossing_rises(search_crossing));
    let spread = slopes.y - slopes.x;
    var first = search_between.x;
    var last = search_between.y;
    let bend = spread / max(last - first, search_least());
    let share = (search_crossing.t - search_piece.x) / search_piece.y;
    var t = clamp(search_piece.x + hermite(share) * search_piece.y, first, last);
    var count = 0u;
    loop {
        enter_at(t);
        let f = search_scaled(vec2f(far_value, far_error));
        let off = side * (f.x - level);
        let above = off + f.y;
        let below = off - f.y;
        first = max(first, t - above / select(slopes.y, slopes.x, above > 0.0));
        last = max(first, min(last, t - below / select(slopes.y, slopes.x, below < 0.0)));
        let step = off / clamp(side * search_scale * far_slope, slopes.x, slopes.y);
        t = clamp(t - step, first, last);
        count += 1u;
        // What the slopes' difference leaves is less than rounding, and the next of Newton's steps much less.
        let sharp = abs(step) * spread <= 2.0 * f.y && step * step * bend <= SHARP * f.y;
        if !wanted || sharp || count >= SHARPEN_LIMIT {
            break;
        }
    }
    if wanted {
        search_evaluations += count;
        search_between = vec2f(first, last);
        search_crossing.t = t;
    }
}
