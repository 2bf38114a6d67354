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
    var far = value;
    if search_known {
        far = exact_end(bounds, far);
        search_known = false;
    } else if casting.share > 0.0 && asks(bounds, far) {
        search_waits = true;
        return;
    }
    if search_take(bounds, far) {
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
fn exact_end(bounds: Bounds, far: vec2f) -> vec2f {
    let left = select(0.0, ROOM * bounds_excess(bounds), search_count >= PATIENCE);
    let error = max(max(casting.share * far.y, left), casting.exact_error) + ULP * abs(search_exact);
    return select(far, vec2f(search_exact, error), error < far.y);
}
