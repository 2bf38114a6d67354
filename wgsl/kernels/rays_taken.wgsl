// How a ray goes on with the bounds of its next piece. Where float32 leaves open on which side of a level f is, it waits.
#import kernels/rays_states

// After so many segments bounds are taken to be what rounding leaves, and f to be known to so many times as much.
const PATIENCE = 512u;
const ROOM = 2.5;
// Pieces whose bounds are at most so many times the rounding of f.
const ASKED = 0.5;
// All rays wait from the start; else, where a tree moves them on first, from then on.
const WALKS = 1u;
// The least piece behind one that was passed, as a part of the ray, where pieces are known exactly.
const WALKED = 0.03125;

// Takes f at the far end, with its error bound, and how far f may leave the chord before it.
fn take_bounds(ray: u32, value: vec2f, range: vec2f) {
    let bounds = Bounds(range.x, range.y);
    if casting.share > 0.0 && asks(bounds, value) {
        // What was found stands in the place of the answer to come.
        crossings[next_answer(ray)] = vec4u(bitcast<vec2u>(value), bitcast<vec2u>(range));
        search_waits = true;
        return;
    }
    take_known(ray, value, range);
}

// Takes what a ray has waited for, in float64: f at the far end; or f at both ends and the range, up to t = `reach`, where
// bounds are wanted so too.
fn take_exact(ray: u32, ends: vec2f, range: vec2f, reach: f32) {
    search_waits = false;
    if casting.rounding == 0.0 {
        let waiting = bitcast<vec4f>(crossings[next_answer(ray)]);
        let far = exact_end(ends.y, Bounds(waiting.z, waiting.w), casting.share * waiting.y);
        take_known(ray, select(waiting.xy, far, far.y < waiting.y), waiting.zw);
        return;
    }
    let bounds = Bounds(range.x, range.y);
    let near = exact_end(ends.x, bounds, 0.0);
    let far = exact_end(ends.y, bounds, 0.0);
    if search_entered {
        search_near = near;
    } else {
        search_take_start(near);
    }
    if search_take_to(reach, bounds, far) {
        write(ray);
    }
    if search_done {
        end(ray);
    }
    // What is known exactly ends beside the next level by itself, and may be longer.
    if casting.walks != 0u && search_moved {
        search_width = max(search_width, WALKED * search_length);
    }
    // The next piece is wanted so at once where float32 would leave open what it is.
    let open = search_is_open(vec2f(ends.x, casting.rounding)) || search_is_open(vec2f(ends.y, casting.rounding));
    search_waits = !search_done && !search_wants_skip() && (open || casting.walks != 0u);
}

fn take_known(ray: u32, value: vec2f, range: vec2f) {
    if search_take(Bounds(range.x, range.y), value) {
        write(ray);
    }
    if search_done {
        end(ray);
    }
}

// Whether f is wanted in float64: where it is near a level, or would be for long as it passes one, and a shorter piece
// would be bounded no better than f is known.
fn asks(bounds: Bounds, far: vec2f) -> bool {
    let error = max(far.y, select(0.0, search_near.y, search_entered));
    let levels = (vec2f(search_near.x, far.x) - search_zero) * search_scale;
    let sides = select(floor(levels), sign(levels), search_single);
    let passes = casting.rounding > 0.0 && search_entered && sides.x != sides.y;
    let long = 2.0 * error * (search_end() - search_t) > LONG * search_length * abs(far.x - search_near.x);
    let is_answer = bounds_excess(bounds) <= 2.0 * error && passes && long;
    return is_answer || (bounds_excess(bounds) <= ASKED * error && search_is_open(vec2f(far.x, error)));
}

// f in float64, and how well it counts as known: at least by so much, and from some segments on no better than bounds
// of short pieces tell it, most of which are there from rounding. Else shorter pieces would go on without end.
fn exact_end(value: f32, bounds: Bounds, least: f32) -> vec2f {
    let left = select(0.0, ROOM * bounds_excess(bounds), search_count >= PATIENCE);
    return vec2f(value, max(max(least, left), casting.exact_error) + ULP * abs(value));
}
