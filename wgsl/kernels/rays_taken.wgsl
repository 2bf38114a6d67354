// How a ray goes on with the bounds of its next piece. Where float32 leaves open on which side of a level f is, it waits.
#import kernels/rays_states

// After so many segments bounds are taken to be what rounding leaves, and f to be known to so many times as much.
const PATIENCE = 512u;
const ROOM = 2.5;
// Pieces whose bounds are at most so many times the rounding of f.
const ASKED = 0.5;

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

// Takes the value in float64 that a ray has waited for.
fn take_exact(ray: u32, exact: f32) {
    let waiting = bitcast<vec4f>(crossings[next_answer(ray)]);
    search_waits = false;
    take_known(ray, exact_end(exact, Bounds(waiting.z, waiting.w), waiting.xy), waiting.zw);
}

fn take_known(ray: u32, value: vec2f, range: vec2f) {
    if search_take(Bounds(range.x, range.y), value) {
        write(ray);
    }
    if search_done {
        end(ray);
    }
}

// Whether f is wanted in float64: where it is near a level, and a shorter piece would be bounded no better than f is known.
fn asks(bounds: Bounds, far: vec2f) -> bool {
    return bounds_excess(bounds) <= ASKED * far.y && search_is_open(far);
}

// f at the far end in float64. It counts as known as well as bounds of short pieces tell it, most of which are there
// from rounding: where they leave more than is usual, shorter pieces would go on without end.
fn exact_end(exact: f32, bounds: Bounds, far: vec2f) -> vec2f {
    let left = select(0.0, ROOM * bounds_excess(bounds), search_count >= PATIENCE);
    let error = max(max(casting.share * far.y, left), casting.exact_error) + ULP * abs(exact);
    return select(far, vec2f(exact, error), error < far.y);
}
